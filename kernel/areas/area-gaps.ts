/*
 * Search for free address ranges by the gap summaries of the area tree, lowest or highest first.
 *
 * *Guarantees*: the answer is the lowest (highest) aligned fit within the limit, or -1. O(log n)
 * nodes are touched for each gap that is long enough but does not fit once aligned or limited; when
 * areas, size and alignment are multiples of a page, the first gap within the limit that is long
 * enough fits.
 * *Locking*: the area set's lock for reading. *Not guaranteed*: arguments are not checked here;
 * MemorySet checks them.
 */
import { AddrRange } from '../../shared/addr/addr-range.ts';
import { isAddr, isPowerOfTwo } from '../../shared/addr/addr.ts';
import type { AreaIndexStore, Side } from './area-store.ts';
import {
  opposite,
  treeChild,
  treeEndingAfter,
  treeGapTo,
  treeNext,
  treeOutermost,
  treePrevious,
  treeStartingBefore,
} from './area-tree.ts';

/** No such address; addresses are not negative. */
export const NO_GAP = -1;

/** Whether a gap of that size and alignment can be asked for: whole units, and at least one. */
export function isGapRequest(size: number, align: number): boolean {
  return isAddr(size) && size > 0 && isPowerOfTwo(align) && size % align === 0;
}

/** The lowest aligned start of `size` free bytes within [low, high), or NO_GAP. */
export function lowestGap(
  store: AreaIndexStore,
  low: number,
  high: number,
  size: number,
  align: number,
): number {
  let gapStart = low;
  let node = treeEndingAfter(store, low);
  // `low` may lie inside an area; the first gap to look at then begins after that area.
  if (node !== 0 && store.start(node) <= low) {
    gapStart = store.end(node);
    node = treeNext(store, node);
  }
  while (gapStart < high) {
    const gapEnd = node === 0 ? high : Math.min(store.start(node), high);
    const rest = gapStart % align;
    // Compare lengths: a sum could exceed the integers that a number holds exactly.
    const skip = rest === 0 ? 0 : align - rest;
    if (gapEnd - gapStart >= skip && gapEnd - gapStart - skip >= size) return gapStart + skip;
    if (node === 0) return NO_GAP;
    node = nodeBeyondGap(store, node, size, 'right');
    gapStart = node === 0 ? store.maxEnd(store.root()) : store.end(treePrevious(store, node));
  }
  return NO_GAP;
}

/** The first unmapped part of `range`, or null if all of it is mapped. */
export function firstHoleIn(store: AreaIndexStore, range: AddrRange): AddrRange | null {
  const start = lowestGap(store, range.start, range.end, 1, 1);
  if (start === NO_GAP) return null;
  const next = treeEndingAfter(store, start);
  return new AddrRange(start, next === 0 ? range.end : Math.min(store.start(next), range.end));
}

/** The highest aligned start of `size` free bytes within [low, high), or NO_GAP. */
export function highestGap(
  store: AreaIndexStore,
  low: number,
  high: number,
  size: number,
  align: number,
): number {
  let gapEnd = high;
  let node = treeStartingBefore(store, high);
  if (node !== 0 && store.end(node) >= high) {
    gapEnd = store.start(node);
    node = treePrevious(store, node);
  }
  while (gapEnd > low) {
    const gapStart = node === 0 ? low : Math.max(store.end(node), low);
    if (gapEnd - gapStart >= size) {
      const start = gapEnd - size - ((gapEnd - size) % align);
      if (start >= gapStart) return start;
    }
    if (node === 0) return NO_GAP;
    node = nodeBeyondGap(store, node, size, 'left');
    gapEnd = node === 0 ? store.minStart(store.root()) : store.start(treeNext(store, node));
  }
  return NO_GAP;
}

/**
 * The first node on that side of `from` that has at least `size` free bytes just before it, seen
 * from `from`; 0 if there is none.
 */
function nodeBeyondGap(store: AreaIndexStore, from: number, size: number, side: Side): number {
  const back = opposite(side);
  let node = from;
  for (;;) {
    const under = treeChild(store, node, side);
    if (under !== 0) {
      if (treeGapTo(store, node, under, side) >= size) return treeOutermost(store, under, back);
      if (store.maxGap(under) >= size) return firstBeyondGap(store, under, size, side);
    }
    // The subtree is done: its last area borders on the first ancestor that lies beyond it.
    let child = node;
    node = store.parent(child);
    while (node !== 0 && treeChild(store, node, side) === child) {
      child = node;
      node = store.parent(child);
    }
    if (node === 0 || treeGapTo(store, node, child, back) >= size) return node;
  }
}

/** As nodeBeyondGap, within the subtree under `top`, whose maxGap promises such a gap. */
function firstBeyondGap(store: AreaIndexStore, top: number, size: number, side: Side): number {
  const back = opposite(side);
  let node = top;
  for (;;) {
    const near = treeChild(store, node, back);
    if (near !== 0 && store.maxGap(near) >= size) {
      node = near;
      continue;
    }
    if (near !== 0 && treeGapTo(store, node, near, back) >= size) return node;
    const far = treeChild(store, node, side);
    if (treeGapTo(store, node, far, side) >= size) return treeOutermost(store, far, back);
    node = far;
  }
}
