/*
 * One change of an area set, from the copies of the areas it concerns to their publication.
 *
 *     openEdit      copies the run of areas that the range meets        nothing changes
 *     reserveNodes  gets the nodes that splits will need                may fail: nothing changed
 *     cutArea …     applies area operations to the copies               may fail: abandonEdit
 *     mergeEdit     merges equal neighbours (area-merge.ts)             nothing changed yet
 *     publishEdit   writes the copies back                              cannot fail
 *
 * *Guarantees*: between openEdit and publishEdit the set is unchanged, so that giving up needs only
 * the page table's rollback. O(log n + k) nodes are touched for a run of k areas.
 * *Locking*: the area set's lock, held for writing over the whole edit.
 * *Not guaranteed*: an edit is neither reusable nor nestable.
 */
import { AddrRange } from '../../shared/addr/addr-range.ts';
import { panic } from '../../shared/panic.ts';
import type { AreaIndexStore, AreaStore, Side } from './area-store.ts';
import { treeAdopt, treeClose, treeFirstIn, treeNext, treeOpen, treeTouch } from './area-tree.ts';
import type { FlagsEqual } from './area-flag-values.ts';
import type { MappingBackend, PageTableLike } from './mapping-backend.ts';
import type { MappingFailure, MappingResult } from './mapping-result.ts';
import { MAPPED, mappingFailure } from './mapping-result.ts';
import type { MemoryArea } from './memory-area.ts';

/** An area of an edit: a private copy, and the node that holds it or will hold it. */
export interface Piece<F, P extends PageTableLike, B extends MappingBackend<F, P>> {
  readonly node: number;
  area: MemoryArea<F, P, B>;
  /** Made or changed by the operation, and so a candidate for merging. */
  changed: boolean;
}

export interface AreaEdit<F, P extends PageTableLike, B extends MappingBackend<F, P>> {
  readonly store: AreaStore<F, P, B>;
  /** The run: exactly its nodes start in [low, high). */
  low: number;
  high: number;
  /** The run's areas, which the operation changes. */
  readonly old: Piece<F, P, B>[];
  /** What takes the run's place, in address order. */
  readonly pieces: Piece<F, P, B>[];
  /** Nodes reserved: not yet used, and used for an area of the result. */
  readonly spares: number[];
  readonly taken: number[];
  /** Nodes of the run that are no longer needed. */
  readonly dropped: number[];
}

/** Starts an edit of the areas that share a byte with [start, end). */
export function openEdit<F, P extends PageTableLike, B extends MappingBackend<F, P>>(
  store: AreaStore<F, P, B>,
  start: number,
  end: number,
): AreaEdit<F, P, B> {
  const old: Piece<F, P, B>[] = [];
  const first = treeFirstIn(store, start, end);
  for (let node = first; node !== 0 && store.start(node) < end; node = treeNext(store, node)) {
    old.push({ node, area: store.readArea(node), changed: false });
  }
  const low = first === 0 ? start : store.start(first);
  const high = first === 0 ? start : end;
  return { store, low, high, old, pieces: [], spares: [], taken: [], dropped: [] };
}

/** Reserves `count` nodes; false, with nothing reserved, if the store does not have that many. */
export function reserveNodes<F, P extends PageTableLike, B extends MappingBackend<F, P>>(
  edit: AreaEdit<F, P, B>,
  count: number,
): boolean {
  for (let i = 0; i < count; i++) {
    const node = edit.store.allocNode();
    if (node === 0) {
      freeNodes(edit.store, edit.spares);
      return false;
    }
    edit.spares.push(node);
  }
  return true;
}

/** Adds `area` to the result, in `node` or, if that is 0, in a reserved node. */
export function keepArea<F, P extends PageTableLike, B extends MappingBackend<F, P>>(
  edit: AreaEdit<F, P, B>,
  node: number,
  area: MemoryArea<F, P, B>,
  changed = false,
): void {
  edit.pieces.push({ node: node === 0 ? takeSpare(edit, area.start) : node, area, changed });
}

/** Inserts a new area, in a reserved node, before the result's areas that lie above it. */
export function insertArea<F, P extends PageTableLike, B extends MappingBackend<F, P>>(
  edit: AreaEdit<F, P, B>,
  area: MemoryArea<F, P, B>,
): void {
  const { pieces } = edit;
  let index = pieces.length;
  while (index > 0 && (pieces[index - 1] as Piece<F, P, B>).area.start > area.start) index--;
  pieces.splice(index, 0, { node: takeSpare(edit, area.start), area, changed: true });
}

function takeSpare<F, P extends PageTableLike, B extends MappingBackend<F, P>>(
  edit: AreaEdit<F, P, B>,
  start: number,
): number {
  const node = edit.spares.pop() ?? panic('takeSpare: none reserved', start);
  edit.taken.push(node);
  treeAdopt(edit.store, node, start);
  return node;
}

/** Divides an area at an address inside it. The caller has checked that `pos` is inside. */
export function splitArea<F, P extends PageTableLike, B extends MappingBackend<F, P>>(
  area: MemoryArea<F, P, B>,
  pos: number,
): MemoryArea<F, P, B> {
  const parts = area.split(pos);
  return parts.ok ? parts.right : panic('splitArea:', parts.error.cause);
}

/** Unmaps the part of an area of the run that lies in [start, end), and keeps the rest. */
export function cutArea<F, P extends PageTableLike, B extends MappingBackend<F, P>>(
  edit: AreaEdit<F, P, B>,
  { node, area }: Piece<F, P, B>,
  start: number,
  end: number,
  pt: P,
): MappingResult {
  const keepsLeft = area.start < start;
  const keepsRight = area.end > end;
  if (!keepsLeft && !keepsRight) {
    edit.dropped.push(node);
    return area.unmapArea(pt);
  }
  const right = keepsLeft && keepsRight ? splitArea(area, end) : null;
  const result = keepsLeft
    ? area.shrinkRight(start - area.start, pt)
    : area.shrinkLeft(area.end - end, pt);
  if (!result.ok) return result;
  keepArea(edit, node, area);
  if (right !== null) keepArea(edit, 0, right);
  return result;
}

/** Gives the part of an area of the run in [start, end) new flags; null leaves it as it is. */
export function protectPart<F, P extends PageTableLike, B extends MappingBackend<F, P>>(
  edit: AreaEdit<F, P, B>,
  piece: Piece<F, P, B>,
  start: number,
  end: number,
  newFlags: F | null,
  flagsEqual: FlagsEqual<F>,
  pt: P,
): MappingResult {
  let { node, area } = piece;
  if (newFlags === null) {
    edit.pieces.push(piece);
    return MAPPED;
  }
  if (area.start < start) {
    const middle = splitArea(area, start);
    keepArea(edit, node, area);
    node = 0;
    area = middle;
  }
  const right = area.end > end ? splitArea(area, end) : null;
  const result = area.protectArea(newFlags, pt, flagsEqual);
  keepArea(edit, node, area, true);
  if (right !== null) keepArea(edit, 0, right);
  return result;
}

/** Extends the one area of the run by `extra` bytes on a side. */
export function growArea<F, P extends PageTableLike, B extends MappingBackend<F, P>>(
  edit: AreaEdit<F, P, B>,
  { node, area }: Piece<F, P, B>,
  extra: number,
  side: Side,
  pt: P,
): MappingResult {
  keepArea(edit, node, area, true);
  return side === 'left' ? area.extendLeft(extra, pt) : area.extendRight(extra, pt);
}

/** Gives the edit up: the set was not touched, the page table goes back to the checkpoint. */
export function undoEdit<F, P extends PageTableLike, B extends MappingBackend<F, P>>(
  edit: AreaEdit<F, P, B>,
  pt: P,
  checkpoint: number,
): boolean {
  freeNodes(edit.store, edit.taken);
  freeNodes(edit.store, edit.spares);
  return pt.rollback(checkpoint);
}

/** The same after a failure, which becomes NeedsRepair if the page table cannot be restored. */
export function abandonEdit<F, P extends PageTableLike, B extends MappingBackend<F, P>>(
  edit: AreaEdit<F, P, B>,
  pt: P,
  checkpoint: number,
  failure: MappingFailure,
): MappingFailure {
  if (undoEdit(edit, pt, checkpoint)) return failure;
  const { range, cause } = failure.error;
  return mappingFailure('NeedsRepair', range, `${cause}; the page table could not be restored`);
}

/** Writes the result into the set. Cannot fail. */
export function publishEdit<F, P extends PageTableLike, B extends MappingBackend<F, P>>(
  edit: AreaEdit<F, P, B>,
): void {
  const { store, old, pieces } = edit;
  store.beginChange();
  // The common case, one area that only changed: no other node has to move.
  const inPlace = old.length === 1 && pieces.length === 1 && old[0]?.node === pieces[0]?.node;
  const open = inPlace ? null : treeOpen(store, edit.low, edit.high);
  const nodes: number[] = [];
  for (let i = 0; i < pieces.length; i++) {
    const { node, area } = pieces[i] as Piece<F, P, B>;
    store.writeArea(node, area);
    nodes.push(node);
  }
  if (open === null) {
    treeTouch(store, nodes[0] as number);
  } else {
    treeClose(store, open, nodes);
    store.setCount(store.count() - old.length + pieces.length);
  }
  store.endChange();
  freeNodes(store, edit.dropped);
  freeNodes(store, edit.spares);
}

function freeNodes<F, P extends PageTableLike, B extends MappingBackend<F, P>>(
  store: AreaStore<F, P, B>,
  nodes: number[],
): void {
  for (let i = 0; i < nodes.length; i++) store.freeNode(nodes[i] as number);
}

/** The failure that names the first area in [start, end), or null where there is none. */
export function refuseOverlap(
  store: AreaIndexStore,
  start: number,
  end: number,
): MappingFailure | null {
  const node = treeFirstIn(store, start, end);
  if (node === 0) return null;
  const overlap = new AddrRange(Math.max(start, store.start(node)), Math.min(end, store.end(node)));
  return mappingFailure('AlreadyExists', overlap, 'the range is mapped already');
}
