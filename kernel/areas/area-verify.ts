/*
 * The checker of an area set: what must hold between operations, looked at node by node.
 *
 * *Guarantees*: terminates on any damage, with at most one sentence per node and rule; an empty
 * result means that links, order, heap, summaries, count and canonical form are right.
 * *Locking*: the area set's lock for reading. *Not guaranteed*: agreement with the page table.
 */
import { canMergeAreas } from './area-merge.ts';
import type { FlagsEqual } from './area-merge.ts';
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
  const root = store.root();
  if (root === 0) return 0;
  if (store.parent(root) !== 0) violations.push(`root ${root} has a parent`);
  const seen = new Set<number>([root]);
  const open = [root];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    for (const child of [store.left(node), store.right(node)]) {
      if (child === 0) continue;
      if (seen.has(child)) {
        violations.push(`node ${child} is reached twice`);
        continue;
      }
      if (store.parent(child) !== node) violations.push(`node ${child} does not know its parent`);
      seen.add(child);
      open.push(child);
    }
  }
  return seen.size;
}

/** What is wrong with a node, given its parent and children. */
function faultsOf(store: AreaIndexStore, node: number): string[] {
  const left = store.left(node);
  const right = store.right(node);
  const parent = store.parent(node);
  const minStart = left === 0 ? store.start(node) : store.minStart(left);
  const maxEnd = right === 0 ? store.end(node) : store.maxEnd(right);
  const faults: string[] = [];
  if (store.start(node) >= store.end(node)) faults.push('is empty or reversed');
  if (parent !== 0 && store.priority(parent) < store.priority(node)) {
    faults.push('has a higher priority than its parent');
  }
  if (store.minStart(node) !== minStart) faults.push('has a wrong minStart');
  if (store.maxEnd(node) !== maxEnd) faults.push('has a wrong maxEnd');
  if (store.maxGap(node) !== treeGapOf(store, node)) faults.push('has a wrong maxGap');
  return faults;
}
