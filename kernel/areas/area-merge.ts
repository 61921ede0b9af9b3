/*
 * When touching areas become one: those that an edit made or changed, and what they touch.
 *
 * *Guarantees*: merging calls no backend operation but canMerge and changes no page table, and no
 * area of the set: only the edit, which is then published or given up.
 * *Locking*: the area set's lock, as for the whole edit. *Not guaranteed*: nothing about areas that
 * do not touch, whatever they have in common.
 */
import type { AreaEdit, Piece } from './area-edit.ts';
import type { Side } from './area-store.ts';
import { treeEndingAfter, treeNext, treePrevious, treeStartingBefore } from './area-tree.ts';
import type { MappingBackend, PageTableLike } from './mapping-backend.ts';
import { MemoryArea } from './memory-area.ts';

/** Whether two sets of flags are the same. Must be pure. */
export type FlagsEqual<F> = (left: F, right: F) => boolean;

/** Whether two areas in address order touch and are one mapping: they must then be one area. */
export function canMergeAreas<F, P extends PageTableLike, B extends MappingBackend<F, P>>(
  left: MemoryArea<F, P, B>,
  right: MemoryArea<F, P, B>,
  flagsEqual: FlagsEqual<F>,
): boolean {
  if (left.end !== right.start || !flagsEqual(left.flags, right.flags)) return false;
  return left.backend.canMerge(left.vaRange, right.backend, right.vaRange);
}

/** Merges what the edit changed with what it touches. Changes the edit only; not to be repeated. */
export function mergeEdit<F, P extends PageTableLike, B extends MappingBackend<F, P>>(
  edit: AreaEdit<F, P, B>,
  flagsEqual: FlagsEqual<F>,
  sides: Side | 'both' = 'both',
): void {
  takeInNeighbours(edit, flagsEqual, sides);
  mergePieces(edit, flagsEqual);
}

/** Adds the areas just outside to the edit, where they are going to merge with the result. */
function takeInNeighbours<F, P extends PageTableLike, B extends MappingBackend<F, P>>(
  edit: AreaEdit<F, P, B>,
  flagsEqual: FlagsEqual<F>,
  sides: Side | 'both',
): void {
  const { store, old, pieces } = edit;
  const first = pieces[0];
  const last = pieces[pieces.length - 1];
  if (first === undefined || last === undefined) return;
  const firstOld = old[0];
  const lastOld = old[old.length - 1];
  const below = firstOld ? treePrevious(store, firstOld.node) : treeStartingBefore(store, edit.low);
  const above = lastOld ? treeNext(store, lastOld.node) : treeEndingAfter(store, edit.low);
  if (sides !== 'right' && first.changed && below !== 0 && store.end(below) === first.area.start) {
    const area = store.readArea(below);
    if (canMergeAreas(area, first.area, flagsEqual)) {
      const piece = { node: below, area, changed: false };
      old.unshift(piece);
      pieces.unshift(piece);
      edit.low = area.start;
    }
  }
  if (sides !== 'left' && last.changed && above !== 0 && store.start(above) === last.area.end) {
    const area = store.readArea(above);
    if (canMergeAreas(last.area, area, flagsEqual)) {
      const piece = { node: above, area, changed: false };
      old.push(piece);
      pieces.push(piece);
      edit.high = area.start + 1;
    }
  }
}

/**
 * Merges what can merge. Of two that merge at least one was changed: two that the operation left
 * alone stay two. A merged area lives on in the node of its leftmost part.
 */
function mergePieces<F, P extends PageTableLike, B extends MappingBackend<F, P>>(
  edit: AreaEdit<F, P, B>,
  flagsEqual: FlagsEqual<F>,
): void {
  const { pieces, dropped } = edit;
  let kept = 0;
  for (let i = 0; i < pieces.length; i++) {
    const piece = pieces[i] as Piece<F, P, B>;
    const last = kept === 0 ? undefined : pieces[kept - 1];
    if (
      last !== undefined &&
      (last.changed || piece.changed) &&
      canMergeAreas(last.area, piece.area, flagsEqual)
    ) {
      last.area = mergedArea(last.area, piece.area);
      last.changed = true;
      dropped.push(piece.node);
    } else {
      pieces[kept] = piece;
      kept++;
    }
  }
  // To set a length costs 30 ns even where it stays the same.
  if (kept !== pieces.length) pieces.length = kept;
}

function mergedArea<F, P extends PageTableLike, B extends MappingBackend<F, P>>(
  left: MemoryArea<F, P, B>,
  right: MemoryArea<F, P, B>,
): MemoryArea<F, P, B> {
  const backend = left.backend.merged(right.backend) as B;
  const size = right.end - left.start;
  return new MemoryArea<F, P, B>(left.start, size, left.flags, backend, 'FullMapped');
}
