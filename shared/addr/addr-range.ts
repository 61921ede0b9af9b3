/*
 * Half-open address ranges, immutable, and the iteration of a range page by page.
 *
 * A range [start, end) always has start <= end: the seeds' `AddrRange` invariant. `end` is an
 * address too, so the last byte of the address space can never be covered. Unlike the seeds, an
 * empty range overlaps nothing, even when it lies strictly inside another.
 */
import { ADDR_MAX, checkInteger, formatAddr, isAddr, isPowerOfTwo } from './addr.ts';
import { PAGE_SIZE } from '../limits.ts';
import type { PhysAddr, VirtAddr } from '../units.ts';

/** A half-open range of addresses of one kind. */
export class AddrRange<A extends number = VirtAddr> {
  /** The first address. */
  readonly start: A;
  /** Exclusive. */
  readonly end: A;

  /** [start, end), by default the empty range 0..0. RangeError if start > end. */
  constructor(start = 0, end = 0) {
    checkInteger('the start of a range', start, 0, ADDR_MAX);
    checkInteger('the end of a range', end, 0, ADDR_MAX);
    if (start > end) throw new RangeError(`a range cannot start at ${start} and end at ${end}`);
    this.start = start as A;
    this.end = end as A;
  }

  /** [start, end), or null where the constructor throws. */
  static tryNew<A extends number = VirtAddr>(start: number, end: number): AddrRange<A> | null {
    return isAddr(start) && isAddr(end) && start <= end ? new AddrRange<A>(start, end) : null;
  }

  /** [start, start + size); RangeError if that exceeds ADDR_MAX. */
  static fromStartSize<A extends number = VirtAddr>(start: number, size: number): AddrRange<A> {
    checkInteger('the start of a range', start, 0, ADDR_MAX);
    checkInteger('the size of a range', size, 0, ADDR_MAX - start);
    return new AddrRange<A>(start, start + size);
  }

  /** [start, start + size), or null where fromStartSize throws. */
  static tryFromStartSize<A extends number = VirtAddr>(
    start: number,
    size: number,
  ): AddrRange<A> | null {
    if (!isAddr(start) || !isAddr(size) || size > ADDR_MAX - start) return null;
    return new AddrRange<A>(start, start + size);
  }

  /** In bytes. */
  get size(): number {
    return this.end - this.start;
  }

  /** Whether it holds no address. */
  isEmpty(): boolean {
    return this.start === this.end;
  }

  /** True if the byte at `addr` lies in the range. */
  contains(addr: number): boolean {
    return this.start <= addr && addr < this.end;
  }

  /** True if `other` lies within; an empty range at either edge does. */
  containsRange(other: AddrRange<A>): boolean {
    return this.start <= other.start && other.end <= this.end;
  }

  /** True if it lies within `other`. */
  containedIn(other: AddrRange<A>): boolean {
    return other.containsRange(this);
  }

  /** True if the two share a byte; an empty range shares none. */
  overlaps(other: AddrRange<A>): boolean {
    return Math.max(this.start, other.start) < Math.min(this.end, other.end);
  }

  /** Whether both have the same ends. */
  equals(other: AddrRange<A>): boolean {
    return this.start === other.start && this.end === other.end;
  }

  /** `VA:0x1000..VA:0x2000`; a physical range is formatted with the prefix `PA`. */
  toString(prefix = 'VA', upper = false): string {
    return `${formatAddr(this.start, prefix, upper)}..${formatAddr(this.end, prefix, upper)}`;
  }
}

/** A range of virtual addresses. */
export type VirtAddrRange = AddrRange<VirtAddr>;
/** A range of physical addresses. */
export type PhysAddrRange = AddrRange<PhysAddr>;

/** The seeds' `DynPageIter`: start, start + pageSize, … below end; nothing if start >= end. */
export class DynPageIter<A extends number = VirtAddr> implements IterableIterator<A> {
  private position: number;
  private readonly end: number;
  private readonly pageSize: number;

  private constructor(start: number, end: number, pageSize: number) {
    this.position = start;
    this.end = end;
    this.pageSize = pageSize;
  }

  /** Null if the page size is not a power of two or either end is not a multiple of it. */
  static tryNew<A extends number = VirtAddr>(
    start: number,
    end: number,
    pageSize: number,
  ): DynPageIter<A> | null {
    if (!isPowerOfTwo(pageSize) || !isAddr(start) || !isAddr(end)) return null;
    if (start % pageSize !== 0 || end % pageSize !== 0) return null;
    return new DynPageIter<A>(start, end, pageSize);
  }

  /** The next page. */
  next(): IteratorResult<A, undefined> {
    if (this.position >= this.end) return { done: true, value: undefined };
    const value = this.position as A;
    this.position += this.pageSize;
    return { done: false, value };
  }

  /** The iterator itself. */
  [Symbol.iterator](): this {
    return this;
  }
}

/** The seeds' `PageIter4K`: the pages of [start, end), or null if either is not page-aligned. */
export function pageIter4K<A extends number = VirtAddr>(
  start: number,
  end: number,
): DynPageIter<A> | null {
  return DynPageIter.tryNew<A>(start, end, PAGE_SIZE);
}
