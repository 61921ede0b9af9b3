/*
 * The ordered index of an area set: a treap (Seidel and Aragon, "Randomized search trees", 1996)
 * with parent links over an AreaIndexStore, ordered by address. They are free functions, because a
 * node is a number in the store's memory.
 *
 * *Guarantees*: expected O(log n) nodes touched by each search, O(log n + k) by treeOpen and
 * treeClose for a run of k nodes. No recursion. Same operations, same tree: a priority is a hash
 * of the address at which its node began. Each node summarises its subtree {minStart, maxEnd,
 * maxGap}, which answers "where is a gap of that size" in O(log n) (area-gaps.ts).
 * *Locking*: the area set's lock; for reading in searches, for writing in treeOpen and treeClose.
 * *Not guaranteed*: anything for two areas that overlap; the caller keeps them disjoint.
 */
import type { AreaIndexStore, Side } from './area-store.ts';

const WORD = 2 ** 32;

export function opposite(side: Side): Side {
  return side === 'left' ? 'right' : 'left';
}

/** The child of `node` on that side, or 0. */
export function treeChild(store: AreaIndexStore, node: number, side: Side): number {
  return side === 'left' ? store.left(node) : store.right(node);
}

/** The first (left) or last (right) node of the subtree under `node`, which is not 0. */
export function treeOutermost(store: AreaIndexStore, node: number, side: Side): number {
  let outer = node;
  for (let next = node; next !== 0; next = treeChild(store, outer, side)) outer = next;
  return outer;
}

/** The first node of all, or 0. */
export function treeFirst(store: AreaIndexStore): number {
  const root = store.root();
  return root === 0 ? 0 : treeOutermost(store, root, 'left');
}

/** The node after `node` in address order, or 0. Amortised O(1) in a walk. */
export function treeNext(store: AreaIndexStore, node: number): number {
  return treeBeside(store, node, 'right');
}

/** The node before `node` in address order, or 0. Amortised O(1) in a walk. */
export function treePrevious(store: AreaIndexStore, node: number): number {
  return treeBeside(store, node, 'left');
}

/** treeNext (right) or treePrevious (left). */
export function treeBeside(store: AreaIndexStore, node: number, side: Side): number {
  const under = treeChild(store, node, side);
  if (under !== 0) return treeOutermost(store, under, opposite(side));
  let child = node;
  let parent = store.parent(child);
  while (parent !== 0 && treeChild(store, parent, side) === child) {
    child = parent;
    parent = store.parent(child);
  }
  return parent;
}

/** The first node whose area ends after `address`, or 0. It covers the address or lies above. */
export function treeEndingAfter(store: AreaIndexStore, address: number): number {
  let node = store.root();
  let found = 0;
  while (node !== 0) {
    if (store.end(node) > address) {
      found = node;
      node = store.left(node);
    } else {
      node = store.right(node);
    }
  }
  return found;
}

/** The last node whose area starts before `address`, or 0. */
export function treeStartingBefore(store: AreaIndexStore, address: number): number {
  let node = store.root();
  let found = 0;
  while (node !== 0) {
    if (store.start(node) < address) {
      found = node;
      node = store.right(node);
    } else {
      node = store.left(node);
    }
  }
  return found;
}

/** The node whose area covers the byte at `address`, or 0. */
export function treeFind(store: AreaIndexStore, address: number): number {
  let node = store.root();
  while (node !== 0) {
    if (store.end(node) <= address) node = store.right(node);
    else if (store.start(node) <= address) return node;
    else node = store.left(node);
  }
  return 0;
}

/** The first node whose area shares a byte with [start, end), or 0; none for an empty range. */
export function treeFirstIn(store: AreaIndexStore, start: number, end: number): number {
  if (start >= end) return 0;
  const node = treeEndingAfter(store, start);
  return node !== 0 && store.start(node) < end ? node : 0;
}

/** The free bytes between `node` and the subtree under `child`, its child on that side. */
export function treeGapTo(store: AreaIndexStore, node: number, child: number, side: Side): number {
  return side === 'left'
    ? store.start(node) - store.maxEnd(child)
    : store.minStart(child) - store.end(node);
}

/** What maxGap of `node` must be, given its children's summaries. */
export function treeGapOf(store: AreaIndexStore, node: number): number {
  const left = store.left(node);
  const right = store.right(node);
  let gap = 0;
  if (left !== 0) gap = Math.max(store.maxGap(left), treeGapTo(store, node, left, 'left'));
  if (right === 0) return gap;
  return Math.max(gap, store.maxGap(right), treeGapTo(store, node, right, 'right'));
}

function summarise(store: AreaIndexStore, node: number): void {
  const left = store.left(node);
  const right = store.right(node);
  store.setMinStart(node, left === 0 ? store.start(node) : store.minStart(left));
  store.setMaxEnd(node, right === 0 ? store.end(node) : store.maxEnd(right));
  store.setMaxGap(node, treeGapOf(store, node));
}

/** Recomputes the summaries from `node` up: call it after writing a node's area in place. */
export function treeTouch(store: AreaIndexStore, node: number): void {
  for (let at = node; at !== 0; at = store.parent(at)) summarise(store, at);
}

/** A well-mixed 32-bit integer of an address (the finaliser of MurmurHash3). */
function priorityOf(address: number): number {
  let hash = ((address % WORD) | 0) ^ Math.imul(Math.floor(address / WORD), 0x9e3779b1);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}

/** Gives a new node its place in the heap order. Call it once, before treeClose. */
export function treeAdopt(store: AreaIndexStore, node: number, start: number): void {
  store.setPriority(node, priorityOf(start));
}

/** Two trees, all of `low` lying below all of `high`; 0 stands for the empty tree. */
export interface TreePair {
  readonly low: number;
  readonly high: number;
}

/** Divides the tree under `root` into the nodes that start below `key` and the others. */
function splitTree(store: AreaIndexStore, root: number, key: number): TreePair {
  let low = 0;
  let high = 0;
  // Where the next piece is attached: on the right of lowTail, on the left of highTail.
  let lowTail = 0;
  let highTail = 0;
  let node = root;
  while (node !== 0) {
    if (store.start(node) < key) {
      if (lowTail === 0) low = node;
      else store.setRight(lowTail, node);
      store.setParent(node, lowTail);
      lowTail = node;
      node = store.right(node);
    } else {
      if (highTail === 0) high = node;
      else store.setLeft(highTail, node);
      store.setParent(node, highTail);
      highTail = node;
      node = store.left(node);
    }
  }
  if (lowTail !== 0) store.setRight(lowTail, 0);
  if (highTail !== 0) store.setLeft(highTail, 0);
  treeTouch(store, lowTail);
  treeTouch(store, highTail);
  return { low, high };
}

/** Joins two trees, all of `low` lying below all of `high`; each may be 0. Returns the root. */
function joinTrees(store: AreaIndexStore, low: number, high: number): number {
  let root = 0;
  let tail = 0;
  let tailSide = 0; // 0: the next piece goes on the left of the tail, 1: on its right
  let below = low;
  let above = high;
  while (below !== 0 || above !== 0) {
    const takeBelow =
      above === 0 || (below !== 0 && store.priority(below) >= store.priority(above));
    const top = takeBelow ? below : above;
    if (tail === 0) root = top;
    else if (tailSide === 1) store.setRight(tail, top);
    else store.setLeft(tail, top);
    store.setParent(top, tail);
    // One tree is used up: the rest of the other is attached here as it is.
    if (below === 0 || above === 0) break;
    tail = top;
    tailSide = takeBelow ? 1 : 0;
    if (takeBelow) below = store.right(top);
    else above = store.left(top);
  }
  treeTouch(store, tail);
  return root;
}

/** A tree of `nodes`, which are in address order and have their priorities, in O(k). */
function buildTree(store: AreaIndexStore, nodes: readonly number[]): number {
  let root = 0;
  let last = 0;
  for (let i = 0; i < nodes.length; i++) {
    const node = nodes[i] as number;
    // The nodes of lower priority on the right spine become the left subtree.
    let parent = last;
    let lower = 0;
    while (parent !== 0 && store.priority(parent) < store.priority(node)) {
      summarise(store, parent);
      lower = parent;
      parent = store.parent(parent);
    }
    store.setLeft(node, lower);
    store.setRight(node, 0);
    store.setParent(node, parent);
    if (lower !== 0) store.setParent(lower, node);
    if (parent === 0) root = node;
    else store.setRight(parent, node);
    last = node;
  }
  treeTouch(store, last);
  return root;
}

/**
 * Takes the nodes that start in [low, high) out of the tree and leaves it open there: until
 * treeClose, the set has no root. The caller may then write other areas to the nodes taken out.
 */
export function treeOpen(store: AreaIndexStore, low: number, high: number): TreePair {
  const below = splitTree(store, store.root(), low);
  store.setRoot(0);
  if (low === high) return below;
  return { low: below.low, high: splitTree(store, below.high, high).high };
}

/**
 * Closes the tree with `nodes` in the place of those taken out: in address order, within the
 * opening, with areas written and priorities set.
 */
export function treeClose(store: AreaIndexStore, open: TreePair, nodes: readonly number[]): void {
  const low = joinTrees(store, open.low, buildTree(store, nodes));
  store.setRoot(joinTrees(store, low, open.high));
}
