/*
 * Goal: MemorySet behaves as the seeds' memory_set in everything that their tests pin down.
 * Method: the tests b.0 to b.5 of the seeds with their exact numbers, on the same mock.
 */
import { describe, expect, test } from 'vitest';
import {
  mockMap,
  mockMemorySet,
  MockPageTable,
  MOCK_ADDR_MAX,
} from '../../kernel/areas/mock-backend.ts';
import type { MockMemorySet } from '../../kernel/areas/mock-backend.ts';
import { AddrRange } from '../../shared/addr/addr-range.ts';

const OK = { ok: true };

function spans(set: MockMemorySet): number[][] {
  return set.iter().map((area) => [area.start, area.end, area.flags]);
}

/** [k * 0x2000, +0x1000) for k = 0..7. */
function mapEvery(set: MockMemorySet, pt: MockPageTable, flags: number): void {
  for (let k = 0; k < 8; k++) expect(mockMap(set, pt, k * 0x2000, 0x1000, flags)).toEqual(OK);
}

test('map and unmap', () => {
  const set = mockMemorySet();
  const pt = new MockPageTable();
  mapEvery(set, pt, 1);
  for (let k = 0; k < 8; k++) expect(mockMap(set, pt, 0x1000 + k * 0x2000, 0x1000, 2)).toEqual(OK);
  expect(set.len()).toBe(16);
  expect(pt.entries.every((entry) => entry === 1 || entry === 2)).toBe(true);

  expect(set.find(0x4100)).toMatchObject({ start: 0x4000, end: 0x5000, flags: 1 });
  expect(pt.entry(0x4200)).toBe(1);

  expect(mockMap(set, pt, 0x4000, 0x4000, 3)).toMatchObject({ error: { kind: 'AlreadyExists' } });
  expect(mockMap(set, pt, 0x4000, 0x4000, 3, true)).toEqual(OK);
  expect(set.len()).toBe(13);
  expect(set.find(0x4100)).toMatchObject({ start: 0x4000, end: 0x8000, flags: 3 });
  expect(pt.entries.subarray(0x4000, 0x8000).every((entry) => entry === 3)).toBe(true);

  expect(set.unmap(0x4000, 0x8000, pt)).toEqual(OK);
  expect(set.len()).toBe(8);
  expect(set.iter().every((area) => area.end <= 0x4000 || area.start >= 0xc000)).toBe(true);

  expect(set.unmap(0, 0x20000, pt)).toEqual(OK);
  expect(set.len()).toBe(0);
  expect(set.isEmpty()).toBe(true);
  expect(pt.entries.every((entry) => entry === 0)).toBe(true);
});

test('unmap splits', () => {
  const set = mockMemorySet();
  const pt = new MockPageTable();
  mapEvery(set, pt, 1);
  expect(set.len()).toBe(8);

  for (let k = 0; k < 8; k++) expect(set.unmap(k * 0x2000 + 0xc00, 0x1800, pt)).toEqual(OK);
  expect(spans(set)).toEqual([
    [0, 0xc00, 1],
    ...[1, 2, 3, 4, 5, 6, 7].map((k) => [k * 0x2000 + 0x400, k * 0x2000 + 0xc00, 1]),
  ]);

  for (let k = 0; k < 8; k++) expect(set.unmap(k * 0x2000 + 0x800, 0x100, pt)).toEqual(OK);
  expect(set.len()).toBe(16);
  const sizeAtOffset = new Map([
    [0, 0x800],
    [0x400, 0x400],
    [0x900, 0x300],
  ]);
  for (const area of set.iter()) {
    expect(area.size).toBe(sizeAtOffset.get(area.start % 0x1000));
    for (let at: number = area.start; at < area.end; at++) expect(pt.entry(at)).toBe(1);
  }
  expect(pt.entries.filter((entry) => entry === 1)).toHaveLength(
    set.iter().reduce((sum, area) => sum + area.size, 0),
  );

  expect(set.unmap(0, MOCK_ADDR_MAX, pt)).toEqual(OK);
  expect(set.len()).toBe(0);
  expect(pt.entries.every((entry) => entry === 0)).toBe(true);
});

test('protect splits into 8, 23 and 39 areas', () => {
  const set = mockMemorySet();
  const pt = new MockPageTable();
  const update = (flags: number) => (old: number) =>
    (old & 7) === (flags & 7) ? null : (flags & 7) | (old & ~7);
  const layout = (k: number, offsets: readonly (readonly number[])[]): number[][] =>
    offsets.map(([start = 0, end = 0, flags = 0]) => [k * 0x2000 + start, k * 0x2000 + end, flags]);
  const everyK = [0, 1, 2, 3, 4, 5, 6, 7];
  mapEvery(set, pt, 7);

  for (const k of everyK) {
    expect(set.protect(k * 0x2000 + 0xc00, 0x1800, update(1), pt)).toEqual(OK);
  }
  expect(set.len()).toBe(23);
  const first23 = [
    [0, 0xc00, 7],
    [0xc00, 0x1000, 1],
  ];
  const later23 = [
    [0, 0x400, 1],
    [0x400, 0xc00, 7],
    [0xc00, 0x1000, 1],
  ];
  expect(spans(set)).toEqual(everyK.flatMap((k) => layout(k, k === 0 ? first23 : later23)));

  for (const k of everyK) {
    expect(set.protect(k * 0x2000 + 0x800, 0x100, update(0x13), pt)).toEqual(OK);
  }
  expect(set.len()).toBe(39);
  const middle = [
    [0x800, 0x900, 3],
    [0x900, 0xc00, 7],
    [0xc00, 0x1000, 1],
  ];
  const first39 = [[0, 0x800, 7], ...middle];
  const later39 = [[0, 0x400, 1], [0x400, 0x800, 7], ...middle];
  const expected = everyK.flatMap((k) => layout(k, k === 0 ? first39 : later39));
  expect(spans(set)).toEqual(expected);
  for (const [start = 0, end = 0, flags] of expected) {
    expect(pt.entries.subarray(start, end).every((entry) => entry === flags)).toBe(true);
  }

  for (const k of everyK) {
    expect(set.protect(k * 0x2000 + 0x880, 0x80, update(3), pt)).toEqual(OK);
  }
  expect(set.len()).toBe(39);

  expect(set.unmap(0, MOCK_ADDR_MAX, pt)).toEqual(OK);
  expect(set.len()).toBe(0);
  expect(pt.entries.every((entry) => entry === 0)).toBe(true);
});

describe('find free area', () => {
  const limit = new AddrRange(0, MOCK_ADDR_MAX);
  const set = mockMemorySet();
  mapEvery(set, new MockPageTable(), 1);
  const cases: [number, number, number, number | null][] = [
    [0, 0x1000, 1, 0x1000],
    [0x800, 0x800, 0x800, 0x1000],
    [0x1800, 0x800, 0x800, 0x1800],
    [0x1800, 0x1000, 0x1000, 0x3000],
    [0x2000, 0x1000, 0x1000, 0x3000],
    [0xf000, 0x1000, 0x1000, 0xf000],
    [0xf001, 0x1000, 0x1000, null],
  ];
  test.each(cases)('hint %i, size %i, align %i gives %s', (hint, size, align, expected) => {
    expect(set.findFreeArea(hint, size, limit, align)).toBe(expected);
  });
  test.each(cases)('hint %i, size %i without align', (hint, size, _align, expected) => {
    expect(set.findFreeArea(hint, size, limit)).toBe(expected);
  });
});

test('the README example', () => {
  const set = mockMemorySet();
  const pt = new MockPageTable();
  expect(mockMap(set, pt, 0x1000, 0x4000, 1)).toEqual(OK);
  expect(set.unmap(0x2000, 0x2000, pt)).toEqual(OK);
  expect(spans(set)).toEqual([
    [0x1000, 0x2000, 1],
    [0x4000, 0x5000, 1],
  ]);
});

describe('the mock', () => {
  test('writes a prefix and then refuses, and ignores what is beyond the table', () => {
    const pt = new MockPageTable(16);
    const set = mockMemorySet();
    pt.write(5, 9);
    // The set undoes the prefix; the byte that was in the way stays.
    expect(mockMap(set, pt, 3, 4, 1)).toMatchObject({ ok: false });
    expect([...pt.entries.subarray(0, 8)]).toEqual([0, 0, 0, 0, 0, 9, 0, 0]);
    expect(mockMap(set, pt, 14, 100, 1)).toEqual(OK);
    expect([...pt.entries.subarray(12)]).toEqual([0, 0, 1, 1]);
    expect(set.unmap(0, 200, pt)).toEqual(OK);
    expect(pt.entry(15)).toBe(0);
  });

  test('restores older checkpoints than the last, but none that it forgot', () => {
    const pt = new MockPageTable(4);
    const first = pt.checkpoint();
    pt.write(0, 1);
    const second = pt.checkpoint();
    pt.write(0, 2);
    pt.write(1, 3);
    expect(pt.rollback(second)).toBe(true);
    expect([...pt.entries]).toEqual([1, 0, 0, 0]);
    expect(pt.rollback(first)).toBe(true);
    expect([...pt.entries]).toEqual([0, 0, 0, 0]);
    pt.write(2, 4);
    pt.forget();
    expect(pt.rollback(first)).toBe(false);
    expect(pt.rollback(pt.checkpoint())).toBe(true);
    expect([...pt.entries]).toEqual([0, 0, 4, 0]);
  });
});
