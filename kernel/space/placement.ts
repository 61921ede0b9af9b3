/**
 * Where a new area goes: at a fixed address, at the hint, or in the highest gap below MMAP_TOP; as
 * Linux x86-64 does it (get_unmapped_area, vm_unmapped_area), with a gap of STACK_GUARD_PAGES kept
 * free below an area that grows down.
 *
 * Locking: the areas' lock for reading.
 */
import { AddrRange } from '../../shared/addr/addr-range.ts';
import { EEXIST, EINVAL, ENOMEM, EPERM } from '../../shared/abi/errno.ts';
import {
  LOW_MMAP_END,
  LOW_MMAP_START,
  MMAP_MIN_ADDR,
  MMAP_TOP,
  PAGE_SIZE,
  STACK_GUARD_PAGES,
  USER_SPACE_END,
} from '../../shared/limits.ts';
import { MAP_32BIT, MAP_ABOVE4G, MAP_FIXED, MAP_FIXED_NOREPLACE } from '../../shared/abi/mman.ts';
import { addressOf, bytesOf, roundUpToPages, vpnOf } from '../../shared/units.ts';
import type { VirtAddr } from '../../shared/units.ts';
import { AREA_GROWSDOWN } from '../machine/area-flags.ts';
import type { Area, AreaSet } from './shared-area-store.ts';

const GUARD_BYTES = bytesOf(STACK_GUARD_PAGES);
const FIXED: number = MAP_FIXED | MAP_FIXED_NOREPLACE;
/**
 * Where the upward search starts when there is no gap below MMAP_TOP (Linux: TASK_UNMAPPED_BASE).
 */
const UNMAPPED_BASE: number = roundUpToPages(USER_SPACE_END / 3);

/** Whether mmap's flags ask for exactly that address. */
export function isFixed(mapFlags: number): boolean {
  return (mapFlags & FIXED) !== 0;
}

/** The address for `size` bytes, whole pages and at most USER_SPACE_END; or a negative errno. */
export function place(areas: AreaSet, address: VirtAddr, size: number, mapFlags: number): VirtAddr {
  if (isFixed(mapFlags)) return placeFixed(areas, address, size, mapFlags);
  const hint = hintOf(address);
  const low = (mapFlags & MAP_32BIT) !== 0;
  const end = low ? LOW_MMAP_END : USER_SPACE_END;
  if (size > end) return -ENOMEM;
  if (hint > 0 && hint <= end - size && isFree(areas, hint, size)) return hint;
  if (low) return searchUp(areas, size, LOW_MMAP_START, LOW_MMAP_END);
  const start = searchDown(areas, size, (mapFlags & MAP_ABOVE4G) !== 0 ? 2 ** 32 : MMAP_MIN_ADDR);
  return start < 0 ? searchUp(areas, size, UNMAPPED_BASE, USER_SPACE_END) : start;
}

/** The address that mmap tries first, 0 for none (round_hint_to_min). */
export function hintOf(address: VirtAddr): VirtAddr {
  const rounded = address > 0 ? addressOf(vpnOf(address)) : 0;
  return rounded > 0 ? Math.max(rounded, MMAP_MIN_ADDR) : 0;
}

function placeFixed(areas: AreaSet, address: VirtAddr, size: number, mapFlags: number): VirtAddr {
  if (address < 0 || address > USER_SPACE_END - size) return -ENOMEM;
  if (address % PAGE_SIZE !== 0) return -EINVAL;
  if (address < MMAP_MIN_ADDR) return -EPERM;
  if ((mapFlags & MAP_FIXED_NOREPLACE) === 0) return address;
  return areas.overlaps(AddrRange.fromStartSize(address, size)) ? -EEXIST : address;
}

/** The first address that must stay free below an area (Linux: vm_start_gap). */
export function startGap(area: Area): VirtAddr {
  const grows = (area.flags & AREA_GROWSDOWN) !== 0;
  return grows ? Math.max(0, area.start - GUARD_BYTES) : area.start;
}

/** Whether nothing is mapped in the range and no area grows into it. */
function isFree(areas: AreaSet, address: VirtAddr, size: number): boolean {
  const next = areas.nextArea(address);
  return next === null || address + size <= startGap(next);
}

/** The highest gap in [low, MMAP_TOP). Each iteration skips one area that grows. */
function searchDown(areas: AreaSet, size: number, low: VirtAddr): VirtAddr {
  let high = MMAP_TOP;
  while (high > low) {
    const limit = new AddrRange(low, high);
    const start = areas.findFreeAreaTopDown(size, limit, PAGE_SIZE);
    if (start === null) return -ENOMEM;
    const next = areas.nextArea(start + size);
    if (next === null || startGap(next) >= start + size) return start;
    high = startGap(next);
  }
  return -ENOMEM;
}

/** The lowest gap in [low, high). Each iteration skips one area that grows. */
function searchUp(areas: AreaSet, size: number, low: VirtAddr, high: VirtAddr): VirtAddr {
  let from = low;
  while (from < high) {
    const start = areas.findFreeArea(from, size, new AddrRange(low, high), PAGE_SIZE);
    if (start === null) return -ENOMEM;
    const next = areas.nextArea(start + size);
    // Linux compares with the last byte here.
    if (next === null || startGap(next) >= start + size - 1) return start;
    from = next.end;
  }
  return -ENOMEM;
}
