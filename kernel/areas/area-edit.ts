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
import { panic } from '../../shared/panic.ts';
import type { AreaStore } from './area-store.ts';
import { treeAdopt, treeClose, treeFirstIn, treeNext, treeOpen, treeTouch } from './area-tree.ts';
import type { MappingBackend, PageTableLike } from './mapping-backend.ts';
import type { MappingFailure, MappingResult } from './mapping-result.ts';
import { MAPPED, mappingFailure } from './mapping-result.ts';
import type { MemoryArea } from './memory-area.ts';

export interface AreaEdit<F, P extends PageTableLike, B extends MappingBackend<F, P>> {
  /** The run: exactly its nodes start in [low, high). */
  low: number;
  high: number;
  readonly oldNodes: number[];
  /** Private copies of the run's areas, which the operation changes. */
  readonly oldAreas: MemoryArea<F, P, B>[];
  /** What takes the run's place, in address order. */
  readonly nodes: number[];
  readonly areas: MemoryArea<F, P, B>[];
  /** Which of them are new or were changed, and so merge with what they touch. */
  readonly changed: boolean[];
  /** Nodes reserved: not yet used, and used for an area of the result. */
  readonly spares: number[];
  readonly taken: number[];
  /** Of the run, and no longer needed. */
  readonly dropped: number[];
}

/** Starts an edit of the areas that share a byte with [start, end). */
export function openEdit<F, P extends PageTableLike, B extends MappingBackend<F, P>>(
  store: AreaStore<F, P, B>,
  start: number,
  end: number,
): AreaEdit<F, P, B> {
  const oldNodes: number[] = [];
  const oldAreas: MemoryArea<F, P, B>[] = [];
  const first = treeFirstIn(store, start, end);
  for (let node = first; node !== 0 && store.start(node) < end; node = treeNext(store, node)) {
    oldNodes.push(node);
    oldAreas.push(store.readArea(node));
  }
  const low = first === 0 ? start : store.start(first);
  const high = first === 0 ? start : end;
  return {
    low,
    high,
    oldNodes,
    oldAreas,
    nodes: [],
    areas: [],
    changed: [],
    spares: [],
    taken: [],
    dropped: [],
  };
}

/** Reserves `count` nodes; false, with nothing reserved, if the store has not that many. */
export function reserveNodes<F, P extends PageTableLike, B extends MappingBackend<F, P>>(
  store: AreaStore<F, P, B>,
  edit: AreaEdit<F, P, B>,
  count: number,
): boolean {
  for (let i = 0; i < count; i++) {
    const node = store.allocNode();
    if (node === 0) {
      freeNodes(store, edit.spares);
      return false;
    }
    edit.spares.push(node);
  }
  return true;
}

/** Adds `area` to the result, in `node` or, if that is 0, in a reserved node. */
export function keepArea<F, P extends PageTableLike, B extends MappingBackend<F, P>>(
  store: AreaStore<F, P, B>,
  edit: AreaEdit<F, P, B>,
  node: number,
  area: MemoryArea<F, P, B>,
  changed = false,
): void {
  edit.areas.push(area);
  edit.changed.push(changed);
  edit.nodes.push(node === 0 ? takeSpare(store, edit, area.start) : node);
}

/** Puts a new area, in a reserved node, before those of the result that lie above it. */
export function insertArea<F, P extends PageTableLike, B extends MappingBackend<F, P>>(
  store: AreaStore<F, P, B>,
  edit: AreaEdit<F, P, B>,
  area: MemoryArea<F, P, B>,
): void {
  let index = 0;
  while (index < edit.areas.length && (edit.areas[index]?.end ?? 0) <= area.start) index++;
  edit.areas.splice(index, 0, area);
  edit.changed.splice(index, 0, true);
  edit.nodes.splice(index, 0, takeSpare(store, edit, area.start));
}

function takeSpare<F, P extends PageTableLike, B extends MappingBackend<F, P>>(
  store: AreaStore<F, P, B>,
  edit: AreaEdit<F, P, B>,
  start: number,
): number {
  const node = edit.spares.pop() ?? panic('takeSpare: more splits than nodes reserved', start);
  edit.taken.push(node);
  treeAdopt(store, node, start);
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

/** Unmaps what old area `index` has in [start, end), and keeps what it has outside. */
export function cutArea<F, P extends PageTableLike, B extends MappingBackend<F, P>>(
  store: AreaStore<F, P, B>,
  edit: AreaEdit<F, P, B>,
  index: number,
  start: number,
  end: number,
  pt: P,
): MappingResult {
  const node = edit.oldNodes[index] as number;
  const area = edit.oldAreas[index] as MemoryArea<F, P, B>;
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
  keepArea(store, edit, node, area);
  if (right !== null) keepArea(store, edit, 0, right);
  return result;
}

/** Gives what old area `index` has in [start, end) new flags; null keeps the area as it is. */
export function protectPart<F, P extends PageTableLike, B extends MappingBackend<F, P>>(
  store: AreaStore<F, P, B>,
  edit: AreaEdit<F, P, B>,
  index: number,
  start: number,
  end: number,
  newFlags: F | null,
  pt: P,
): MappingResult {
  let node = edit.oldNodes[index] as number;
  let area = edit.oldAreas[index] as MemoryArea<F, P, B>;
  if (newFlags === null) {
    keepArea(store, edit, node, area);
    return MAPPED;
  }
  if (area.start < start) {
    const middle = splitArea(area, start);
    keepArea(store, edit, node, area);
    node = 0;
    area = middle;
  }
  const right = area.end > end ? splitArea(area, end) : null;
  const result = area.protectArea(newFlags, pt);
  keepArea(store, edit, node, area, true);
  if (right !== null) keepArea(store, edit, 0, right);
  return result;
}

/** Gives up: the set was not touched, the page table goes back to the checkpoint. */
export function abandonEdit<F, P extends PageTableLike, B extends MappingBackend<F, P>>(
  store: AreaStore<F, P, B>,
  edit: AreaEdit<F, P, B>,
  pt: P,
  checkpoint: number,
  failure: MappingFailure,
): MappingFailure {
  freeNodes(store, edit.taken);
  freeNodes(store, edit.spares);
  if (pt.rollback(checkpoint)) return failure;
  return mappingFailure(
    'NeedsRepair',
    failure.error.range,
    `${failure.error.cause}; the page table could not be restored`,
  );
}

/** Writes the result into the set. Cannot fail. */
export function publishEdit<F, P extends PageTableLike, B extends MappingBackend<F, P>>(
  store: AreaStore<F, P, B>,
  edit: AreaEdit<F, P, B>,
): void {
  const { oldNodes, nodes, areas } = edit;
  store.beginChange();
  // The common case, one area that only changed: no other node has to move.
  const inPlace = oldNodes.length === 1 && nodes.length === 1 && oldNodes[0] === nodes[0];
  const open = inPlace ? null : treeOpen(store, edit.low, edit.high);
  for (let i = 0; i < nodes.length; i++) {
    store.writeArea(nodes[i] as number, areas[i] as MemoryArea<F, P, B>);
  }
  if (open === null) {
    treeTouch(store, nodes[0] as number);
  } else {
    treeClose(store, open, nodes);
    store.setCount(store.count() - oldNodes.length + nodes.length);
  }
  store.endChange();
  freeNodes(store, edit.dropped);
  freeNodes(store, edit.spares);
}

function freeNodes<F, P extends PageTableLike, B extends MappingBackend<F, P>>(
  store: AreaStore<F, P, B>,
  nodes: number[],
): void {
  if (nodes.length === 0) return;
  for (let i = 0; i < nodes.length; i++) store.freeNode(nodes[i] as number);
  nodes.length = 0;
}
