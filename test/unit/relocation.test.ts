/*
 * Goal: relocate puts any layout of 47 bits that is not too large into user space, keeping order,
 * sizes, neighbours, gaps that matter and each address's place in its page. Method: properties over
 * random layouts; this process's own layout, mapped on a machine.
 */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { PAGE_SIZE, USER_SPACE_END } from '../../shared/limits.ts';
import { MAP_FIXED_NOREPLACE } from '../../shared/abi/mman.ts';
import { relocate } from '../../shared/relocation.ts';
import type { UsedRange } from '../../shared/relocation.ts';
import { ANON, Kit, R } from '../fixtures/errno-rules/kit.ts';

const MIB = 2 ** 20;
const GIB = 2 ** 30;
const LINUX_END = 2 ** 47;
const RUNS = { numRuns: 150, seed: 2026 };

/** Where programs are: low, at 0x55…, at 0x7f…; near the edges of spans and of regions. */
const start = fc
  .tuple(
    fc.constantFrom(0, 0x40_0000, 2 ** 32, 0xc0_0000_0000, 0x5500_0000_0000, 0x7f00_0000_0000),
    fc.nat(2 ** 28),
    fc.constantFrom(0, 1, 1024, 2 ** 20),
  )
  .map(([region, page, grain]) => region + Math.floor(page / (grain || 1)) * grain * PAGE_SIZE);
const range = fc
  .tuple(start, fc.integer({ min: 1, max: 2 ** 16 }))
  .map(([from, pages]) => ({ start: from, end: from + pages * PAGE_SIZE }));
const layout = fc.array(range, { minLength: 1, maxLength: 40 });

/** Both ends of a range: its image, if it has one piece. */
function imageOf(ranges: readonly UsedRange[], { start: from, end }: UsedRange): UsedRange {
  const { place } = relocate(ranges);
  const first = place(from);
  const last = place(end - 1);
  if (first === null || last === null) throw new Error('a used address was lost');
  return { start: first, end: last + 1 };
}

describe('relocate', () => {
  it('keeps sizes, order, neighbours and gaps, within user space', () => {
    fc.assert(
      fc.property(layout, (ranges) => {
        const { gapBytes } = relocate(ranges);
        const images = ranges.map((one) => imageOf(ranges, one));
        images.forEach((image, i) => {
          const one = ranges[i] as UsedRange;
          expect(image.end - image.start).toBe(one.end - one.start);
          expect(image.end).toBeLessThanOrEqual(USER_SPACE_END);
          // So does its place in its page, huge page and span.
          expect((one.start - image.start) % gapBytes).toBe(0);
          ranges.forEach((other, j) => {
            const gap = other.start - one.end;
            const gapNow = (images[j] as UsedRange).start - image.end;
            if (gap < 0) return;
            expect(gapNow).toBeGreaterThanOrEqual(Math.min(gap, gapBytes));
            expect(gapNow).toBeLessThanOrEqual(gap);
          });
        });
      }),
      RUNS,
    );
  });

  it('has a way back, and does not depend on the order of the ranges', () => {
    fc.assert(
      fc.property(layout, fc.nat(LINUX_END), (ranges, anywhere) => {
        const there = relocate(ranges);
        const again = relocate([...ranges].reverse());
        const some = ranges.flatMap(({ start: from, end }) => [from, from + 7, end - 1, end]);
        for (const address of [...some, anywhere]) {
          const placed = there.place(address);
          expect(again.place(address)).toBe(placed);
          if (placed !== null) expect(there.origin(placed)).toBe(address);
        }
      }),
      RUNS,
    );
  });

  it('moves nothing that fits, nor anything below 4 GiB', () => {
    const fits = relocate([{ start: 0x40_0000, end: 0xc0_0400_0000 }]);
    expect(fits.place(0x12_3456)).toBe(0x12_3456);
    expect(fits.place(USER_SPACE_END)).toBe(null);
    const high = { start: 0x7fff_ffff_e000, end: 0x7fff_ffff_f000 };
    const moved = relocate([{ start: 0x40_0000, end: 0x50_0000 }, high]);
    expect(moved.place(0x40_0123)).toBe(0x40_0123);
    expect(moved.place(high.start)).toBeGreaterThan(2 ** 32);
  });

  it('loses only the middle of a gap that it shortens', () => {
    const low = { start: 0x40_0000, end: 0x50_0000 };
    const high = { start: 0x7f00_0000_0000, end: 0x7f00_0010_0000 };
    const { place, gapBytes } = relocate([low, high]);
    expect(place(low.end)).toBe(low.end);
    expect(place(high.start - 1)).toBe((place(high.start) ?? NaN) - 1);
    expect(place(low.end + gapBytes / 2 - 1)).toBe(low.end + gapBytes / 2 - 1);
    expect(place(0x4000_0000_0000)).toBe(null);
    expect(place(LINUX_END)).toBe(null);
    expect(place(NaN)).toBe(null);
  });

  it('shortens gaps further where many are large', () => {
    const many = Array.from({ length: 2000 }, (_, i) => ({
      start: (i + 1) * 40 * GIB,
      end: (i + 1) * 40 * GIB + MIB,
    }));
    const { gapBytes, place } = relocate(many);
    expect(gapBytes).toBe(GIB);
    expect(place(2000 * 40 * GIB)).toBeLessThan(USER_SPACE_END);
  });

  it('refuses what is too large, and what is no range', () => {
    const shadow = { start: 0x7fff_8000, end: 0x1000_7fff_8000 };
    expect(() => relocate([shadow])).toThrow(/^relocate: the ranges, 17592186044416 bytes in all,/);
    for (const bad of [
      { start: 2, end: 2 },
      { start: 4096, end: 0 },
      { start: -4096, end: 0 },
      { start: 0.5, end: 2 },
      { start: 0, end: 2 ** 60 },
      { start: NaN, end: 1 },
    ]) {
      expect(() => relocate([bad])).toThrow(RangeError);
    }
  });

  it('gives this process a layout that can be mapped on a machine', () => {
    const lines = readFileSync('/proc/self/maps', 'latin1').trim().split('\n');
    const ranges = lines
      .map((line) => line.split(/[- ]/, 2).map((hex) => Number.parseInt(hex, 16)))
      .filter(([, end = NaN]) => end <= LINUX_END)
      .map(([from = NaN, end = NaN]) => ({ start: from, end }));
    const { place } = relocate(ranges);
    // Each range may need page tables of its own; a runtime that has run many tests has thousands.
    const kit = new Kit(1024 + 4 * ranges.length);
    kit.must(kit.sys.munmap(0, USER_SPACE_END));
    for (const { start: from, end } of ranges) {
      const at = place(from) ?? NaN;
      // Node 24 reserves a terabyte: the machine lacks the tables for all of that.
      const size = Math.min(end - from, 16 * PAGE_SIZE);
      expect(kit.sys.mmap(at, size, R, ANON | MAP_FIXED_NOREPLACE)).toBe(at);
    }
  });
});
