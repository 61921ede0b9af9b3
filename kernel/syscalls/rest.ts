/** The call that does the rest of one which has given way or waited (faults/give-way.ts). */
import {
  SYS_FALLOCATE,
  SYS_MINCORE,
  SYS_MLOCK,
  SYS_MLOCK2,
} from '../../shared/abi/syscall-numbers.ts';
import { addressOf, pagesOf } from '../../shared/units.ts';
import type { Vpn } from '../../shared/units.ts';

/** No syscall of a program's: mlock and mlock2 from their first page on that is not yet there. */
export const MLOCK_REST = 0x10000;

/** A syscall with its arguments. */
export interface Call {
  /** Of the table in shared/abi/syscalls.ts, or MLOCK_REST. */
  readonly number: number;
  /** As the syscall takes them; a missing one is NaN. */
  readonly args: readonly number[];
}

/**
 * What is left of a call from page `stoppedAtVpn` on (of fallocate: from that page of the file on);
 * 0: all of it. If a range began anew each time, one larger than memory would never finish: its
 * first pages would be reclaimed for its last.
 */
export function restOf(call: Call, stoppedAtVpn: Vpn): Call {
  if (stoppedAtVpn === 0) return call;
  const { number, args } = call;
  const [first = NaN, second = NaN, third = NaN, fourth = NaN, ...others] = args;
  // fallocate(fd, mode, offset, length); all others (address, length, …).
  const done = addressOf(stoppedAtVpn) - (number === SYS_FALLOCATE ? third : first);
  switch (number) {
    case SYS_FALLOCATE:
      return { number, args: [first, second, third + done, fourth - done] };
    case SYS_MINCORE:
      // The third argument is where the bytes for the pages go.
      return { number, args: [first + done, second - done, third + pagesOf(done)] };
    case SYS_MLOCK:
    case SYS_MLOCK2:
      // It has marked its areas; if it did so again, it would undo another CPU's munlock, or fail
      // at a hole that another one has made since.
      return { number: MLOCK_REST, args: [first + done, second - done] };
    default:
      return { number, args: [first + done, second - done, third, fourth, ...others] };
  }
}
