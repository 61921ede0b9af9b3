/*
 * The checker of an area set: what must hold between operations, looked at node by node.
 *
 * *Guarantees*: terminates on any damage, with at most one sentence per node and rule; an empty
 * result means that links, order, heap, summaries, count and canonical form are right.
 * *Locking*: the area set's lock for reading. *Not guaranteed*: agreement with the page table.
 */
import { canMergeAreas } from './area-merge.ts';
import type { FlagsEqual } from './area-flag-values.ts';
import type { AreaIndexStore, AreaStore } from './area-store.ts';
import { treeFirst, treeGapOf, treeNext } from './area-tree.ts';
import type { MappingBackend, PageTableLike } from './mapping-backend.ts';

/**
 * Violations of the invariants of the set in `store`; empty if there are none. Without a comparison
 * of flags, areas are not checked for being mergeable.
 */
export function verifyAreas<F, P extends PageTableLike, B extends MappingBackend<F, P>>(
  store: AreaStore<F, P, B>,
  flagsEqual: FlagsEqual<F> | null,
): string[] {
  const violations: string[] = [];
  // Damaged links could form a cycle: check all of them before following them.
  const nodes = checkLinks(store, violations);
  if (violations.length > 0) return violations;
  if (nodes !== store.count()) {
    violations.push(`the set counts ${store.count()} areas but has ${nodes}`);
  }
  let last = 0;
  let lastName = '';
  for (let node = treeFirst(store); node !== 0; node = treeNext(store, node)) {
    const name = `[0x${store.start(node).toString(16)}, 0x${store.end(node).toString(16)})`;
    for (const fault of faultsOf(store, node)) violations.push(`area ${name} ${fault}`);
    if (last !== 0 && store.end(last) > store.start(node)) {
      violations.push(`areas ${lastName} and ${name} overlap`);
    } else if (
      last !== 0 &&
      flagsEqual !== null &&
      canMergeAreas(store.readArea(last), store.readArea(node), flagsEqual)
    ) {
      violations.push(`areas ${lastName} and ${name} should be one`);
    }
    last = node;
    lastName = name;
  }
  return violations;
}

/** Checks that every child names its parent, and counts the nodes that the root reaches. */
function checkLinks(store: AreaIndexStore, violations: string[]): number {
  const nodes = new Set<number>();
  const open = [store.root()];
  const parents = [0];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    const parent = parents.pop();
    if (node === 0) continue;
    if (nodes.has(node)) {
      violations.push(`node ${node} is reached twice`);
      continue;
    }
    if (store.parent(node) !== parent) violations.push(`node ${node} does not know its parent`);
    nodes.add(node);
    open.push(store.left(node), store.right(node));
    parents.push(node, node);
  }
  return nodes.size;
}

/** What is wrong with a node, given its parent and children. */
function faultsOf(store: AreaIndexStore, node: number): string[] {
  const left = store.left(node);
  const right = store.right(node);
  const parent = store.parent(node);
  const faults: string[] = [];
  if (store.start(node) >= store.end(node)) faults.push('is empty or reversed');
  if (parent !== 0 && store.priority(parent) < store.priority(node)) {
    faults.push('has a higher priority than its parent');
  }
  const minStart = left === 0 ? store.start(node) : store.minStart(left);
  if (store.minStart(node) !== minStart) faults.push('has a wrong minStart');
  const maxEnd = right === 0 ? store.end(node) : store.maxEnd(right);
  if (store.maxEnd(node) !== maxEnd) faults.push('has a wrong maxEnd');
  if (store.maxGap(node) !== treeGapOf(store, node)) faults.push('has a wrong maxGap');
  return faults;
}
