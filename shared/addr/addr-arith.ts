/*
 * Address arithmetic: the seeds' `MemoryAddr` trait as plain functions, with its four families.
 *
 * plain        throws RangeError when the result is not an address (the seeds panic)
 * checked…     gives null instead
 * overflowing… gives the wrapped value and a flag
 * wrapping…    wraps modulo 2^53, as the seeds wrap modulo 2^64
 *
 * Signed offsets are 53-bit two's complement, -2^52..2^52 - 1, as isize is to usize.
 */
import { ADDR_MAX, checkInteger } from './addr.ts';

/** The greatest signed offset between two addresses. */
export const OFFSET_MAX: number = 2 ** 52 - 1;
/** The least signed offset between two addresses. */
export const OFFSET_MIN: number = -(2 ** 52);

function checkOperands(left: number, right: number): void {
  checkInteger('an address', left, 0, ADDR_MAX);
  checkInteger('an amount of bytes', right, 0, ADDR_MAX);
}

/** `addr + delta`, delta signed; RangeError when the result is not an address. */
export function offset<A extends number>(addr: A, delta: number): A {
  checkInteger('an offset', delta, OFFSET_MIN, OFFSET_MAX);
  return delta < 0 ? sub(addr, -delta) : add(addr, delta);
}

/** `addr + delta` modulo 2^53, delta signed. */
export function wrappingOffset<A extends number>(addr: A, delta: number): A {
  checkInteger('an offset', delta, OFFSET_MIN, OFFSET_MAX);
  return delta < 0 ? wrappingSub(addr, -delta) : wrappingAdd(addr, delta);
}

/** The signed distance `addr - base`; RangeError unless it lies in OFFSET_MIN..OFFSET_MAX. */
export function offsetFrom<A extends number>(addr: A, base: A): number {
  checkOperands(addr, base);
  const distance = addr - base;
  if (distance < OFFSET_MIN || distance > OFFSET_MAX) {
    throw new RangeError(`the distance from ${base} to ${addr} is no signed offset`);
  }
  return distance;
}

/** `addr + bytes`, or null past ADDR_MAX. */
export function checkedAdd<A extends number>(addr: A, bytes: number): A | null {
  checkOperands(addr, bytes);
  return bytes <= ADDR_MAX - addr ? ((addr + bytes) as A) : null;
}

/** `addr + bytes` modulo 2^53. */
export function wrappingAdd<A extends number>(addr: A, bytes: number): A {
  checkOperands(addr, bytes);
  const room = ADDR_MAX - addr;
  // The plain sum of two addresses may need 54 bits, which a number cannot hold exactly.
  return (bytes <= room ? addr + bytes : bytes - room - 1) as A;
}

/** `addr + bytes` modulo 2^53, and whether it wrapped. */
export function overflowingAdd<A extends number>(addr: A, bytes: number): [A, boolean] {
  return [wrappingAdd(addr, bytes), bytes > ADDR_MAX - addr];
}

/** `addr + bytes`; RangeError past ADDR_MAX. */
export function add<A extends number>(addr: A, bytes: number): A {
  const sum = checkedAdd(addr, bytes);
  if (sum === null) throw new RangeError(`${addr} + ${bytes} exceeds the highest address`);
  return sum;
}

/** `addr - bytes`, or null below 0. */
export function checkedSub<A extends number>(addr: A, bytes: number): A | null {
  checkOperands(addr, bytes);
  return bytes <= addr ? ((addr - bytes) as A) : null;
}

/** `addr - bytes` modulo 2^53. */
export function wrappingSub<A extends number>(addr: A, bytes: number): A {
  checkOperands(addr, bytes);
  return (bytes <= addr ? addr - bytes : ADDR_MAX - (bytes - addr) + 1) as A;
}

/** `addr - bytes` modulo 2^53, and whether it wrapped. */
export function overflowingSub<A extends number>(addr: A, bytes: number): [A, boolean] {
  return [wrappingSub(addr, bytes), bytes > addr];
}

/** `addr - bytes`; RangeError below 0. */
export function sub<A extends number>(addr: A, bytes: number): A {
  const difference = checkedSub(addr, bytes);
  if (difference === null) throw new RangeError(`${addr} - ${bytes} lies below address 0`);
  return difference;
}

/** The bytes from `base` up to `addr`; RangeError if `base` is the higher. */
export function subAddr<A extends number>(addr: A, base: A): number {
  return sub<number>(addr, base);
}

/** The bytes from `base` up to `addr` modulo 2^53. */
export function wrappingSubAddr<A extends number>(addr: A, base: A): number {
  return wrappingSub<number>(addr, base);
}

/** The bytes from `base` up to `addr` modulo 2^53, and whether it wrapped. */
export function overflowingSubAddr<A extends number>(addr: A, base: A): [number, boolean] {
  return overflowingSub<number>(addr, base);
}

/** The bytes from `base` up to `addr`, or null if `base` is the higher. */
export function checkedSubAddr<A extends number>(addr: A, base: A): number | null {
  return checkedSub<number>(addr, base);
}
