/*
 * Goal: none of the flaws measured in the seeds' memory_set exists here. Method: one test for each,
 * P1 to P16, on the situation in which the seeds go wrong.
 */
import { describe, expect, test } from 'vitest';
import { HeapAreaStore } from '../../kernel/areas/heap-area-store.ts';
import type { BackendResult } from '../../kernel/areas/mapping-backend.ts';
import { MemoryArea } from '../../kernel/areas/memory-area.ts';
import { MemorySet } from '../../kernel/areas/memory-set.ts';
import type { MockMemorySet } from '../../kernel/areas/mock-backend.ts';
import {
  MockBackend,
  MockFaults,
  mockMap,
  mockMemorySet,
  MockPageTable,
} from '../../kernel/areas/mock-backend.ts';
import { AddrRange } from '../../shared/addr/addr-range.ts';
import { ADDR_MAX } from '../../shared/addr/addr.ts';

const OK = { ok: true };
const ALL = new AddrRange(0, 0x10000);

interface World {
  set: MockMemorySet;
  pt: MockPageTable;
  faults: MockFaults;
}

/** Areas as [start, end, flags], in their backends the faults under test. */
function worldOf(...areas: [number, number, number][]): World {
  const world = { set: mockMemorySet(), pt: new MockPageTable(), faults: new MockFaults() };
  for (const [start, end, flags] of areas) expect(mapIn(world, start, end, flags)).toEqual(OK);
  world.faults.calls.length = 0;
  return world;
}

function newArea(
  faults: MockFaults,
  start: number,
  end: number,
  flags: number,
): MemoryArea<number, MockPageTable, MockBackend> {
  return new MemoryArea<number, MockPageTable, MockBackend>(
    start,
    end - start,
    flags,
    new MockBackend('mock', faults),
  );
}

function mapIn(world: World, start: number, end: number, flags: number, over = false): unknown {
  return world.set.map(newArea(world.faults, start, end, flags), world.pt, over);
}

function spans(set: MockMemorySet): number[][] {
  return set.iter().map((area) => [area.start, area.end, area.flags]);
}

/** Runs an operation that must fail at `call`, having written a prefix, and change nothing. */
function expectUnchanged(world: World, call: number, run: () => unknown, range: object): void {
  const areas = spans(world.set);
  const entries = [...world.pt.entries];
  world.faults.failAfterCalls = call;
  world.faults.prefixSize = 0x80;
  expect(run()).toMatchObject({ ok: false, error: { kind: 'BadState', range } });
  expect(spans(world.set)).toEqual(areas);
  expect([...world.pt.entries]).toEqual(entries);
  expect(world.set.verify()).toEqual([]);
}

test('P1: protecting no bytes inside an area loses nothing', () => {
  const { set, pt, faults } = worldOf([0x1000, 0x4000, 1]);
  expect(set.protect(0x2000, 0, () => 2, pt)).toEqual(OK);
  expect(set.unmap(0x2000, 0, pt)).toEqual(OK);
  expect(spans(set)).toEqual([[0x1000, 0x4000, 1]]);
  expect(faults.calls).toEqual([]);
});

test('P2: a refused protect leaves flags and page table as they were', () => {
  const world = worldOf([0x1000, 0x4000, 1]);
  const { set, pt } = world;
  expectUnchanged(world, 0, () => set.protect(0x1000, 0x3000, () => 2, pt), {
    start: 0x1000,
    end: 0x4000,
  });
  // The trap behind it: pieces split off before the failure must not be lost either.
  expectUnchanged(world, 0, () => set.protect(0x2000, 0x1000, () => 2, pt), {
    start: 0x2000,
    end: 0x3000,
  });
});

test('P3: a refused unmap of whole areas is an error, and the earlier ones come back', () => {
  const world = worldOf([0x1000, 0x2000, 1], [0x3000, 0x4000, 1], [0x5000, 0x6000, 1]);
  expectUnchanged(world, 1, () => world.set.unmap(0, 0x10000, world.pt), {
    start: 0x3000,
    end: 0x4000,
  });
});

test('P4: a refused unmap in the middle of an area keeps both sides', () => {
  const world = worldOf([0x1000, 0x4000, 1]);
  expectUnchanged(world, 0, () => world.set.unmap(0x2000, 0x1000, world.pt), {
    start: 0x2000,
    end: 0x3000,
  });
});

test('P5: a refused unmap of the left part of an area keeps the area', () => {
  const world = worldOf([0x1000, 0x4000, 1]);
  expectUnchanged(world, 0, () => world.set.unmap(0, 0x2000, world.pt), {
    start: 0x1000,
    end: 0x2000,
  });
});

test('P6: an overlapping map whose backend refuses brings the old mapping back', () => {
  const world = worldOf([0x1000, 0x3000, 1], [0x4000, 0x5000, 2]);
  const over = (): unknown => mapIn(world, 0x2000, 0x6000, 3, true);
  expectUnchanged(world, 2, over, { start: 0x2000, end: 0x6000 });
  expectUnchanged(world, 1, over, { start: 0x4000, end: 0x5000 });
  world.faults.failAfterCalls = -1;
  expect(over()).toEqual(OK);
  expect(spans(world.set)).toEqual([
    [0x1000, 0x2000, 1],
    [0x2000, 0x6000, 3],
  ]);
});

test('P7: a clear that fails keeps everything mapped, and a later one succeeds', () => {
  const world = worldOf([0x1000, 0x2000, 1], [0x3000, 0x4000, 1]);
  expectUnchanged(world, 1, () => world.set.clear(world.pt), { start: 0x3000, end: 0x4000 });
  world.faults.failAfterCalls = -1;
  expect(world.set.clear(world.pt)).toEqual(OK);
  expect(world.set.isEmpty()).toBe(true);
  expect(world.pt.entries.every((entry) => entry === 0)).toBe(true);
});

describe('gap searches', () => {
  test('P8: the result stays within the limit, whatever lies above it', () => {
    const { set } = worldOf([0x1000, 0x2000, 1], [0x8000, 0x9000, 1]);
    const limit = new AddrRange(0x1000, 0x3000);
    expect(set.findFreeArea(0, 0x1000, limit)).toBe(0x2000);
    expect(set.findFreeArea(0, 0x1001, limit)).toBeNull();
    expect(set.findFreeArea(0x3000, 0x100, limit)).toBeNull();
    expect(set.findFreeArea(0x2800, 0x100, limit)).toBe(0x2800);
    expect(set.findFreeAreaTopDown(0x1000, limit)).toBe(0x2000);
    expect(set.findFreeAreaTopDown(0x1001, limit)).toBeNull();
  });

  test('P9: the result overlaps no area, also where areas are not aligned', () => {
    const { set } = worldOf([0, 0x1100, 1], [0x1200, 0x2800, 1]);
    expect(set.findFreeArea(0x800, 0x1000, ALL, 0x1000)).toBe(0x3000);
    expect(set.findFreeAreaTopDown(0x1000, new AddrRange(0, 0x3fff), 0x1000)).toBeNull();
  });

  test.each([0, 3, 0x1001, -8, 0.5, NaN])('P9c, P9d: alignment %d is refused', (align) => {
    const { set } = worldOf();
    expect(set.findFreeArea(0, 0x1000, ALL, align)).toBeNull();
    expect(set.findFreeAreaTopDown(0x1000, ALL, align)).toBeNull();
  });

  test.each([0, -1, 0.5, NaN, 2 ** 53])('size or hint %d finds nothing', (bad) => {
    const { set } = worldOf();
    expect(set.findFreeArea(0, bad, ALL)).toBeNull();
    expect(set.findFreeAreaTopDown(bad, ALL)).toBeNull();
    if (bad !== 0) expect(set.findFreeArea(bad, 1, ALL)).toBeNull();
  });

  test('sizes and hints near the highest address do not overflow', () => {
    const { set } = worldOf([0x1000, 0x2000, 1]);
    const everything = new AddrRange(0, ADDR_MAX);
    expect(set.findFreeArea(0, ADDR_MAX, everything)).toBeNull();
    expect(set.findFreeArea(0, ADDR_MAX - 0x2000, everything)).toBe(0x2000);
    expect(set.findFreeArea(ADDR_MAX - 1, 1, everything)).toBe(ADDR_MAX - 1);
    expect(set.findFreeArea(ADDR_MAX, 1, everything)).toBeNull();
    expect(set.findFreeArea(ADDR_MAX - 1, 2 ** 52, everything, 2 ** 52)).toBeNull();
    expect(set.findFreeAreaTopDown(1, everything)).toBe(ADDR_MAX - 1);
    expect(set.findFreeAreaTopDown(2 ** 52, everything, 2 ** 52)).toBeNull();
  });
});

test('P10: update is asked for the areas in the range, once each, and for no other', () => {
  const { set, pt } = worldOf([0, 0x1000, 1], [0x1000, 0x2000, 2], [0x3000, 0x4000, 3]);
  const asked: number[] = [];
  const update = (flags: number): null => {
    asked.push(flags);
    return null;
  };
  expect(set.protect(0x1800, 0x1000, update, pt)).toEqual(OK);
  expect(asked).toEqual([2]);
  expect(set.protect(0xfff, 0x2002, update, pt)).toEqual(OK);
  expect(asked).toEqual([2, 1, 2, 3]);
});

test('P11: holes pass protect, and firstHole tells of them beforehand', () => {
  const { set, pt } = worldOf([0x1000, 0x2000, 1], [0x2000, 0x3000, 2], [0x4000, 0x5000, 1]);
  expect(set.protect(0, 0x10000, () => 4, pt)).toEqual(OK);
  expect(spans(set)).toEqual([
    [0x1000, 0x3000, 4],
    [0x4000, 0x5000, 4],
  ]);
  const hole = (start: number, end: number): string | null => {
    const found = set.firstHole(new AddrRange(start, end));
    return found === null ? null : String(found);
  };
  expect(hole(0x1000, 0x3000)).toBeNull();
  expect(hole(0x1800, 0x5000)).toBe('VA:0x3000..VA:0x4000');
  expect(hole(0x1800, 0x3001)).toBe('VA:0x3000..VA:0x3001');
  expect(hole(0, 0x5000)).toBe('VA:0x0..VA:0x1000');
  expect(hole(0x4000, 0x6000)).toBe('VA:0x5000..VA:0x6000');
  expect(hole(0x6000, 0x7000)).toBe('VA:0x6000..VA:0x7000');
  expect(hole(0x6000, 0x6000)).toBeNull();
});

test('P13: protecting back merges into one area again', () => {
  const { set, pt } = worldOf([0x1000, 0x4000, 1]);
  expect(set.protect(0x2000, 0x1000, () => 2, pt)).toEqual(OK);
  expect(set.len()).toBe(3);
  expect(set.protect(0x2000, 0x1000, () => 1, pt)).toEqual(OK);
  expect(spans(set)).toEqual([[0x1000, 0x4000, 1]]);
});

describe('P14: overflow and bad values are refused', () => {
  test.each([
    [1, ADDR_MAX],
    [ADDR_MAX, 1],
    [-1, 1],
    [0, -1],
    [0.5, 1],
    [0, 0.5],
    [NaN, 1],
    [0, NaN],
    [0, 2 ** 53],
  ])('%d, %d', (start, size) => {
    const { set, pt, faults } = worldOf([0x1000, 0x2000, 1]);
    const refused = { ok: false, error: { kind: 'InvalidParam', range: null } };
    expect(set.unmap(start, size, pt)).toMatchObject(refused);
    expect(set.protect(start, size, () => 2, pt)).toMatchObject(refused);
    expect(set.extend(start, size, pt)).toMatchObject(refused);
    expect(faults.calls).toEqual([]);
  });

  test('up to the highest address everything works', () => {
    const { set, pt } = worldOf();
    expect(mockMap(set, pt, ADDR_MAX - 0x1000, 0x1000, 1)).toEqual(OK);
    expect(set.find(ADDR_MAX - 1)?.end).toBe(ADDR_MAX);
    expect(set.extend(ADDR_MAX - 1, 1, pt)).toMatchObject({ error: { kind: 'InvalidParam' } });
    expect(set.unmap(ADDR_MAX - 1, 1, pt)).toEqual(OK);
    expect(set.clear(pt)).toEqual(OK);
    expect(set.isEmpty()).toBe(true);
  });
});

test('P15: an empty range inside an area overlaps nothing', () => {
  const { set } = worldOf([0x1000, 0x2000, 1]);
  expect(set.overlaps(new AddrRange(0x1800, 0x1800))).toBe(false);
  expect(set.overlaps(new AddrRange(0x1800, 0x1801))).toBe(true);
});

test('P16: a map that fails halfway leaves no prefix in the page table', () => {
  const world = worldOf();
  expectUnchanged(world, 0, () => mapIn(world, 0x1000, 0x2000, 1), { start: 0x1000, end: 0x2000 });
});

describe('beyond the probes', () => {
  test('backends are called in ascending address order', () => {
    const { set, pt, faults } = worldOf(
      [0x1000, 0x2000, 1],
      [0x3000, 0x4000, 1],
      [0x5000, 0x6000, 1],
    );
    expect(set.unmap(0x1800, 0x4000, pt)).toEqual(OK);
    expect(faults.calls).toEqual([
      'unmap 0x1800 0x800',
      'unmap 0x3000 0x1000',
      'unmap 0x5000 0x800',
    ]);
  });

  test('the backend is called once for the middle of an area only', () => {
    const { set, pt, faults } = worldOf([0x1000, 0x4000, 1]);
    expect(set.protect(0x2000, 0x1000, () => 2, pt)).toEqual(OK);
    expect(set.unmap(0x2400, 0x400, pt)).toEqual(OK);
    expect(faults.calls).toEqual(['protect 0x2000 0x1000', 'unmap 0x2400 0x400']);
  });

  test('a failure keeps the cause and the sub-range that the backend gives', () => {
    const { set, pt, faults } = worldOf([0x1000, 0x4000, 1]);
    const range = new AddrRange(0x2000, 0x2100);
    faults.failAfterCalls = 0;
    faults.result = { cause: 'EIO', range };
    expect(set.unmap(0x1000, 0x3000, pt)).toEqual({
      ok: false,
      error: { kind: 'BadState', range, cause: 'EIO' },
    });
    faults.failAfterCalls = 0;
    faults.result = { cause: 'ENOMEM' };
    expect(set.extend(0x1000, 0x800, pt)).toEqual({
      ok: false,
      error: { kind: 'NoMemory', range: new AddrRange(0x4000, 0x4800), cause: 'ENOMEM' },
    });
  });

  test('a page table that cannot go back is reported as NeedsRepair', () => {
    /** Makes what it has unmapped final, which no backend may do. */
    class HastyBackend extends MockBackend {
      override unmap(start: number, size: number, table: MockPageTable): BackendResult {
        const result = super.unmap(start, size, table);
        table.forget();
        return result;
      }
    }
    const { set, pt, faults } = worldOf([0x3000, 0x4000, 1]);
    expect(set.map(new MemoryArea(0x1000, 0x1000, 1, new HastyBackend()), pt, false)).toEqual(OK);
    const areas = spans(set);
    faults.failAfterCalls = 0;
    expect(set.unmap(0, 0x10000, pt)).toMatchObject({
      ok: false,
      error: {
        kind: 'NeedsRepair',
        range: { start: 0x3000, end: 0x4000 },
        cause: 'the backend refused unmap; the page table could not be restored',
      },
    });
    expect(spans(set)).toEqual(areas);
  });

  test('an area that is mapped already, or empty, is refused by the set', () => {
    const { set, pt, faults } = worldOf();
    const area = newArea(faults, 0x1000, 0x2000, 1);
    expect(set.map(area, pt, false)).toEqual(OK);
    expect(area.state).toBe('FullMapped');
    expect(set.map(area, pt, true)).toMatchObject({ error: { kind: 'BadState' } });
    const empty = newArea(faults, 0x5000, 0x5000, 1);
    expect(set.map(empty, pt, true)).toMatchObject({ error: { kind: 'InvalidParam' } });
    expect(set.len()).toBe(1);
  });

  test('an area grows into its neighbour on that side, not into an equal one on the other', () => {
    const { set, pt } = worldOf([0x1000, 0x3000, 1], [0x4000, 0x5000, 1]);
    expect(set.divide(0x2000)).toEqual(OK);
    expect(set.extend(0x2000, 0x1000, pt)).toEqual(OK);
    expect(spans(set)).toEqual([
      [0x1000, 0x2000, 1],
      [0x2000, 0x5000, 1],
    ]);
    expect(set.extend(0x1000, 0x800, pt, 'left')).toEqual(OK);
    expect(spans(set)).toEqual([
      [0x800, 0x2000, 1],
      [0x2000, 0x5000, 1],
    ]);
    expect(set.verify(false)).toEqual([]);
  });

  test('AlreadyExists names the overlap', () => {
    const { set, pt } = worldOf([0x1000, 0x2000, 1]);
    expect(mockMap(set, pt, 0x800, 0x1000, 1)).toMatchObject({
      error: { kind: 'AlreadyExists', range: { start: 0x1000, end: 0x1800 } },
    });
    expect(mockMap(set, pt, 0x3000, 0x1000, 2)).toEqual(OK);
    expect(set.extend(0x1000, 0x1800, pt)).toMatchObject({
      error: { kind: 'AlreadyExists', range: { start: 0x3000, end: 0x3800 } },
    });
  });

  test('what is given in or out is copied', () => {
    const { set, pt, faults } = worldOf([0x1000, 0x2000, 1]);
    const given = newArea(faults, 0x3000, 0x4000, 1);
    expect(set.map(given, pt, false)).toEqual(OK);
    expect(given.protectArea(7, pt)).toEqual(OK);
    expect(set.find(0x3000)?.flags).toBe(1);
    const copy = set.find(0x1000);
    expect(set.protect(0x1000, 0x1000, () => 2, pt)).toEqual(OK);
    expect(copy?.flags).toBe(1);
    expect(set.find(0x1000)?.flags).toBe(2);
  });

  test('flags may be compared by value', () => {
    const set = new MemorySet<{ mode: string }, MockPageTable, never>(
      new HeapAreaStore(),
      (left, right) => left.mode === right.mode,
    );
    const backend = {
      map: () => true,
      unmap: () => true,
      protect: () => true,
      clone: () => backend,
      canMerge: () => true,
      merged: () => backend,
    } as never;
    const pt = new MockPageTable();
    for (const [start, mode] of [
      [0, 'r'],
      [2, 'w'],
      [1, 'r'],
    ] as const) {
      expect(set.map(new MemoryArea(start, 1, { mode }, backend), pt, false)).toEqual(OK);
    }
    expect(set.iter().map((area) => [area.start, area.end])).toEqual([
      [0, 2],
      [2, 3],
    ]);
  });
});
