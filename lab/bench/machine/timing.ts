/** How a figure comes from rounds of operations. */
import { ROUNDS } from './sizes.ts';

/** Nanoseconds of an operation, and of the same on bare typed arrays. */
export interface BesideRaw {
  readonly ns: number;
  readonly rawNs: number;
}

/**
 * Runs `round` once to warm up and then `ROUNDS` times; returns the least result. Whatever disturbs
 * a round makes it longer, never shorter.
 */
export function fastest(round: () => number): number {
  round();
  let best = Infinity;
  for (let i = 0; i < ROUNDS; i++) best = Math.min(best, round());
  return best;
}

/** Nanoseconds of one of `operations` that `work` makes. */
export function nanosecondsEach(operations: number, work: () => void): number {
  const startMs = performance.now();
  work();
  return ((performance.now() - startMs) * 1e6) / operations;
}
