/**
 * What a mapping backend of a user's own implements, and the page table that it works on: the
 * seeds' MappingBackend in the running machine.
 */
import type { MappingBackend, PageTableLike } from '../../kernel/areas/mapping-backend.ts';

/**
 * The part of one process's page table that a call of a mapping backend is for. It is gone when the
 * call has ended: the backend may not keep it, and so not go on asynchronously.
 *
 * Pages are those of the backend, numbered from 0; they belong to all processes together. A page
 * has a frame, zeroed, from its first use until `release`, or until the call fails in which that
 * was. A method whose argument is wrong (an address outside of the call's range, a page that is
 * mapped there already, a page that the backend does not have) throws a TypeError or RangeError and
 * has done nothing. `false` means: no frame left.
 */
export interface MappingTable extends PageTableLike {
  /** The number of the address space; another one for each, never used again. */
  readonly space: number;
  /** The page that a file would have at an address: the offset given to mmap and the distance. */
  pageAt(address: number): number;
  /**
   * Enters page `page` at `address`, a multiple of 4096 where nothing is mapped. Any page may be
   * entered at any address, and at several.
   */
  map(address: number, page: number): boolean;
  /**
   * Enters a page fault for each page of [address, address + sizeBytes), where nothing is mapped:
   * the first access finds page `pageAt`, which `readPage` fills if it has not been used before.
   */
  reserve(address: number, sizeBytes: number): boolean;
  /** Removes what is mapped in [address, address + sizeBytes). Pages keep their frames. */
  clear(address: number, sizeBytes: number): boolean;
  /** Gives what is mapped in [address, address + sizeBytes) the PROT_ flags `prot`. */
  protect(address: number, sizeBytes: number, prot: number): boolean;
  /** A copy of the page's 4096 bytes. */
  read(page: number): Uint8Array;
  /** Writes bytes into a page, from a byte offset on. */
  write(page: number, bytes: Uint8Array, offsetBytes?: number): boolean;
  /**
   * Gives up the page's frame: it is free when nothing maps it any more. The next use begins with
   * zeroes. Not undone when the operation fails.
   */
  release(page: number): void;
  /** A mark for `rollback`, valid in this call. */
  checkpoint(): number;
  /** Restores every entry changed since the mark, which this call has taken; otherwise false. */
  rollback(checkpoint: number): boolean;
}

/**
 * A mapping backend that boots with the machine: the default export of a module given as
 * `boot({ backends: { NAME: module } })`, or what a function gives that is the default export. A
 * process opens it as `/backend/NAME` and maps it, MAP_SHARED. It runs in the kernel worker.
 *
 * `map` must leave every page of its range mapped or reserved, `unmap` none, `protect` all with the
 * new permission: this is checked. An operation that answers false fails with EACCES (ENOMEM, if
 * there was no frame), one that answers `{ cause }` with that errno; all other answers, and what it
 * throws, are EIO and a line of output. Then everything is as it was before the call, and the same
 * call may come again, when memory has been reclaimed. `flags` are PROT_ flags.
 *
 * `clone` makes the backend of an address space at its first mapping: a forked child's from its
 * parent's, another's from the module's. It may return `this`. Both parts of a split have the same
 * backend. `canMerge` and `merged` are not asked: such mappings, like a driver's, never merge.
 */
export interface MappingBackendModule extends MappingBackend<number, MappingTable> {
  /** Bytes of its pages, at least 1; the module's alone, not its clones'. */
  readonly sizeBytes: number;
  /**
   * Fills the (zeroed) 4 KiB of page `page` at the first access to a reserved page, if it has no
   * frame yet. Without it they stay zero. What it throws becomes SIGBUS in the program.
   */
  readPage?(page: number, target: Uint8Array): void | Promise<void>;
}
