/** Which accesses of a run were to memory that its threads share: the counting pass's result. */
import type { AccessCounts } from './meter.ts';

/** Words of a 64-byte cache line. */
const LINE_SHIFT = 4;

/** All per operation. */
export interface Contended {
  /** Writes to words that another thread touched in the same run. */
  readonly sharedWrites: number;
  /** Writes to cache lines of which that is true: with false sharing. */
  readonly sharedLineWrites: number;
  readonly writes: number;
  /** Atomic reads and writes. */
  readonly atomics: number;
  /** Compare-exchanges that found another value than expected. */
  readonly failedExchanges: number;
}

/** `runs` has, for each run, the counts of each of its threads. */
export function contended(runs: readonly AccessCounts[][], operations: number): Contended {
  const sums = { sharedWrites: 0, sharedLineWrites: 0, writes: 0, atomics: 0, failedExchanges: 0 };
  for (const threads of runs) {
    sums.sharedWrites += sharedWrites(threads, 0);
    sums.sharedLineWrites += sharedWrites(threads, LINE_SHIFT);
    for (const one of threads) {
      sums.writes += one.writes.reduce((sum, writes) => sum + writes, 0);
      sums.atomics += one.atomics;
      sums.failedExchanges += one.failedExchanges;
    }
  }
  const perOperation = (sum: number): number => sum / Math.max(1, operations);
  return {
    sharedWrites: perOperation(sums.sharedWrites),
    sharedLineWrites: perOperation(sums.sharedLineWrites),
    writes: perOperation(sums.writes),
    atomics: perOperation(sums.atomics),
    failedExchanges: perOperation(sums.failedExchanges),
  };
}

/** Writes to units of 2^shift words that at least two threads touched. */
function sharedWrites(threads: readonly AccessCounts[], shift: number): number {
  const masks = new Map<number, number>();
  threads.forEach(({ words }, thread) => {
    for (const word of words) {
      const unit = word >>> shift;
      masks.set(unit, (masks.get(unit) ?? 0) | (1 << thread));
    }
  });
  let sum = 0;
  for (const { words, writes } of threads) {
    words.forEach((word, i) => {
      const mask = masks.get(word >>> shift) ?? 0;
      if ((mask & (mask - 1)) !== 0) sum += writes[i] as number;
    });
  }
  return sum;
}
