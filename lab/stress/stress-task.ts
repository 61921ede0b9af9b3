/** What a stressed process and its threads are told, and what a thread has at hand. */
import type { Proc } from '../../workers/program.ts';
import type { Judge } from './judge.ts';
import type { Oracle } from './oracle.ts';

export interface StressTask {
  readonly oracle: SharedArrayBuffer;
  /** Tells processes apart by their pages' contents. */
  readonly process: number;
  readonly seed: number;
  readonly threads: number;
  /** Forked children that a thread has at a time. */
  readonly forks: number;
  /** Flush policy `lazy`: unmapped pages may be used for a while. */
  readonly isLazy: boolean;
  /** When the process kills one of its threads; null: never. */
  readonly killAfterMs: number | null;
}

export interface ThreadContext {
  readonly proc: Proc;
  readonly task: StressTask;
  readonly thread: number;
  readonly oracle: Oracle;
  readonly judge: Judge;
  /** A file of zeros. */
  readonly fd: number;
  /** Integers from 0 to `bound` - 1. */
  readonly random: (bound: number) => number;
}
