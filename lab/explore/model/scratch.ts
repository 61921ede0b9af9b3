/**
 * What the model itself keeps in the machine: words of the boot block's scratch range, which the
 * kernel does not use. They are words of the machine so that accesses to them are steps like any
 * other, and go back to their state after setup.
 */
import * as BOOT from '../../../shared/layout/boot.ts';

/** The lock of the scenarios about locks, and the counter that it protects. */
export const LOCK: number = BOOT.SCRATCH;
export const COUNTER: number = BOOT.SCRATCH + 1;
/** The swap store: a word a slot, for the first word of the slot's page. */
export const SWAP_STORE: number = BOOT.SCRATCH + 16;

/** What a word means to the model, for stories; null for a word of the kernel's. */
export function modelWordName(at: number): string | null {
  if (at === LOCK) return 'scenario lock';
  if (at === COUNTER) return 'scenario counter';
  if (at < SWAP_STORE || at >= BOOT.SCRATCH + BOOT.SCRATCH_WORDS) return null;
  return `swap store slot ${at - SWAP_STORE}`;
}
