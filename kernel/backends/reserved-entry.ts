/**
 * The entries that stand for an area's pages where nothing has been entered: what mapping the area
 * writes, and what is left when its pages are taken out again.
 */
import * as pte from '../../shared/pte.ts';
import { AREA_PROT, AREA_SHARED } from '../areas/area-flags.ts';
import type { Area } from '../areas/shared-area-store.ts';
import { ANONYMOUS } from '../objects/record.ts';

/** The kind of entry by which a fault on an untouched page of the area is resolved. */
export function reservedKindOf(area: Area): number {
  if (area.backend.record === ANONYMOUS) return pte.RESERVED_LAZY;
  return area.backend.kind === 'device' ? pte.RESERVED_DEVICE : pte.RESERVED_OBJECT;
}

/** The entry of an untouched page. Not for a linear area, whose pages are always present. */
export function reservedEntryOf(area: Area): number {
  return entryOf(area, reservedKindOf(area));
}

/** The entry of a guard in the area: it keeps what the area allows, for when it is removed. */
export function guardEntryOf(area: Area): number {
  return entryOf(area, pte.RESERVED_GUARD);
}

function entryOf(area: Area, kind: number): number {
  const rwx = pte.rwxOfProt(area.flags & AREA_PROT);
  return pte.makeReserved(kind, area.backend.record, rwx, (area.flags & AREA_SHARED) !== 0);
}
