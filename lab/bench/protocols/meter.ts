/**
 * The counting pass's switch. In the normal build it does nothing: the build replaces this module
 * and shared/atomics.ts by counting-atomics.ts to make dist/bench-counting-worker.js.
 */
import type { Words } from '../../../shared/atomics.ts';

/** What one thread did in one run: words of the machine, and how often it wrote each. */
export interface AccessCounts {
  readonly words: Int32Array;
  /** 0 for a word that was only read. */
  readonly writes: Int32Array;
  /** Compare-exchanges that found another value. */
  readonly failedExchanges: number;
  /** Accesses that were atomic, reads and writes. */
  readonly atomics: number;
}

export const METERED: boolean = false;

/** Counts this thread's accesses to the machine from now on. */
export function startCounting(_machine: Words): void {}

/** Ends the count; null where nothing counts. */
export function stopCounting(): AccessCounts | null {
  return null;
}
