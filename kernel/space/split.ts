/**
 * Splits of areas that change no page, and splits that stay although the operation that needed them
 * failed: Linux does not merge the parts again then, and reports show it.
 * Guarantees: no entry of the page table stands for pages of two areas.
 * Locking: the areas' lock, held by the caller.
 */
import { AddrRange } from '../../shared/addr/addr-range.ts';
import { peek, poke } from '../../shared/atomics.ts';
import * as BOOT from '../../shared/layout/boot.ts';
import * as SPACE from '../../shared/layout/space.ts';
import { vpnOf } from '../../shared/units.ts';
import type { SpaceBlock, VirtAddr } from '../../shared/units.ts';
import { mappingFailure } from '../areas/mapping-result.ts';
import type { MappingResult } from '../areas/mapping-result.ts';
import type { Cpu } from '../machine/cpu.ts';
import { assertAreasHeld } from '../machine/held-locks.ts';
import { splitSpan, splitSpans } from '../paging/map-range.ts';
import { closeRange } from '../paging/range-op.ts';
import { openRange } from './open-range.ts';
import type { RangeOp } from '../paging/range-op.ts';
import type { Area } from './shared-area-store.ts';
import type { AreaSet } from './space.ts';

/** The part of an area that an operation works on. */
export interface AreaPart {
  readonly area: Area;
  readonly startAddress: VirtAddr;
  readonly endAddress: VirtAddr;
}

/** Divides the area around `address`, if there is one. */
export function splitAt(cpu: Cpu, space: SpaceBlock, areas: AreaSet, address: VirtAddr): void {
  assertAreasHeld(cpu, space);
  const area = areas.find(address);
  if (area === null || area.start === address) return;
  const op = openRange(cpu, space, vpnOf(address), vpnOf(address) + 1);
  divide(op, areas, address);
  closeRange(op);
}

/** Changes the flags of [startAddress, endAddress), but not its access. */
export function markRange(
  op: RangeOp,
  areas: AreaSet,
  startAddress: VirtAddr,
  endAddress: VirtAddr,
  flags: number,
): MappingResult {
  assertAreasHeld(op.cpu, op.space);
  if (!splitSpans(op, vpnOf(startAddress), vpnOf(endAddress))) {
    const range = new AddrRange(startAddress, endAddress);
    return mappingFailure('NoMemory', range, 'no frame for a page table');
  }
  op.flagsOnly = true;
  const result = areas.protect(startAddress, endAddress - startAddress, () => flags, op);
  op.flagsOnly = false;
  if (!result.ok) keepFirstSplit(op, areas, startAddress);
  return result;
}

/**
 * After a change of flags from `address` on that needed two splits and failed for want of room: if
 * there is room for one more area, the split at `address` stays (vma_modify). The range is still
 * open. A change that failed for want of frames leaves nothing behind.
 */
export function keepFirstSplit(op: RangeOp, areas: AreaSet, address: VirtAddr): void {
  assertAreasHeld(op.cpu, op.space);
  if (areas.len() + 1 === peek(op.cpu.words, BOOT.MAP_COUNT_MAX)) divide(op, areas, address);
}

/** Splits an area in two, if there is memory for it. */
function divide(op: RangeOp, areas: AreaSet, address: VirtAddr): void {
  const vpn = vpnOf(address);
  if (!splitSpan(op, vpn, vpn) || !areas.divide(address).ok) return;
  poke(op.cpu.words, op.space + SPACE.UNMERGED, 1);
}
