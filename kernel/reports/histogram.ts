/**
 * Latency histograms in the machine: 8 linear buckets for each power of two of nanoseconds, so a
 * quantile is exact to 12.5 %. Any CPU records at any time.
 */
import { add, peek } from '../../shared/atomics.ts';
import { HISTOGRAM_BUCKETS } from '../../shared/limits.ts';
import type { Machine } from '../machine.ts';

const SUB_BITS = 3;
const SUB = 1 << SUB_BITS;

/** The bucket of a value in nanoseconds. Values below 8 have one each. */
export function bucketOf(ns: number): number {
  if (ns < SUB) return Math.max(0, Math.floor(ns));
  const power = Math.floor(Math.log2(ns));
  const within = Math.floor(ns / 2 ** (power - SUB_BITS)) - SUB;
  return Math.min(HISTOGRAM_BUCKETS - 1, (power - SUB_BITS + 1) * SUB + within);
}

/** The smallest value of a bucket, in nanoseconds. */
export function bucketStart(bucket: number): number {
  if (bucket < SUB) return bucket;
  const power = Math.floor(bucket / SUB) - 1 + SUB_BITS;
  return (SUB + (bucket % SUB)) * 2 ** (power - SUB_BITS);
}

/** Counts one latency of the histogram `index`. */
export function recordLatency(machine: Machine, index: number, ns: number): void {
  // ORDER: a counter.
  add(machine.words, machine.histograms + index * HISTOGRAM_BUCKETS + bucketOf(ns), 1);
}

export interface Quantiles {
  readonly count: number;
  readonly p50Ns: number;
  readonly p99Ns: number;
}

/** Count and quantiles of a histogram; the quantiles are the starts of their buckets. */
export function readHistogram(machine: Machine, index: number): Quantiles {
  const base = machine.histograms + index * HISTOGRAM_BUCKETS;
  let total = 0;
  for (let i = 0; i < HISTOGRAM_BUCKETS; i++) total += peek(machine.words, base + i);
  return {
    count: total,
    p50Ns: quantile(machine, base, total * 0.5),
    p99Ns: quantile(machine, base, total * 0.99),
  };
}

function quantile(machine: Machine, base: number, rank: number): number {
  let seen = 0;
  for (let i = 0; i < HISTOGRAM_BUCKETS; i++) {
    seen += peek(machine.words, base + i);
    if (seen > 0 && seen >= rank) return bucketStart(i);
  }
  return 0;
}
