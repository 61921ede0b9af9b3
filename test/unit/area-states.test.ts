/*
 * Goal: MemoryArea has every state and transition of the seeds' diagrams and refuses the rest.
 * Method: each state is reached by its own path, and every operation is tried in it. An operation
 * that is refused or fails must change neither the area nor the page table.
 */
import { describe, expect, test } from 'vitest';
import type { MappingResult } from '../../kernel/areas/mapping-result.ts';
import { AREA_STATES, MemoryArea } from '../../kernel/areas/memory-area.ts';
import type { AreaState } from '../../kernel/areas/memory-area.ts';
import { MockBackend, MockFaults, MockPageTable } from '../../kernel/areas/mock-backend.ts';
import { ADDR_MAX } from '../../shared/addr/addr.ts';

type Area = MemoryArea<number, MockPageTable, MockBackend>;
type Operation = (area: Area, pt: MockPageTable) => MappingResult;

const START = 0x1000;
const SIZE = 0x800;

function created(faults: MockFaults | null = null): Area {
  return new MemoryArea<number, MockPageTable, MockBackend>(
    START,
    SIZE,
    1,
    new MockBackend('mock', faults),
  );
}

/** How to get from Created to each state. Split is transient and cannot be reached. */
const paths: Partial<Record<AreaState, readonly Operation[]>> = {
  Created: [],
  FullMapped: [(area, pt) => area.mapArea(pt)],
  LeftShrunk: [(area, pt) => area.mapArea(pt), (area, pt) => area.shrinkLeft(0x600, pt)],
  RightShrunk: [(area, pt) => area.mapArea(pt), (area, pt) => area.shrinkRight(0x600, pt)],
  Protected: [(area, pt) => area.mapArea(pt), (area, pt) => area.protectArea(2, pt)],
  Unmapped: [(area, pt) => area.mapArea(pt), (area, pt) => area.unmapArea(pt)],
};
const reachable = Object.keys(paths) as AreaState[];

function inState(state: AreaState, pt: MockPageTable, faults: MockFaults | null = null): Area {
  const area = created(faults);
  for (const step of paths[state] ?? []) expect(step(area, pt)).toEqual({ ok: true });
  expect(area.state).toBe(state);
  return area;
}

const operations: Record<string, Operation> = {
  mapArea: (area, pt) => area.mapArea(pt),
  abandon: (area) => area.abandon(),
  unmapArea: (area, pt) => area.unmapArea(pt),
  protectArea: (area, pt) => area.protectArea(3, pt),
  shrinkLeft: (area, pt) => area.shrinkLeft(0x100, pt),
  shrinkRight: (area, pt) => area.shrinkRight(0x100, pt),
  extendLeft: (area, pt) => area.extendLeft(0x100, pt),
  extendRight: (area, pt) => area.extendRight(0x100, pt),
  split: (area) => area.split(START + 0x400),
};

/** The state after an operation; what is not listed is an illegal transition. */
const fromMapped: Record<string, AreaState> = {
  unmapArea: 'Unmapped',
  protectArea: 'Protected',
  shrinkLeft: 'LeftShrunk',
  shrinkRight: 'RightShrunk',
  extendLeft: 'FullMapped',
  extendRight: 'FullMapped',
  split: 'FullMapped',
};
const legal: Partial<Record<AreaState, Record<string, AreaState>>> = {
  Created: { mapArea: 'FullMapped', abandon: 'Unmapped' },
  FullMapped: fromMapped,
  LeftShrunk: fromMapped,
  RightShrunk: fromMapped,
  Protected: { ...fromMapped, protectArea: 'FullMapped' },
  Unmapped: {},
};

function snapshot(area: Area, pt: MockPageTable): unknown {
  return {
    start: area.start,
    end: area.end,
    flags: area.flags,
    state: area.state,
    pt: [...pt.entries],
  };
}

describe.each(reachable)('in the state %s', (state) => {
  test.each(Object.keys(operations))('%s', (name) => {
    const pt = new MockPageTable(0x2000);
    const area = inState(state, pt);
    const before = snapshot(area, pt);
    const result = (operations[name] as Operation)(area, pt);
    const next = legal[state]?.[name];
    if (next !== undefined) {
      expect(result.ok).toBe(true);
      expect(area.state).toBe(next);
    } else {
      expect(result).toMatchObject({
        ok: false,
        error: {
          kind: 'BadState',
          range: { start: area.start, end: area.end },
          cause: `${name} is illegal in the state ${state}`,
        },
      });
      expect(snapshot(area, pt)).toEqual(before);
    }
  });
});

test('every state but the transient Split has its path', () => {
  expect([...reachable, 'Split'].sort()).toEqual([...AREA_STATES].sort());
});

describe('what the operations do', () => {
  test('a new area is described by its accessors', () => {
    const area = created();
    expect([area.start, area.end, area.size, area.flags]).toEqual([START, START + SIZE, SIZE, 1]);
    expect(String(area.vaRange)).toBe('VA:0x1000..VA:0x1800');
    expect(area.backend.name).toBe('mock');
  });

  test('a range that is none cannot become an area', () => {
    const backend = new MockBackend();
    for (const [start, size] of [
      [-1, 1],
      [0.5, 1],
      [NaN, 1],
      [1, ADDR_MAX],
      [0, 2 ** 53],
    ] as const) {
      expect(() => new MemoryArea(start, size, 1, backend)).toThrow(RangeError);
    }
  });

  test('an empty area cannot be mapped', () => {
    const area = new MemoryArea<number, MockPageTable, MockBackend>(START, 0, 1, new MockBackend());
    expect(area.mapArea(new MockPageTable())).toMatchObject({ error: { kind: 'InvalidParam' } });
    expect(area.state).toBe('Created');
  });

  test('shrinking moves one end by the old size minus the new', () => {
    const pt = new MockPageTable(0x2000);
    const area = inState('FullMapped', pt);
    expect(area.shrinkLeft(0x700, pt)).toEqual({ ok: true });
    expect([area.start, area.end]).toEqual([START + 0x100, START + SIZE]);
    expect(area.shrinkRight(0x500, pt)).toEqual({ ok: true });
    expect([area.start, area.end]).toEqual([START + 0x100, START + 0x600]);
    expect(pt.entries.indexOf(1)).toBe(START + 0x100);
    expect(pt.entries.lastIndexOf(1)).toBe(START + 0x5ff);
  });

  test('extending maps the new part with the flags of the area', () => {
    const pt = new MockPageTable(0x2000);
    const area = inState('Protected', pt);
    expect(area.extendLeft(0x100, pt)).toEqual({ ok: true });
    expect(area.extendRight(0x80, pt)).toEqual({ ok: true });
    expect([area.start, area.end]).toEqual([START - 0x100, START + SIZE + 0x80]);
    expect(pt.entries.indexOf(2)).toBe(area.start);
    expect(pt.entries.lastIndexOf(2)).toBe(area.end - 1);
  });

  test('protect sets the flags of area and page table, Protected and back to Mapped', () => {
    const pt = new MockPageTable(0x2000);
    const area = inState('FullMapped', pt);
    expect(area.protectArea(5, pt)).toEqual({ ok: true });
    expect([area.flags, area.state, pt.entry(START)]).toEqual([5, 'Protected', 5]);
    expect(area.protectArea(5, pt)).toEqual({ ok: true });
    expect(area.state).toBe('Protected');
    expect(area.protectArea(1, pt)).toEqual({ ok: true });
    expect([area.flags, area.state, pt.entry(START)]).toEqual([1, 'FullMapped', 1]);
  });

  test('split gives two mapped parts and leaves the page table alone', () => {
    const pt = new MockPageTable(0x2000);
    const area = inState('Protected', pt);
    const entries = [...pt.entries];
    const parts = area.split(START + 0x300);
    if (!parts.ok) throw new Error(parts.error.cause);
    const { right } = parts;
    expect([area.start, area.end, area.flags, area.state]).toEqual([
      START,
      START + 0x300,
      2,
      'FullMapped',
    ]);
    expect([right.start, right.end, right.flags, right.state]).toEqual([
      START + 0x300,
      START + SIZE,
      2,
      'FullMapped',
    ]);
    expect(right.backend).not.toBe(area.backend);
    expect([...pt.entries]).toEqual(entries);
  });

  test('during a split the area is in the state Split', () => {
    const pt = new MockPageTable(0x2000);
    const area: Area = inState('FullMapped', pt);
    const seen: AreaState[] = [];
    const clone = (): MockBackend => {
      seen.push(area.state);
      return new MockBackend();
    };
    Object.assign(area.backend, { clone });
    expect(area.split(START + 1).ok).toBe(true);
    expect(seen).toEqual(['Split']);
  });

  test.each([
    ['split at the start', (area: Area) => area.split(START)],
    ['split at the end', (area: Area) => area.split(START + SIZE)],
    ['split outside', (area: Area) => area.split(START - 1)],
    ['split at a fraction', (area: Area) => area.split(START + 0.5)],
    ['shrinkLeft to nothing', (area: Area, pt: MockPageTable) => area.shrinkLeft(0, pt)],
    ['shrinkLeft to all', (area: Area, pt: MockPageTable) => area.shrinkLeft(SIZE, pt)],
    ['shrinkRight to nothing', (area: Area, pt: MockPageTable) => area.shrinkRight(0, pt)],
    ['shrinkRight to more', (area: Area, pt: MockPageTable) => area.shrinkRight(SIZE + 1, pt)],
    ['shrinkRight to NaN', (area: Area, pt: MockPageTable) => area.shrinkRight(NaN, pt)],
    ['extendLeft below 0', (area: Area, pt: MockPageTable) => area.extendLeft(START + 1, pt)],
    ['extendLeft by nothing', (area: Area, pt: MockPageTable) => area.extendLeft(0, pt)],
    ['extendRight past the top', (area: Area, pt: MockPageTable) => area.extendRight(ADDR_MAX, pt)],
  ] as [string, Operation][])('%s is refused', (_name, operation) => {
    const pt = new MockPageTable(0x2000);
    const area = inState('FullMapped', pt);
    const before = snapshot(area, pt);
    expect(operation(area, pt)).toMatchObject({ error: { kind: 'InvalidParam' } });
    expect(snapshot(area, pt)).toEqual(before);
  });
});

describe('when the backend fails', () => {
  const calls: [AreaState, string, number, number][] = [
    ['Created', 'mapArea', START, START + SIZE],
    ['FullMapped', 'unmapArea', START, START + SIZE],
    ['FullMapped', 'protectArea', START, START + SIZE],
    ['FullMapped', 'shrinkLeft', START, START + SIZE - 0x100],
    ['FullMapped', 'shrinkRight', START + 0x100, START + SIZE],
    ['FullMapped', 'extendLeft', START - 0x100, START],
    ['FullMapped', 'extendRight', START + SIZE, START + SIZE + 0x100],
  ];
  test.each(calls)(
    'in the state %s, %s changes nothing and names the range',
    (state, name, start, end) => {
      const pt = new MockPageTable(0x2000);
      const faults = new MockFaults();
      const area = inState(state, pt, faults);
      const before = snapshot(area, pt);
      faults.failAfterCalls = 0;
      expect((operations[name] as Operation)(area, pt)).toMatchObject({
        ok: false,
        error: { kind: 'BadState', range: { start, end } },
      });
      expect(snapshot(area, pt)).toEqual(before);
    },
  );
});
