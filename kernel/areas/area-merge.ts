/*
 * When touching areas become one: those that an edit made or changed, and what they touch.
 *
 * *Guarantees*: merging calls no backend operation but canMerge and changes no page table, and no
 * area of the set: only the edit, which is then published or given up.
 * *Locking*: the area set's lock, as for the whole edit. *Not guaranteed*: nothing about areas that
 * do not touch, whatever they have in common.
 */
import type { AreaEdit } from './area-edit.ts';
import type { AreaStore, Side } from './area-store.ts';
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
  store: AreaStore<F, P, B>,
  edit: AreaEdit<F, P, B>,
  flagsEqual: FlagsEqual<F>,
  sides: Side | 'both' = 'both',
): void {
  takeInNeighbours(store, edit, flagsEqual, sides);
  mergeEqual(edit.nodes, edit.areas, edit.changed, edit.dropped, flagsEqual);
}

/** Adds the areas just outside to the edit, where they are going to merge with the result. */
function takeInNeighbours<F, P extends PageTableLike, B extends MappingBackend<F, P>>(
  store: AreaStore<F, P, B>,
  edit: AreaEdit<F, P, B>,
  flagsEqual: FlagsEqual<F>,
  sides: Side | 'both',
): void {
  const { oldNodes, nodes, areas, changed } = edit;
  const first = areas[0];
  const last = areas[areas.length - 1];
  if (first === undefined || last === undefined) return;
  const firstOld = oldNodes[0] ?? 0;
  const lastOld = oldNodes[oldNodes.length - 1] ?? 0;
  const below = firstOld ? treePrevious(store, firstOld) : treeStartingBefore(store, edit.low);
  const above = lastOld ? treeNext(store, lastOld) : treeEndingAfter(store, edit.low);
  const isFirstChanged = sides !== 'right' && changed[0] === true;
  if (below !== 0 && isFirstChanged && store.end(below) === first.start) {
    const area = store.readArea(below);
    if (canMergeAreas(area, first, flagsEqual)) {
      oldNodes.unshift(below);
      nodes.unshift(below);
      areas.unshift(area);
      changed.unshift(false);
      edit.low = area.start;
    }
  }
  const isLastChanged = sides !== 'left' && changed[changed.length - 1] === true;
  if (above !== 0 && isLastChanged && store.start(above) === last.end) {
    const area = store.readArea(above);
    if (canMergeAreas(last, area, flagsEqual)) {
      oldNodes.push(above);
      nodes.push(above);
      areas.push(area);
      changed.push(false);
      edit.high = area.start + 1;
    }
  }
}

/**
 * Merges what can merge in a run of areas in address order, each in the node of the same index.
 * Of two that merge at least one is `changed`: two that an operation left alone stay two, as in
 * Linux. A merged area lives on in the node of its leftmost part; the others go to `dropped`.
 */
function mergeEqual<F, P extends PageTableLike, B extends MappingBackend<F, P>>(
  nodes: number[],
  areas: MemoryArea<F, P, B>[],
  changed: boolean[],
  dropped: number[],
  flagsEqual: FlagsEqual<F>,
): void {
  let kept = 0;
  for (let i = 0; i < areas.length; i++) {
    const area = areas[i] as MemoryArea<F, P, B>;
    const node = nodes[i] as number;
    const last = kept === 0 ? undefined : areas[kept - 1];
    const isChanged = changed[i] === true;
    const concerned = isChanged || (kept > 0 && changed[kept - 1] === true);
    if (last !== undefined && concerned && canMergeAreas(last, area, flagsEqual)) {
      const size = area.end - last.start;
      const backend = last.backend.merged(area.backend) as B;
      areas[kept - 1] = new MemoryArea<F, P, B>(
        last.start,
        size,
        last.flags,
        backend,
        'FullMapped',
      );
      changed[kept - 1] = true;
      dropped.push(node);
    } else {
      areas[kept] = area;
      nodes[kept] = node;
      changed[kept] = isChanged;
      kept++;
    }
  }
  // To set a length costs 30 ns even where it stays the same.
  if (kept === areas.length) return;
  areas.length = kept;
  nodes.length = kept;
  changed.length = kept;
}
