/** What `faultline stress` is asked and what it found: types only. */
import type { FlushPolicy } from '../../kernel/index.ts';
import type { FaultMode } from '../../workers/api/machine-api.ts';
import type { Counter } from './oracle.ts';

/** One machine under stress. */
export interface StressOptions {
  /** A built-in protocol's name, or the URL of a module. */
  readonly protocol: string;
  readonly faults: FaultMode;
  readonly shootdown: FlushPolicy;
  readonly durationMs: number;
  readonly cpus: number;
  readonly memoryBytes: number;
  /** 0: no swap store, and no pressure on memory. */
  readonly swapBytes: number;
  readonly seed: number;
  /** Processes at a time, and threads of each besides its main function. */
  readonly processes: number;
  readonly threads: number;
  /** Forked children that a thread has at a time. */
  readonly forks: number;
}

export interface StressResult {
  /** What was wrong, one line each; empty when all went well. */
  readonly failures: readonly string[];
  /** The kernel log and every CPU's state, when something was wrong. */
  readonly evidence: readonly string[];
  /** How long the threads worked. */
  readonly wallMs: number;
  /** Processes that were started, and threads that were killed on purpose. */
  readonly processesRun: number;
  readonly threadsKilled: number;
  readonly counts: Readonly<Record<Counter, number>>;
  /** The machine's counters. */
  readonly counters: Readonly<Record<string, number>>;
  readonly audits: number;
}
