/*
 * What an operation of MemorySet does to an open edit, as data: everything that can fail.
 *
 * *Guarantees*: only the edit and the page table change, so that the caller can undo both, whatever
 * happens here. Backends are called in ascending address order; what is new is mapped last.
 * *Locking*: the area set's lock for writing. *Not guaranteed*: that a backend does not throw.
 */
import { cutArea, growArea, insertArea, protectPart, splitArea } from './area-edit.ts';
import type { AreaEdit, Piece } from './area-edit.ts';
import type { FlagsEqual } from './area-flag-values.ts';
import { mergeEdit } from './area-merge.ts';
import type { AreaIndexStore, Side } from './area-store.ts';
import type { MappingBackend, PageTableLike } from './mapping-backend.ts';
import { MAPPED, noNodes } from './mapping-result.ts';
import type { MappingResult } from './mapping-result.ts';
import { MemoryArea } from './memory-area.ts';

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
  change: AreaChange<F, P, B>,
  flagsEqual: FlagsEqual<F>,
  pt: P,
): MappingResult {
  const { start, end, nodes, area, flags, side } = change;
  // Before a permission changes: others would use it until it is taken back.
  if (flags !== null && isFull(edit.store, nodes)) {
    const more = moreAreas(edit, change, flags, flagsEqual);
    if (more > 0 && isFull(edit.store, more)) return noNodes(start, end);
  }
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
  // Last, so that the caller's area is still Created after every failure.
  return area === null ? MAPPED : area.mapArea(pt);
}

/** How many areas a change of flags adds to the set, once what can merge has merged. */
function moreAreas<F, P extends PageTableLike, B extends MappingBackend<F, P>>(
  edit: AreaEdit<F, P, B>,
  { start, end }: AreaChange<F, P, B>,
  flags: readonly (F | null)[],
  flagsEqual: FlagsEqual<F>,
): number {
  const trial = { ...edit, old: [...edit.old], pieces: [] as Piece<F, P, B>[], dropped: [] };
  for (let i = 0; i < edit.old.length; i++) {
    const { node } = edit.old[i] as Piece<F, P, B>;
    const newFlags = flags[i] as F | null;
    let area = edit.store.readArea(node);
    if (newFlags !== null && area.start < start) {
      trial.pieces.push({ node, area, changed: false });
      area = splitArea(area, start);
    }
    const right = newFlags !== null && area.end > end ? splitArea(area, end) : null;
    if (newFlags !== null) {
      const { start: at, size, backend } = area;
      area = new MemoryArea<F, P, B>(at, size, newFlags, backend, 'FullMapped');
    }
    trial.pieces.push({ node, area, changed: newFlags !== null });
    if (right !== null) trial.pieces.push({ node, area: right, changed: false });
  }
  mergeEdit(trial, flagsEqual);
  return trial.pieces.length - trial.old.length;
}

/** Whether `more` areas would exceed the most that the store allows. */
export function isFull(store: AreaIndexStore, more: number): boolean {
  return store.count() + more > store.countMax();
}
