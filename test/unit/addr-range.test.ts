/*
 * Address ranges and page iteration: the seeds' memory_addr cases, with the one deliberate
 * difference that an empty range overlaps nothing (flaw P15 of the seeds).
 */
import { describe, expect, test } from 'vitest';
import { AddrRange, DynPageIter, pageIter4K } from '../../shared/addr/addr-range.ts';
import { ADDR_MAX } from '../../shared/addr/addr.ts';

const range = new AddrRange(0x1000, 0x2000);

describe('construction', () => {
  test('a reversed range cannot be made', () => {
    expect(() => new AddrRange(0x2000, 0x1000)).toThrow(RangeError);
    expect(AddrRange.tryNew(0x2000, 0x1000)).toBeNull();
    expect(AddrRange.tryNew(0x1000, 0x2000)).toEqual(range);
  });

  test('start plus size is checked, never wrapped', () => {
    expect(AddrRange.fromStartSize(0x1000, 0x1000)).toEqual(range);
    expect(AddrRange.tryFromStartSize(0x1000, 0x1000)).toEqual(range);
    expect(() => AddrRange.fromStartSize(0x1000, ADDR_MAX)).toThrow(RangeError);
    expect(AddrRange.tryFromStartSize(0x1000, ADDR_MAX)).toBeNull();
    expect(AddrRange.fromStartSize(1, ADDR_MAX - 1).end).toBe(ADDR_MAX);
  });

  test.each([-1, 0.5, NaN, 2 ** 53, '4096'])('%s is no bound', (bad) => {
    const value = bad as number;
    expect(() => new AddrRange(value, ADDR_MAX)).toThrow();
    expect(() => new AddrRange(0, value)).toThrow();
    expect(() => AddrRange.fromStartSize(0, value)).toThrow();
    expect(AddrRange.tryNew(value, ADDR_MAX)).toBeNull();
    expect(AddrRange.tryNew(0, value)).toBeNull();
    expect(AddrRange.tryFromStartSize(0, value)).toBeNull();
    expect(AddrRange.tryFromStartSize(value, 0)).toBeNull();
  });

  test('the default is 0..0 and empty', () => {
    const empty = new AddrRange();
    expect([empty.start, empty.end, empty.size, empty.isEmpty()]).toEqual([0, 0, 0, true]);
  });
});

describe('relations of 0x1000..0x2000', () => {
  test('size and contains', () => {
    expect(range.size).toBe(0x1000);
    expect(range.isEmpty()).toBe(false);
    expect([0xfff, 0x1000, 0x1080, 0x1fff, 0x2000].map((at) => range.contains(at))).toEqual([
      false,
      true,
      true,
      true,
      false,
    ]);
  });

  test.each([
    [0xfff, 0x1fff, false],
    [0xfff, 0x2000, false],
    [0xfff, 0x2001, false],
    [0x1000, 0x2001, false],
    [0x1001, 0x2001, false],
    [0xfff, 0x1000, false],
    [0x2000, 0x2001, false],
    [0x1000, 0x1fff, true],
    [0x1000, 0x2000, true],
    [0x1001, 0x1fff, true],
    [0x1001, 0x2000, true],
    [0x1000, 0x1000, true],
    [0x2000, 0x2000, true],
  ])('contains %i..%i: %s', (start, end, expected) => {
    expect(range.containsRange(new AddrRange(start, end))).toBe(expected);
  });

  test.each([
    [0xfff, 0x2000, true],
    [0x1000, 0x2000, true],
    [0x1000, 0x2001, true],
    [0x1001, 0x2000, false],
    [0x1000, 0x1fff, false],
  ])('is contained in %i..%i: %s', (start, end, expected) => {
    expect(range.containedIn(new AddrRange(start, end))).toBe(expected);
  });

  test.each([
    [0x800, 0x1000, false],
    [0x2000, 0x2800, false],
    [0xfff, 0xfff, false],
    [0x2000, 0x2000, false],
    [0xfff, 0x1000, false],
    [0x1800, 0x1800, false],
    [0x800, 0x1001, true],
    [0x1800, 0x2000, true],
    [0x1800, 0x2001, true],
    [0xfff, 0x2001, true],
    [0xfff, 0x1001, true],
    [0x1fff, 0x2001, true],
  ])('overlaps %i..%i: %s', (start, end, expected) => {
    const other = new AddrRange(start, end);
    expect(range.overlaps(other)).toBe(expected);
    expect(other.overlaps(range)).toBe(expected);
  });

  test('equality', () => {
    expect(range.equals(new AddrRange(0x1000, 0x2000))).toBe(true);
    expect(range.equals(new AddrRange(0x1000, 0x2001))).toBe(false);
    expect(range.equals(new AddrRange(0x1001, 0x2000))).toBe(false);
  });
});

test('formats', () => {
  const high = new AddrRange(0xfec000, 0xfff000);
  expect(String(high)).toBe('VA:0xfec000..VA:0xfff000');
  expect(high.toString('VA', true)).toBe('VA:0xFEC000..VA:0xFFF000');
  expect(high.toString('PA')).toBe('PA:0xfec000..PA:0xfff000');
});

describe('page iteration', () => {
  test('every page of an aligned range, exactly once', () => {
    expect([...(pageIter4K(0x1000, 0x3000) ?? [])]).toEqual([0x1000, 0x2000]);
    expect([...(DynPageIter.tryNew(0x1000, 0x3000, 0x800) ?? [])]).toEqual([
      0x1000, 0x1800, 0x2000, 0x2800,
    ]);
  });

  test('a reversed or empty range has no page', () => {
    expect([...(pageIter4K(0x3000, 0x1000) ?? [0])]).toEqual([]);
    expect([...(pageIter4K(0x1000, 0x1000) ?? [0])]).toEqual([]);
  });

  test('the last page below the highest address ends the iteration', () => {
    const end = ADDR_MAX - 0xfff;
    expect([...(pageIter4K(end - 0x1000, end) ?? [])]).toEqual([end - 0x1000]);
  });

  test.each([
    [0x1000, 0x3001, 0x1000],
    [0x1001, 0x3000, 0x1000],
    [0x1000, 0x3000, 0x1001],
    [0x1000, 0x3000, 0],
    [0x1000, 0x3000, -0x1000],
    [NaN, 0x3000, 0x1000],
  ])('(%i, %i, %i) is refused', (start, end, pageSize) => {
    expect(DynPageIter.tryNew(start, end, pageSize)).toBeNull();
  });

  test('4k: misaligned ends are refused', () => {
    expect(pageIter4K(0x1000, 0x3001)).toBeNull();
  });
});
