/*
 * When touching areas become one: those that an edit made or changed, and what they touch.
 *
 * *Guarantees*: merging changes only the edit, which is then published or given up: neither a page
 * table nor an area of the set. Of the backend it calls only canMerge and merged.
 * *Locking*: the area set's lock, as for the whole edit. *Not guaranteed*: anything about areas
 * that do not touch, however alike they are.
 */
import type { AreaEdit, Piece } from './area-edit.ts';
import type { FlagsEqual } from './area-flag-values.ts';
import type { Side } from './area-store.ts';
import { treeBeside, treeFind } from './area-tree.ts';
import type { MappingBackend, PageTableLike } from './mapping-backend.ts';
import { MemoryArea } from './memory-area.ts';

/** Whether two areas in address order touch and are one mapping: they must then be one area. */
export function canMergeAreas<F, P extends PageTableLike, B extends MappingBackend<F, P>>(
  left: MemoryArea<F, P, B>,
  right: MemoryArea<F, P, B>,
  flagsEqual: FlagsEqual<F>,
): boolean {
  if (left.end !== right.start || !flagsEqual(left.flags, right.flags)) return false;
  const { backend } = left;
  if (backend.canMerge === undefined) return backend === right.backend;
  return backend.canMerge(left.vaRange, right.backend, right.vaRange);
}

/**
 * Merges areas that the edit changed with those they touch. Changes only the edit; call it once.
 */
export function mergeEdit<F, P extends PageTableLike, B extends MappingBackend<F, P>>(
  edit: AreaEdit<F, P, B>,
  flagsEqual: FlagsEqual<F>,
  sides: Side | 'both' = 'both',
): void {
  if (sides !== 'right') takeInNeighbour(edit, flagsEqual, 'left');
  if (sides !== 'left') takeInNeighbour(edit, flagsEqual, 'right');
  mergePieces(edit, flagsEqual);
}

/** Adds the area just outside to the edit if it is going to merge with the result. */
function takeInNeighbour<F, P extends PageTableLike, B extends MappingBackend<F, P>>(
  edit: AreaEdit<F, P, B>,
  flagsEqual: FlagsEqual<F>,
  side: Side,
): void {
  const { store, old, pieces } = edit;
  const isLeft = side === 'left';
  const piece = pieces[isLeft ? 0 : pieces.length - 1];
  if (piece === undefined || !piece.changed) return;
  const outermost = old[isLeft ? 0 : old.length - 1];
  const beside = isLeft ? piece.area.start - 1 : piece.area.end;
  const node = outermost ? treeBeside(store, outermost.node, side) : treeFind(store, beside);
  if (node === 0 || store.start(node) > beside || store.end(node) <= beside) return;
  const neighbour = { node, area: store.readArea(node), changed: false };
  const [left, right] = isLeft ? [neighbour, piece] : [piece, neighbour];
  if (!canMergeAreas(left.area, right.area, flagsEqual)) return;
  if (isLeft) {
    old.unshift(neighbour);
    pieces.unshift(neighbour);
    edit.low = neighbour.area.start;
  } else {
    old.push(neighbour);
    pieces.push(neighbour);
    edit.high = neighbour.area.start + 1;
  }
}

/**
 * Merges what can merge. Of two areas that merge, at least one was changed: two that the operation
 * left alone stay two. A merged area lives on in the node of its leftmost part.
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
  // Setting a length costs 30 ns even if it stays the same.
  if (kept !== pieces.length) pieces.length = kept;
}

function mergedArea<F, P extends PageTableLike, B extends MappingBackend<F, P>>(
  left: MemoryArea<F, P, B>,
  right: MemoryArea<F, P, B>,
): MemoryArea<F, P, B> {
  const { backend: own } = left;
  const backend = own.merged === undefined ? own : (own.merged(right.backend) as B);
  const size = right.end - left.start;
  return new MemoryArea<F, P, B>(left.start, size, left.flags, backend, 'FullMapped');
}
