/** Which accesses of a run were to memory that its threads share: the counting pass's result. */
import type { Machine } from '../../../kernel/index.ts';
import { wordName } from '../../../shared/layout/names.ts';
import type { AccessCounts } from './meter.ts';

/** Words of a 64-byte cache line. */
const LINE_SHIFT = 4;
/** Names of shared words that a result lists. */
const HOTTEST = 8;

/** Shared words of one kind, such as 'space RESIDENT', and writes to them per operation. */
export interface HotWord {
  readonly name: string;
  readonly writes: number;
}

/** All per operation. */
export interface Contended {
  /** Writes to words that another thread touched in the same run. */
  readonly sharedWrites: number;
  /** The same by cache line, so including false sharing. */
  readonly sharedLineWrites: number;
  readonly writes: number;
  /** Atomic reads and writes. */
  readonly atomics: number;
  /** Compare-exchanges that found another value than expected. */
  readonly failedExchanges: number;
  /** Of the last run, the most written first. */
  readonly hottest: readonly HotWord[];
}

/** `runs` has, for each run, the counts of each of its threads. */
export function contended(
  runs: readonly AccessCounts[][],
  operations: number,
  hottest: readonly HotWord[],
): Contended {
  const mean = <T>(all: readonly T[], each: (one: T) => number): number =>
    all.reduce((sum, one) => sum + each(one), 0) / Math.max(1, operations);
  const threads = runs.flat();
  return {
    sharedWrites: mean(runs, (run) => sharedWrites(run, 0)),
    sharedLineWrites: mean(runs, (run) => sharedWrites(run, LINE_SHIFT)),
    writes: mean(threads, ({ writes }) => writes.reduce((sum, one) => sum + one, 0)),
    atomics: mean(threads, ({ atomics }) => atomics),
    failedExchanges: mean(threads, ({ failedExchanges }) => failedExchanges),
    hottest,
  };
}

/** What the threads of one run shared, by name, while its space still exists. */
export function hottestWords(
  machine: Machine,
  threads: readonly AccessCounts[],
  operations: number,
): HotWord[] {
  const masks = masksOf(threads, 0);
  const sums = new Map<string, number>();
  for (const { words, writes } of threads) {
    words.forEach((word, i) => {
      if (!isShared(masks.get(word)) || writes[i] === 0) return;
      // 'table 12 (level 0) entry 5' and its neighbour are words of one kind, as are 'FREE_HEADS+1'
      // and 'FREE_HEADS+2'.
      const name = wordName(machine, word).replace(/ \d+(\.\d+)?(?= |$)|\+\d+$/g, '');
      sums.set(name, (sums.get(name) ?? 0) + (writes[i] as number));
    });
  }
  return [...sums]
    .map(([name, sum]) => ({ name, writes: sum / Math.max(1, operations) }))
    .sort((a, b) => b.writes - a.writes)
    .slice(0, HOTTEST);
}

/** For each unit of 2^shift words, a bit for each thread that touched it. */
function masksOf(threads: readonly AccessCounts[], shift: number): Map<number, number> {
  const masks = new Map<number, number>();
  threads.forEach(({ words }, thread) => {
    for (const word of words) {
      const unit = word >>> shift;
      masks.set(unit, (masks.get(unit) ?? 0) | (1 << thread));
    }
  });
  return masks;
}

function isShared(mask: number | undefined): boolean {
  return mask !== undefined && (mask & (mask - 1)) !== 0;
}

/** Writes to units of 2^shift words that at least two threads touched. */
function sharedWrites(threads: readonly AccessCounts[], shift: number): number {
  const masks = masksOf(threads, shift);
  let sum = 0;
  for (const { words, writes } of threads) {
    words.forEach((word, i) => {
      if (isShared(masks.get(word >>> shift))) sum += writes[i] as number;
    });
  }
  return sum;
}
