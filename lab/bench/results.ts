/** What a benchmark run yields: the document that --json prints and all other outputs show. */
import type { Contended } from './contention.ts';
import type { Contention, SuiteName } from './benchmarks.ts';
import type { HostFacts } from './host.ts';
import type { Spread } from './statistics.ts';

export interface BenchResult {
  readonly suite: SuiteName;
  readonly benchmark: string;
  readonly contention: Contention;
  readonly protocol: string;
  readonly cpus: number;
  /** Operations of all repetitions: requests, iterations, or for page_fault* page faults. */
  readonly operations: number;
  /**
   * Nanoseconds of an operation, over the repetitions. CortenMM: mean of the last 16 of 32
   * requests, as published. Others: a thread's time divided by its operations.
   */
  readonly latencyNs: Spread;
  /** Operations per microsecond of all CPUs. CortenMM: 1000 / latency × threads, as published. */
  readonly throughput: Spread;
  /** Median latency divided by that of a bare, uncontended compare-exchange of this run. */
  readonly floorRatio: number;
  /** Mean nanoseconds by request index; empty where there is none. */
  readonly requestNs: readonly number[];
  /** Counters of the CPUs, per operation. */
  readonly perOperation: {
    readonly lockWaits: number;
    readonly faultRetries: number;
    readonly lockFallbacks: number;
    readonly raceLosses: number;
    readonly shootdowns: number;
    readonly shootdownTargets: number;
    readonly faults: number;
  };
  /** From the counting pass; null when it was left out. */
  readonly contended: Contended | null;
}

export interface Floor {
  readonly cpus: number;
  /** Nanoseconds of a load and compare-exchange on a word of the thread's own. */
  readonly privateNs: Spread;
  /** The same on one word that all threads exchange. */
  readonly sharedNs: Spread;
}

export interface BenchOptions {
  readonly suites: readonly SuiteName[];
  /** Names to run; empty for all. */
  readonly benchmarks: readonly string[];
  readonly contentions: readonly Contention[];
  readonly cpus: readonly number[];
  /** Thread runs of a CortenMM benchmark in one repetition; the paper has 4096. */
  readonly runs: number;
  readonly repeat: number;
  /** For each protocol and benchmark, before anything is measured; besides, a repetition each. */
  readonly warmUpMs: number;
  /** Iterations of loops; null for each benchmark's own. */
  readonly iterations: number | null;
  readonly regionBytes: number;
  readonly doubledStrides: boolean;
  readonly count: boolean;
  readonly pin: boolean;
  readonly seed: number;
}

export interface BenchDocument {
  readonly host: HostFacts;
  readonly options: BenchOptions & { readonly protocols: readonly string[] };
  /** Whether every thread was kept on one host CPU. */
  readonly pinned: boolean;
  /** What one look at the clock costs, which each request's latency includes. */
  readonly clockNs: number;
  readonly floors: readonly Floor[];
  readonly results: readonly BenchResult[];
  /** What the audits found; anything here makes the figures worthless. */
  readonly violations: readonly string[];
  readonly wallMs: number;
}
