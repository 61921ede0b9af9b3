/**
 * Latency histograms in the machine: 8 linear buckets for each power of two of nanoseconds, so a
 * quantile is exact to 12.5 %. Any CPU records at any time.
 */
import { add, peek } from '../../shared/atomics.ts';
import { HISTOGRAM_BUCKETS } from '../../shared/limits.ts';
import type { Machine } from '../machine/machine.ts';

const SUB_BITS = 3;
const SUB = 1 << SUB_BITS;
/** Nanoseconds beyond 32-bit integers are shifted to the right first. */
const INTEGER_END = 2 ** 31;
const LARGE_SHIFT = 16;

/** The bucket of a value in nanoseconds. Values below 8 have one each. */
function bucketOf(ns: number): number {
  if (ns < SUB) return Math.max(0, Math.floor(ns));
  // In integers: a logarithm and a power take 60 ns, and every syscall is counted.
  const shift = ns < INTEGER_END ? 0 : LARGE_SHIFT;
  const whole = Math.min(ns / (1 << shift), INTEGER_END - 1) | 0;
  const power = 31 - Math.clz32(whole);
  const within = (whole >> (power - SUB_BITS)) - SUB;
  return Math.min(HISTOGRAM_BUCKETS - 1, (shift + power - SUB_BITS + 1) * SUB + within);
}

/** The smallest value of a bucket, in nanoseconds. */
function bucketStart(bucket: number): number {
  if (bucket < SUB) return bucket;
  const power = Math.floor(bucket / SUB) - 1 + SUB_BITS;
  return (SUB + (bucket % SUB)) * 2 ** (power - SUB_BITS);
}

/** Counts one latency of the histogram `index`. */
export function recordLatency(machine: Machine, index: number, ns: number): void {
  // ORDER: a counter.
  add(machine.words, machine.histograms + index * HISTOGRAM_BUCKETS + bucketOf(ns), 1);
}

/** What a histogram says. */
export interface Quantiles {
  /** Calls. */
  readonly count: number;
  /** Half of the calls took no longer, in nanoseconds. */
  readonly p50Ns: number;
  /** Of 100 calls, 99 took no longer, in nanoseconds. */
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
