/*
 * Where an area set keeps its nodes. One index algorithm (area-tree.ts) runs over any store: the
 * heap in tests, the shared buffer in the machine.
 *
 * A node is a number, 0 means none. It has the links of a search tree, three summaries of its
 * subtree, and an area. All lengths and addresses are in bytes. Methods are called often and must
 * be monomorphic: plain field accesses, no validation.
 *
 * *Guarantees* (of a store): readArea(n) equals the last writeArea(n); other nodes keep their
 * values. *Locking*: getters and readArea need the area set's lock for reading, everything else
 * for writing. *Not guaranteed*: the fields of a node fresh from allocNode, or after freeNode.
 */
import type { MappingBackend, PageTableLike } from './mapping-backend.ts';
import type { MemoryArea } from './memory-area.ts';

/** A side of a node, of an area or of a range; lower addresses are on the left. */
export type Side = 'left' | 'right';

/** The part of a store that the index needs; it knows nothing of flags and backends. */
export interface AreaIndexStore {
  /** The root of the tree, 0 for an empty set. */
  root(): number;
  /** Sets what root() returns; so does each setter below for its getter. */
  setRoot(node: number): void;
  /** Areas in the set. */
  count(): number;
  /** Sets what count() returns. */
  setCount(count: number): void;
  /** The most areas that splits may produce. */
  countMax(): number;

  /** The child with lower addresses, 0 for none. */
  left(node: number): number;
  /** Sets what left() returns. */
  setLeft(node: number, left: number): void;
  /** The child with higher addresses, 0 for none. */
  right(node: number): number;
  /** Sets what right() returns. */
  setRight(node: number, right: number): void;
  /** 0 for a root. */
  parent(node: number): number;
  /** Sets what parent() returns. */
  setParent(node: number, parent: number): void;
  /** A 32-bit integer; no child has a higher one than its parent. */
  priority(node: number): number;
  /** Sets what priority() returns. */
  setPriority(node: number, priority: number): void;

  /** First byte of the node's area, set by writeArea. */
  start(node: number): number;
  /** The byte after the node's area, set by writeArea. */
  end(node: number): number;
  /** Start of the first area of the subtree. */
  minStart(node: number): number;
  /** Sets what minStart() returns. */
  setMinStart(node: number, minStart: number): void;
  /** End of the last area of the subtree. */
  maxEnd(node: number): number;
  /** Sets what maxEnd() returns. */
  setMaxEnd(node: number, maxEnd: number): void;
  /** Bytes of the longest gap between two consecutive areas of the subtree. */
  maxGap(node: number): number;
  /** Sets what maxGap() returns. */
  setMaxGap(node: number, maxGap: number): void;
}

/** Where a set keeps its areas: the index, and an area for each node of it. */
export interface AreaStore<
  F,
  P extends PageTableLike,
  B extends MappingBackend<F, P>,
> extends AreaIndexStore {
  /** Brackets every change that a reader without the lock might see half done. */
  beginChange(): void;
  /** Ends what beginChange began. */
  endChange(): void;
  /** A node, or 0 when there is none left. */
  allocNode(): number;
  /**
   * Takes back a node, with the area written to it if any. Cannot fail. An operation writes
   * all areas that it keeps before it frees a node, so that a store may count a backend's users.
   */
  freeNode(node: number): void;
  /** A private copy of the node's area. */
  readArea(node: number): MemoryArea<F, P, B>;
  /** Stores a copy of `area`. Cannot fail. */
  writeArea(node: number, area: MemoryArea<F, P, B>): void;
}
