/*
 * Search for free address ranges by the gap summaries of the area tree, lowest or highest first.
 *
 * *Guarantees*: the answer is the lowest (highest) aligned fit within the limit, or -1. O(log n)
 * nodes are touched for each gap that is long enough but does not fit once aligned or limited;
 * when areas, size and alignment are multiples of a page, the first long gap within the limit fits.
 * *Locking*: the area set's lock for reading. *Not guaranteed*: arguments are not checked here;
 * MemorySet checks them.
 */
import { isAddr, isPowerOfTwo } from '../../shared/addr/addr.ts';
import type { AreaIndexStore } from './area-store.ts';
import {
  treeEndingAfter,
  treeFirstUnder,
  treeLastUnder,
  treeNext,
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
  // `low` may lie inside an area; the first gap to look at then begins behind that area.
  if (node !== 0 && store.start(node) <= low) {
    gapStart = store.end(node);
    node = treeNext(store, node);
  }
  while (gapStart < high) {
    const gapEnd = node === 0 ? high : Math.min(store.start(node), high);
    const rest = gapStart % align;
    // No sum is formed that could exceed the exact numbers: compare lengths instead.
    const skip = rest === 0 ? 0 : align - rest;
    if (gapEnd - gapStart >= skip && gapEnd - gapStart - skip >= size) return gapStart + skip;
    if (node === 0) return NO_GAP;
    node = nodeAfterGap(store, node, size);
    gapStart = node === 0 ? store.maxEnd(store.root()) : store.end(treePrevious(store, node));
  }
  return NO_GAP;
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
    node = nodeBeforeGap(store, node, size);
    gapEnd = node === 0 ? store.minStart(store.root()) : store.start(treeNext(store, node));
  }
  return NO_GAP;
}

/** The first unmapped address at or above `from`. */
export function firstGapStart(store: AreaIndexStore, from: number): number {
  const node = treeEndingAfter(store, from);
  if (node === 0 || store.start(node) > from) return from;
  // The areas from here on have no gap before the one that nodeAfterGap finds.
  const after = nodeAfterGap(store, node, 1);
  return after === 0 ? store.maxEnd(store.root()) : store.end(treePrevious(store, after));
}

/** The first node above `from` that has at least `size` free bytes just below it, or 0. */
function nodeAfterGap(store: AreaIndexStore, from: number, size: number): number {
  let node = from;
  for (;;) {
    const right = store.right(node);
    if (right !== 0) {
      if (store.minStart(right) - store.end(node) >= size) return treeFirstUnder(store, right);
      if (store.maxGap(right) >= size) return firstAfterGapUnder(store, right, size);
    }
    // The subtree is done: its last area borders on the first ancestor that lies above it.
    const end = store.maxEnd(node);
    let child = node;
    node = store.parent(child);
    while (node !== 0 && store.right(node) === child) {
      child = node;
      node = store.parent(child);
    }
    if (node === 0 || store.start(node) - end >= size) return node;
  }
}

/** As nodeAfterGap, within the subtree under `top`, whose maxGap promises such a gap. */
function firstAfterGapUnder(store: AreaIndexStore, top: number, size: number): number {
  let node = top;
  for (;;) {
    const left = store.left(node);
    if (left !== 0 && store.maxGap(left) >= size) {
      node = left;
      continue;
    }
    if (left !== 0 && store.start(node) - store.maxEnd(left) >= size) return node;
    const right = store.right(node);
    if (store.minStart(right) - store.end(node) >= size) return treeFirstUnder(store, right);
    node = right;
  }
}

/** The last node below `from` that has at least `size` free bytes just above it, or 0. */
function nodeBeforeGap(store: AreaIndexStore, from: number, size: number): number {
  let node = from;
  for (;;) {
    const left = store.left(node);
    if (left !== 0) {
      if (store.start(node) - store.maxEnd(left) >= size) return treeLastUnder(store, left);
      if (store.maxGap(left) >= size) return lastBeforeGapUnder(store, left, size);
    }
    const start = store.minStart(node);
    let child = node;
    node = store.parent(child);
    while (node !== 0 && store.left(node) === child) {
      child = node;
      node = store.parent(child);
    }
    if (node === 0 || start - store.end(node) >= size) return node;
  }
}

/** As nodeBeforeGap, within the subtree under `top`, whose maxGap promises such a gap. */
function lastBeforeGapUnder(store: AreaIndexStore, top: number, size: number): number {
  let node = top;
  for (;;) {
    const right = store.right(node);
    if (right !== 0 && store.maxGap(right) >= size) {
      node = right;
      continue;
    }
    if (right !== 0 && store.minStart(right) - store.end(node) >= size) return node;
    const left = store.left(node);
    if (store.start(node) - store.maxEnd(left) >= size) return treeLastUnder(store, left);
    node = left;
  }
}
