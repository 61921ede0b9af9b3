/*
 * What an operation of MemorySet does to an open edit, as data: everything that can fail.
 *
 * *Guarantees*: only the edit and the page table change, so that the caller can undo both, whatever
 * happens here. Backends are called in ascending address order; what is new is mapped last.
 * *Locking*: the area set's lock for writing. *Not guaranteed*: that a backend does not throw.
 */
import { cutArea, growArea, insertArea, protectPart } from './area-edit.ts';
import type { AreaEdit, Piece } from './area-edit.ts';
import type { FlagsEqual } from './area-flag-values.ts';
import { mergeEdit } from './area-merge.ts';
import type { AreaIndexStore, Side } from './area-store.ts';
import type { MappingBackend, PageTableLike } from './mapping-backend.ts';
import { MAPPED, noNodes } from './mapping-result.ts';
import type { MappingResult } from './mapping-result.ts';
import type { MemoryArea } from './memory-area.ts';

/** What an operation does to the run of areas that it meets. */
export interface AreaChange<F, P extends PageTableLike, B extends MappingBackend<F, P>> {
  readonly start: number;
  readonly end: number;
  /** New areas that it may make. */
  readonly nodes: number;
  /** What is mapped at the end; null for nothing. */
  readonly area: MemoryArea<F, P, B> | null;
  /** The new flags of each area, null for those it keeps; null if the range is unmapped. */
  readonly flags: readonly (F | null)[] | null;
  /** On which side the one area of the run grows into the range; both: it does not. */
  readonly side: Side | 'both';
}

/** Carries a change out on the copies of the edit, and merges what can merge. */
export function carryOut<F, P extends PageTableLike, B extends MappingBackend<F, P>>(
  edit: AreaEdit<F, P, B>,
  { start, end, area, flags, side }: AreaChange<F, P, B>,
  flagsEqual: FlagsEqual<F>,
  pt: P,
): MappingResult {
  for (let i = 0; i < edit.old.length; i++) {
    const piece = edit.old[i] as Piece<F, P, B>;
    let result: MappingResult;
    if (side !== 'both') result = growArea(edit, piece, end - start, side, pt);
    else if (flags === null) result = cutArea(edit, piece, start, end, pt);
    else result = protectPart(edit, piece, start, end, flags[i] as F | null, flagsEqual, pt);
    if (!result.ok) return result;
  }
  if (area !== null) insertArea(edit, area);
  mergeEdit(edit, flagsEqual, side);
  const more = edit.pieces.length - edit.old.length;
  if (flags !== null && more > 0 && isFull(edit.store, more)) return noNodes(start, end);
  // Last, so that the caller's area is still Created after every failure.
  return area === null ? MAPPED : area.mapArea(pt);
}

/** Whether `more` areas would exceed the most that the store allows. */
export function isFull(store: AreaIndexStore, more: number): boolean {
  return store.count() + more > store.countMax();
}
