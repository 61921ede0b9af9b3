/**
 * Addresses and lengths as Linux has them: unsigned 64-bit numbers that wrap. A negative number
 * stands for the one that has the same bits, so that a length of -1 is SIZE_MAX. What no register
 * could hold counts as the last page.
 */
import { PAGE_SIZE } from '../../shared/limits.ts';
import { roundUpToPages } from '../../shared/units.ts';
import type { VirtAddr } from '../../shared/units.ts';

/** Where a size_t wraps. */
export const WRAP: number = 2 ** 64;

/**
 * What Linux sees of an argument that it declares as an int or unsigned int: the low half of its
 * register. A number that no register can hold stays as it is, to be refused.
 */
export function intArgument(value: number): number {
  return Number.isInteger(value) ? value | 0 : value;
}

/** Whether an argument that Linux declares as unsigned long has a bit beyond the low 32. */
export function hasHighBits(value: number): boolean {
  return value < 0 || value >= 2 ** 32;
}

/** The sum of two addresses or lengths, which may be negative numbers, as a register has it. */
export function wrappedSum(left: number, right: number): number {
  const sum = (left < 0 ? left + WRAP : left) + (right < 0 ? right + WRAP : right);
  return sum >= WRAP ? sum - WRAP : sum;
}

/** A length rounded up to whole pages: 0 to 2^64 - 4096, and 0 for anything above that. */
export function pageAligned(length: number): number {
  const size = roundUpToPages(length);
  return size === WRAP ? 0 : unsignedPage(size);
}

/** An offset in a file: a signed number, even if its bits were given as an unsigned one. */
export function signedOffset(offset: number): number {
  return offset >= WRAP / 2 && offset < WRAP ? offset - WRAP : offset;
}

/** The address of a page, as an unsigned number. */
export function unsignedPage(address: VirtAddr): VirtAddr {
  const page = address < 0 ? address + WRAP : address + 0;
  return page >= 0 && page < WRAP ? page : WRAP - PAGE_SIZE;
}
