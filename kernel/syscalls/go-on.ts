/** The call that does the rest of one which has given way or waited (faults/give-way.ts). */
import { SYS_MINCORE, SYS_MLOCK, SYS_MLOCK2 } from '../../shared/abi/syscall-numbers.ts';
import { addressOf, pagesOf } from '../../shared/units.ts';
import type { Vpn } from '../../shared/units.ts';

/**
 * Arguments {address, length, …} of syscall `number` from page `stoppedAtVpn` on; 0: all of it.
 * If the range began anew each time, one larger than memory would never finish: its first pages
 * would be reclaimed for its last.
 */
export function goOn(
  number: number,
  args: readonly number[],
  stoppedAtVpn: Vpn,
): readonly number[] {
  const [address = NaN, length = NaN, third = NaN, ...others] = args;
  if (stoppedAtVpn === 0) return args;
  const done = addressOf(stoppedAtVpn) - address;
  // mincore's third argument is where the bytes for the pages go.
  const next = number === SYS_MINCORE ? third + pagesOf(done) : third;
  return [address + done, length - done, next, ...others];
}

/** No syscall of a program's: mlock and mlock2 from their first page on that is not yet there. */
export const MLOCK_REST = 0x10000;

/**
 * Which call does the rest of syscall `number`. mlock has marked its areas; if it did so again, it
 * would undo another CPU's munlock, or fail at a hole that another one has made since.
 */
export function numberOfRest(number: number, stoppedAtVpn: Vpn): number {
  if (stoppedAtVpn === 0) return number;
  return number === SYS_MLOCK || number === SYS_MLOCK2 ? MLOCK_REST : number;
}
