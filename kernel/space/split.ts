/**
 * Splits of areas that no page is concerned by, and those that stay although the operation they
 * were made for is refused: Linux does not merge what it has split by then, and reports show it.
 * Guarantees: no entry of the page table stands for pages of two areas.
 * Locking: the areas' lock, held by the caller.
 */
import { AddrRange } from '../../shared/addr/addr-range.ts';
import { peek, poke } from '../../shared/atomics.ts';
import * as BOOT from '../../shared/layout/boot.ts';
import * as SPACE from '../../shared/layout/space.ts';
import { PAGE_SIZE } from '../../shared/limits.ts';
import { mappingFailure } from '../areas/mapping-result.ts';
import type { MappingResult } from '../areas/mapping-result.ts';
import type { Cpu } from '../machine/cpu.ts';
import { splitSpan, splitSpans } from '../paging/map-range.ts';
import { closeRange } from '../paging/range-op.ts';
import { openRange } from './open-range.ts';
import type { RangeOp } from '../paging/range-op.ts';
import type { AreaSet } from './space.ts';

/** Divides the area around `address`, if there is one. */
export function splitAt(cpu: Cpu, space: number, areas: AreaSet, address: number): void {
  const area = areas.find(address);
  if (area === null || area.start === address) return;
  const op = openRange(cpu, space, address / PAGE_SIZE, address / PAGE_SIZE + 1);
  divide(op, areas, address);
  closeRange(op);
}

/** Gives [start, end) flags that say nothing about access. */
export function markRange(
  op: RangeOp,
  areas: AreaSet,
  start: number,
  end: number,
  flags: number,
): MappingResult {
  if (!splitSpans(op, start / PAGE_SIZE, end / PAGE_SIZE)) {
    const range = new AddrRange(start, end);
    return mappingFailure('NoMemory', range, 'no frame for a page table');
  }
  op.flagsOnly = true;
  const result = areas.protect(start, end - start, () => flags, op);
  if (!result.ok) keepFirstSplit(op, areas, start);
  return result;
}

/**
 * After a change of flags from `start` on that would have divided an area twice and found no room:
 * if there is room for just one area more, the split at `start` was made (vma_modify). With the
 * range open. A change that failed for want of frames leaves nothing behind.
 */
export function keepFirstSplit(op: RangeOp, areas: AreaSet, start: number): void {
  if (areas.len() + 1 === peek(op.cpu.words, BOOT.MAP_COUNT_MAX)) divide(op, areas, start);
}

/** Two areas where one was, if there is memory for it. */
function divide(op: RangeOp, areas: AreaSet, address: number): void {
  const vpn = address / PAGE_SIZE;
  if (!splitSpan(op, vpn, vpn) || !areas.divide(address).ok) return;
  poke(op.cpu.words, op.space + SPACE.UNMERGED, 1);
}
