/** The type of a program's memory. Types only, no logic. */

/**
 * User memory. Every access is translated by the CPU's MMU and may fault.
 * Throws `MemoryFault` when the kernel refuses, RangeError or TypeError for an address that is no
 * integer. Unaligned accesses work byte by byte and are not atomic.
 */
export interface Memory {
  /** Unsigned, 0 to 255. */
  load8(address: number): number;
  /** Unsigned, 0 to 65535. */
  load16(address: number): number;
  /** Signed 32-bit. */
  load32(address: number): number;
  /** Signed 64-bit. */
  load64(address: number): bigint;
  /** A 32-bit float. */
  loadF32(address: number): number;
  /** A 64-bit float. */
  loadF64(address: number): number;
  /** Stores the low 8 bits of `value`. */
  store8(address: number, value: number): void;
  /** Stores the low 16 bits of `value`. */
  store16(address: number, value: number): void;
  /** Stores the low 32 bits of `value`. */
  store32(address: number, value: number): void;
  /** Stores the low 64 bits of `value`. */
  store64(address: number, value: bigint): void;
  /** Stores `value` rounded to a 32-bit float. */
  storeF32(address: number, value: number): void;
  /** Stores a 64-bit float. */
  storeF64(address: number, value: number): void;
  /** Sequentially consistent accesses to an aligned word. RMW forms return the old value. */
  atomicLoad32(address: number): number;
  /** Stores to an aligned word, sequentially consistent. */
  atomicStore32(address: number, value: number): void;
  /** Adds to an aligned word; returns the old value. */
  atomicAdd32(address: number, value: number): number;
  /** Replaces an aligned word; returns the old value. */
  atomicExchange32(address: number, value: number): number;
  /** Replaces an aligned word if it holds `expected`; returns the old value. */
  atomicCompareExchange32(address: number, expected: number, replacement: number): number;
  /** Copies user memory out, page by page, at typed-array speed. */
  read(address: number, length: number): Uint8Array<ArrayBuffer>;
  /** The same into `target`, as many bytes as it has. */
  readInto(address: number, target: Uint8Array): void;
  /** Copies `source` into user memory. */
  write(address: number, source: Uint8Array): void;
  /** Copies `length` bytes within user memory; the two ranges may overlap. */
  copy(to: number, from: number, length: number): void;
  /** Sets `length` bytes to `value`, 0 to 255. */
  fill(address: number, value: number, length: number): void;
  /**
   * Pins the pages of a range, so that it can be used directly: typed arrays over the frames
   * themselves, without translation, until `unpin`. `length` is at least 1. With `write` false the
   * pages need not be writable, and must not be written.
   *
   * Pinned pages are not reclaimed, and fork copies them for the child at once. They count for
   * RLIMIT_MEMLOCK. MemoryFault as for an access; SyscallError ENOMEM; RangeError for a device.
   */
  pin(address: number, length: number, write?: boolean): PinnedMemory;
}

/**
 * Memory that a process has pinned, as long as it has not called `unpin`, ended, or gone on with
 * another program. What was unmapped meanwhile can still be used, but is the pin's alone. Nothing
 * stops a program that uses the arrays after that: it would change memory that others have by then.
 */
export interface PinnedMemory {
  /** The range in order, a part for each run of frames that lie one after the other. */
  readonly parts: readonly Uint8Array<SharedArrayBuffer>[];
  /** Gives the pages back. Does nothing when it is called again. */
  unpin(): void;
}
