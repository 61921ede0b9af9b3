/*
 * What a MemoryArea needs from below: the seeds' MappingBackend and the page table it works on.
 *
 * *Guarantees* (of a backend): an operation touches only [start, start + size) of the page table,
 * writes every entry through the page table's undo log, and reports failure by its result. It may
 * fail with a prefix written: the caller rolls the page table back, so that a backend needs no
 * undo code of its own.
 *
 * *Locking*: map, unmap, protect, clone, canMerge and merged are called only from the operations of
 * MemoryArea and MemorySet, whose caller holds the area set's lock for writing. What else a backend
 * locks is the locking protocol's choice.
 *
 * *Not guaranteed*: that a successful operation stays in effect. A later one may fail, and then
 * both are rolled back; so unmap must free nothing that a rollback would need.
 */
import type { AddrRange } from '../../shared/addr/addr-range.ts';

/** A failure with its reason; a plain `false` is a failure without one, as in the seeds. */
export interface BackendFailure {
  /** An errno name or a sentence. 'ENOMEM' becomes the kind NoMemory, all else BadState. */
  readonly cause: string;
  /** The part that failed; without it, the range that the backend was called for. */
  readonly range?: AddrRange;
}

/** The outcome of a backend's operation: true if it succeeded. */
export type BackendResult = boolean | BackendFailure;

/**
 * A page table that can be rolled back. One operation of MemorySet takes one checkpoint; callers
 * may hold an earlier one of their own around several operations.
 */
export interface PageTableLike {
  /** A mark in the undo log, valid until the owner of the table forgets the log up to it. */
  checkpoint(): number;
  /** Restores every entry written since the mark; false if it could not restore them all. */
  rollback(checkpoint: number): boolean;
}

/**
 * How an area's addresses are backed. *Linear*: the target is known when it is added to the page
 * table. *Lazy*: empty mappings are added to the page table to trigger page faults.
 * Ranges are in bytes, non-empty and free of overflow. A backend ought not to throw: what it throws
 * leaves MemorySet's operation, which has put back everything first, and MemoryArea's, which has
 * not touched the area. Source: `MappingBackend` of the seeds, whose `Clone` is the method clone.
 */
export interface MappingBackend<F, P extends PageTableLike> {
  /** Adds [start, start + size), which no area covers, with `flags`. */
  map(start: number, size: number, flags: F, pt: P): BackendResult;
  /** Removes [start, start + size), which this backend has mapped. */
  unmap(start: number, size: number, pt: P): BackendResult;
  /** Changes the access of [start, start + size), which this backend has mapped. */
  protect(start: number, size: number, newFlags: F, pt: P): BackendResult;
  /**
   * The backend of the right part of a split. Any offset it keeps must be relative to absolute
   * addresses, so that neither part has to change. The result may never reach the area set.
   */
  clone(): MappingBackend<F, P>;
  /**
   * Whether two touching areas with equal flags, `left` backed by this and `right` by `other`,
   * are one mapping; usually: whether the two backends are equal as values. Without it: whether
   * they are the same object.
   */
  canMerge?(left: AddrRange, other: MappingBackend<F, P>, right: AddrRange): boolean;
  /** The backend of the merged area, after `canMerge` allowed the merge. Without it: this. */
  merged?(other: MappingBackend<F, P>): MappingBackend<F, P>;
}
