/*
 * Addresses and page numbers: their checked constructors and their alignment. Their types, and the
 * conversions between addresses and page numbers, are in units.ts.
 *
 * An address is an exact number of bytes, 0..ADDR_MAX (2^53 - 1). The seeds' memory_addr is built
 * on usize; ADDR_MAX takes the place of usize::MAX. Addresses exceed 32 bits, so nothing in this
 * file applies a bit operation to one.
 *
 * A value that is not an address (fractional, negative, NaN, too large, not a number) is a caller's
 * mistake and throws: TypeError for a wrong type, RangeError for a wrong value. Nothing wraps
 * silently.
 */
import { FRAMES_MAX, PAGE_SIZE, USER_PAGES } from '../limits.ts';
import type { PhysAddr, Pfn, VirtAddr, Vpn } from '../units.ts';

/** The highest address; it takes the place of usize::MAX in the seeds. */
export const ADDR_MAX: number = Number.MAX_SAFE_INTEGER;
/** Three table levels of 10 bits: 42-bit user space, so a page number is a small integer. */
export const VPN_MAX: number = USER_PAGES - 1;
/** An entry holds 20 bits of frame number: 4 GiB of physical memory. */
export const PFN_MAX: number = FRAMES_MAX - 1;

const WORD = 2 ** 32;

/** Throws unless `value` is an integer in min..max. `what` is the subject of the sentence. */
export function checkInteger(what: string, value: unknown, min: number, max: number): void {
  if (typeof value !== 'number') {
    throw new TypeError(`${what} must be a number, not ${value === null ? 'null' : typeof value}`);
  }
  if (!Number.isInteger(value) || value < min || value > max) {
    throw new RangeError(`${what} must be an integer in ${min}..${max}, not ${value}`);
  }
}

/** True for an exact byte address, 0..ADDR_MAX. */
export function isAddr(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** Checked constructor: throws TypeError or RangeError unless `value` is 0..ADDR_MAX. */
export function virtAddr(value: number): VirtAddr {
  checkInteger('a virtual address', value, 0, ADDR_MAX);
  return value;
}

/** Checked constructor: throws TypeError or RangeError unless `value` is 0..ADDR_MAX. */
export function physAddr(value: number): PhysAddr {
  checkInteger('a physical address', value, 0, ADDR_MAX);
  return value;
}

/** Checked constructor: throws TypeError or RangeError unless `value` is 0..VPN_MAX. */
export function vpn(value: number): Vpn {
  checkInteger('a virtual page number', value, 0, VPN_MAX);
  return value;
}

/** Checked constructor: throws TypeError or RangeError unless `value` is 0..PFN_MAX. */
export function pfn(value: number): Pfn {
  checkInteger('a frame number', value, 0, PFN_MAX);
  return value;
}

/** True for 1, 2, 4, … 2^52; false for everything else, including what is not a number. */
export function isPowerOfTwo(value: unknown): value is number {
  if (!Number.isSafeInteger(value) || (value as number) <= 0) return false;
  const low = (value as number) % WORD;
  const high = Math.floor((value as number) / WORD);
  // One half must be zero and the other have a single bit; each half fits a 32-bit operation.
  return high === 0 ? (low & (low - 1)) === 0 : low === 0 && (high & (high - 1)) === 0;
}

function checkAlignment(addr: number, align: number): void {
  checkInteger('an address', addr, 0, ADDR_MAX);
  if (!isPowerOfTwo(align)) {
    throw new RangeError(`an alignment must be a power of two, not ${String(align)}`);
  }
}

/** Bytes from the alignment boundary at or below `addr`. `align` must be a power of two. */
export function alignOffset(addr: number, align: number): number {
  checkAlignment(addr, align);
  return addr % align;
}

/** True if `addr` is a multiple of `align`, a power of two. */
export function isAligned(addr: number, align: number): boolean {
  return alignOffset(addr, align) === 0;
}

/** The greatest multiple of `align` at or below `addr`. */
export function alignDown<A extends number>(addr: A, align: number): A {
  return (addr - alignOffset(addr, align)) as A;
}

/** The least multiple of `align` at or above `addr`; RangeError if that exceeds ADDR_MAX. */
export function alignUp<A extends number>(addr: A, align: number): A {
  const rest = alignOffset(addr, align);
  if (rest === 0) return addr;
  if (align - rest > ADDR_MAX - addr) {
    throw new RangeError(`${addr} aligned up to ${align} exceeds the highest address`);
  }
  return (addr + (align - rest)) as A;
}

/** alignOffset for pages. */
export function alignOffset4k(addr: number): number {
  return alignOffset(addr, PAGE_SIZE);
}

/** isAligned for pages. */
export function isAligned4k(addr: number): boolean {
  return isAligned(addr, PAGE_SIZE);
}

/** alignDown for pages. */
export function alignDown4k<A extends number>(addr: A): A {
  return alignDown(addr, PAGE_SIZE);
}

/** alignUp for pages; RangeError past ADDR_MAX. */
export function alignUp4k<A extends number>(addr: A): A {
  return alignUp(addr, PAGE_SIZE);
}

/** `VA:0x1abc`; the prefix names the kind of address, `upper` gives `VA:0x1ABC`. */
export function formatAddr(addr: number, prefix = 'VA', upper = false): string {
  checkInteger('an address', addr, 0, ADDR_MAX);
  const digits = addr.toString(16);
  return `${prefix}:0x${upper ? digits.toUpperCase() : digits}`;
}
