/**
 * Splits that stay although the operation they were made for is refused: Linux does not merge what
 * it has split by then, and reports show it. Locking: the areas' lock, held by the caller.
 */
import { peek, poke } from '../../shared/atomics.ts';
import { B_MAP_COUNT_MAX, S_APART } from '../../shared/layout.ts';
import { PAGE_SIZE } from '../../shared/limits.ts';
import type { Cpu } from '../cpu/cpu.ts';
import { closeRange, openRange } from '../paging/range-op.ts';
import type { AreaSet } from '../processes/space.ts';

/** Divides the area around `address`, if there is one. */
export function splitAt(cpu: Cpu, space: number, areas: AreaSet, address: number): void {
  const area = areas.find(address);
  if (area === null || area.start === address) return;
  const op = openRange(cpu, space, address / PAGE_SIZE, address / PAGE_SIZE + 1);
  divide(cpu, space, areas, address);
  closeRange(op);
}

/**
 * After a change of flags from `start` on that would have divided an area twice and found no room:
 * if there is room for just one area more, the split at `start` was made (vma_modify). With the
 * range open. A change that failed for want of frames leaves nothing behind.
 */
export function keepFirstSplit(cpu: Cpu, space: number, areas: AreaSet, start: number): void {
  if (areas.len() + 1 === peek(cpu.words, B_MAP_COUNT_MAX)) divide(cpu, space, areas, start);
}

function divide(cpu: Cpu, space: number, areas: AreaSet, address: number): void {
  if (areas.divide(address).ok) poke(cpu.words, space + S_APART, 1);
}
