/**
 * Where Linux puts mappings for which it could use huge pages: at addresses that are, like the
 * offset, a multiple of 2 MiB (thp_get_unmapped_area). This machine's superpages have 4 MiB, and
 * such mappings fill their page tables better, too.
 *
 * Locking: the areas' lock for reading.
 */
import type { VirtAddr } from '../../shared/units.ts';
import type { ObjectKind } from '../objects/kinds.ts';
import type { AreaSet } from './shared-area-store.ts';
import { hintOf, isFixed, place } from './placement.ts';

const HUGE_BYTES: number = 2 ** 21;

/**
 * As `place`, for `size` bytes of an object of `kind` from byte `offset` on. Private anonymous
 * memory (offset 0) is aligned if it has no hint and consists of whole huge pages, a file on a disk
 * if it has one whole huge page; all else is not.
 */
export function placeObject(
  areas: AreaSet,
  address: VirtAddr,
  size: number,
  mapFlags: number,
  kind: ObjectKind,
  offset: number,
): VirtAddr {
  if (isFixed(mapFlags) || !isAligned(kind, address, size, offset)) {
    return place(areas, address, size, mapFlags);
  }
  const padded = place(areas, address, size + HUGE_BYTES, mapFlags);
  if (padded < 0) return place(areas, address, size, mapFlags);
  if (padded === hintOf(address)) return padded;
  const rest = (((offset - padded) % HUGE_BYTES) + HUGE_BYTES) % HUGE_BYTES;
  // The highest place of the two.
  return rest === 0 ? padded + HUGE_BYTES : padded + rest;
}

function isAligned(kind: ObjectKind, address: VirtAddr, size: number, offset: number): boolean {
  switch (kind.hugePlacement) {
    case 'whole':
      return hintOf(address) === 0 && size % HUGE_BYTES === 0;
    case 'part': {
      const first = Math.ceil(offset / HUGE_BYTES) * HUGE_BYTES;
      return offset + size - first >= HUGE_BYTES;
    }
    default:
      return false;
  }
}
