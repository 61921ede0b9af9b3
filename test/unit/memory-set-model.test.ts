/*
 * Goal: MemorySet equals a model that is too simple to be wrong. Method: random operations with
 * random backend failures on a small address space; the model has one cell for each byte. After
 * every operation bytes, areas, page table and node count are compared, and every gap search with
 * the brute-force answer.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { HeapAreaStore } from '../../kernel/areas/heap-area-store.ts';
import type { MappingResult } from '../../kernel/areas/mapping-result.ts';
import { MemoryArea } from '../../kernel/areas/memory-area.ts';
import { MemorySet } from '../../kernel/areas/memory-set.ts';
import { MockBackend, MockFaults, MockPageTable } from '../../kernel/areas/mock-backend.ts';
import { AddrRange } from '../../shared/addr/addr-range.ts';

const SPACE = 96;
type Cell = { flags: number; backend: string } | null;
type Store = HeapAreaStore<number, MockPageTable, MockBackend>;

interface World {
  store: Store;
  set: MemorySet<number, MockPageTable, MockBackend>;
  pt: MockPageTable;
  faults: MockFaults;
  cells: Cell[];
  nodesMax: number;
}

interface Failure {
  after: number;
  prefix: number;
}

type Op = { at: number; size: number; failure: Failure } & (
  | { op: 'map'; flags: number; backend: string; replace: boolean }
  | { op: 'unmap' | 'clear' }
  | { op: 'protect'; from: number; flags: number }
  | { op: 'extend'; side: 'left' | 'right' }
);

function newWorld(nodesMax: number): World {
  const store: Store = new HeapAreaStore(nodesMax);
  return {
    store,
    set: new MemorySet(store),
    pt: new MockPageTable(SPACE),
    faults: new MockFaults(),
    cells: new Array<Cell>(SPACE).fill(null),
    nodesMax,
  };
}

function sameCell(left: Cell | undefined, right: Cell | undefined): boolean {
  return left?.flags === right?.flags && left?.backend === right?.backend;
}

/** The canonical areas of the model. */
function runs(cells: readonly Cell[]): unknown[] {
  const areas: { start: number; end: number; flags: number; backend: string }[] = [];
  cells.forEach((cell, at) => {
    if (cell === null) return;
    const last = areas.at(-1);
    if (last !== undefined && last.end === at && sameCell(last, cell)) last.end++;
    else areas.push({ start: at, end: at + 1, ...cell });
  });
  return areas;
}

/** The cells after a successful operation, or the kind of error that it must give. */
function expectOp(cells: readonly Cell[], op: Op): Cell[] | string {
  const after = [...cells];
  const end = Math.min(op.at + op.size, SPACE);
  switch (op.op) {
    case 'map':
      if (op.size === 0) return 'InvalidParam';
      if (!op.replace && cells.slice(op.at, end).some((cell) => cell !== null)) {
        return 'AlreadyExists';
      }
      return after.fill({ flags: op.flags, backend: op.backend }, op.at, end);
    case 'unmap':
      return after.fill(null, op.at, end);
    case 'clear':
      return after.fill(null);
    case 'protect':
      for (let at = op.at; at < end; at++) {
        const cell = after[at];
        if (cell && cell.flags !== op.from) after[at] = { ...cell, flags: op.flags };
      }
      return after;
    case 'extend': {
      if (op.size === 0) return after;
      const cell = cells[op.at];
      if (!cell) return 'InvalidParam';
      let low = op.at;
      let high = op.at + 1;
      while (sameCell(cell, cells[low - 1])) low--;
      while (sameCell(cell, cells[high])) high++;
      const from = op.side === 'left' ? low - op.size : high;
      const to = op.side === 'left' ? low : high + op.size;
      if (from < 0) return 'InvalidParam';
      if (cells.slice(from, to).some((other) => other !== null)) return 'AlreadyExists';
      return after.fill(cell, from, Math.min(to, SPACE));
    }
  }
}

function runOp(world: World, op: Op): MappingResult {
  const { set, pt, faults } = world;
  switch (op.op) {
    case 'map': {
      const backend = new MockBackend(op.backend, faults);
      return set.map(new MemoryArea(op.at, op.size, op.flags, backend), pt, op.replace);
    }
    case 'unmap':
      return set.unmap(op.at, op.size, pt);
    case 'clear':
      return set.clear(pt);
    case 'protect':
      return set.protect(op.at, op.size, (old) => (old === op.from ? null : op.flags), pt);
    case 'extend':
      return set.extend(op.at, op.size, pt, op.side);
  }
}

function checkWorld(world: World): void {
  const { set, cells, pt, store } = world;
  expect(set.verify()).toEqual([]);
  expect(
    set.iter().map(({ start, end, flags, backend }) => ({
      start,
      end: Math.min(end, SPACE),
      flags,
      backend: backend.name,
    })),
  ).toEqual(runs(cells));
  expect([...pt.entries]).toEqual(cells.map((cell) => cell?.flags ?? 0));
  expect(store.nodesInUse()).toBe(set.len());
}

/** Runs one operation in both worlds and demands the same outcome. */
function step(world: World, op: Op): string {
  const { faults } = world;
  faults.failAfterCalls = op.failure.after;
  faults.prefixSize = op.failure.prefix;
  const expected = expectOp(world.cells, op);
  const result = runOp(world, op);
  const failed = op.failure.after >= 0 && faults.failAfterCalls < 0;
  if (typeof expected === 'string') {
    expect(result).toMatchObject({ ok: false, error: { kind: expected } });
  } else if (failed) {
    expect(result).toMatchObject({ ok: false, error: { kind: 'BadState' } });
  } else if (result.ok) {
    world.cells = expected;
  } else {
    // The only failure left is a store without a node for the area or a split.
    expect(result.error.kind).toBe('NoMemory');
    expect(world.set.len()).toBeGreaterThanOrEqual(world.nodesMax - 1);
  }
  checkWorld(world);
  return result.ok ? 'ok' : result.error.kind;
}

const at = fc.nat(SPACE - 1);
// No operation of the model may reach beyond the space, where the mock ignores entries.
const place = at.chain((start) =>
  fc.record({ at: fc.constant(start), size: fc.nat(Math.min(SPACE - start, 24)) }),
);
const failure = fc.oneof(
  { weight: 2, arbitrary: fc.constant({ after: -1, prefix: 0 }) },
  { weight: 1, arbitrary: fc.record({ after: fc.nat(2), prefix: fc.nat(6) }) },
);
const flags = fc.integer({ min: 1, max: 2 });
const details = fc.oneof(
  {
    weight: 9,
    arbitrary: fc.record({
      op: fc.constant('map' as const),
      flags,
      backend: fc.constantFrom('a', 'a', 'b'),
      replace: fc.constantFrom(true, true, false),
    }),
  },
  { weight: 3, arbitrary: fc.record({ op: fc.constant('unmap' as const) }) },
  { weight: 5, arbitrary: fc.record({ op: fc.constant('protect' as const), from: flags, flags }) },
  {
    weight: 3,
    arbitrary: fc.record({
      op: fc.constant('extend' as const),
      side: fc.constantFrom('left' as const, 'right' as const),
    }),
  },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('clear' as const) }) },
);
const operation: fc.Arbitrary<Op> = fc
  .tuple(place, details, failure)
  .map(([where, what, fails]): Op => ({ ...where, ...what, failure: fails }))
  // extend may leave the space upwards, which the model cannot see.
  .map((op) => (op.op === 'extend' ? { ...op, size: op.size % 8 } : op));
const operations = fc.array(operation, { minLength: 10, maxLength: 40, size: 'max' });

function runAll(ops: readonly Op[], nodesMax: number, seen: Map<string, number>): void {
  const world = newWorld(nodesMax);
  for (const op of ops) {
    // Growth past the end of the space is out of the model's reach.
    const top = world.set.find(op.at)?.end ?? 0;
    if (op.op === 'extend' && op.side === 'right' && top + op.size > SPACE) continue;
    const outcome = `${op.op} ${step(world, op)}`;
    seen.set(outcome, (seen.get(outcome) ?? 0) + 1);
  }
}

test('random operations with random backend failures', () => {
  const seen = new Map<string, number>();
  fc.assert(
    fc.property(operations, (ops) => runAll(ops, 1000, seen)),
    { seed: 7, numRuns: 800 },
  );
  // The run is worth nothing if a kind of outcome never came up.
  const kinds = ['ok', 'BadState'];
  for (const op of ['map', 'unmap', 'protect', 'extend', 'clear']) {
    for (const kind of kinds) expect(seen.get(`${op} ${kind}`) ?? 0).toBeGreaterThan(20);
  }
  expect(seen.get('map AlreadyExists') ?? 0).toBeGreaterThan(20);
  expect(seen.get('extend AlreadyExists') ?? 0).toBeGreaterThan(20);
});

test('random operations on a store that runs out of nodes', () => {
  const seen = new Map<string, number>();
  fc.assert(
    fc.property(operations, (ops) => runAll(ops, 3, seen)),
    { seed: 8, numRuns: 500 },
  );
  for (const op of ['map', 'unmap', 'protect']) {
    expect(seen.get(`${op} NoMemory`) ?? 0).toBeGreaterThan(20);
  }
});

/** All starts of `size` free bytes in the limit, by trying each. */
function allFits(cells: readonly Cell[], size: number, limit: AddrRange, align: number): number[] {
  const fits: number[] = [];
  for (let start: number = limit.start; start + size <= limit.end; start++) {
    const free = cells.slice(start, start + size).every((cell) => cell === null);
    if (start % align === 0 && free) fits.push(start);
  }
  return fits;
}

test('queries equal brute force', () => {
  const query = fc.record({
    hint: at,
    low: at,
    high: at,
    size: fc.integer({ min: 1, max: 16 }),
    align: fc.constantFrom(1, 1, 2, 4, 8),
  });
  let found = 0;
  let missing = 0;
  fc.assert(
    fc.property(operations, fc.array(query, { minLength: 12, maxLength: 12 }), (ops, queries) => {
      const world = newWorld(1000);
      const { set } = world;
      runAllIn(world, ops);
      for (const { hint, low, high, size, align } of queries) {
        const limit = new AddrRange(Math.min(low, high), Math.max(low, high));
        const fits = size % align === 0 ? allFits(world.cells, size, limit, align) : [];
        const lowest = fits.find((start) => start >= hint) ?? null;
        expect(set.findFreeArea(hint, size, limit, align)).toBe(lowest);
        expect(set.findFreeAreaTopDown(size, limit, align)).toBe(fits.at(-1) ?? null);
        if (lowest === null) missing++;
        else found++;

        const part = world.cells.slice(limit.start, limit.end);
        expect(set.overlaps(limit)).toBe(part.some((cell) => cell !== null));
        const hole = part.indexOf(null);
        const rest = part.findIndex((cell, i) => i > hole && cell !== null);
        const end = rest < 0 ? limit.end : limit.start + rest;
        expect(set.firstHole(limit)).toEqual(
          hole < 0 ? null : new AddrRange(limit.start + hole, end),
        );
        const area = set.find(hint);
        expect(area?.flags).toBe(world.cells[hint]?.flags);
        expect(set.nextArea(hint)?.start ?? SPACE).toBe(
          area?.start ?? firstMapped(world.cells, hint),
        );
      }
    }),
    { seed: 9, numRuns: 300 },
  );
  expect(Math.min(found, missing)).toBeGreaterThan(300);
});

function runAllIn(world: World, ops: readonly Op[]): void {
  for (const op of ops) {
    if (op.op === 'extend' || op.op === 'clear') continue;
    step(world, { ...op, failure: { after: -1, prefix: 0 } });
  }
}

function firstMapped(cells: readonly Cell[], from: number): number {
  const found = cells.findIndex((cell, i) => i >= from && cell !== null);
  return found < 0 ? SPACE : found;
}
