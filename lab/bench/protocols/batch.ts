/** What the coordinator and its threads tell each other: types only. */
import type { Benchmark, Contention } from './benchmarks.ts';
import type { AccessCounts } from './meter.ts';

/** What a Worker is started with. */
export interface ThreadInit {
  readonly control: SharedArrayBuffer;
  /** CPU of the machine, from 1. */
  readonly cpu: number;
  /** A built-in's name, or the URL of a module. */
  readonly protocol: string;
  /** Host CPU to pin the thread to, or null. */
  readonly hostCpu: number | null;
}

/** What each thread does in a run: part of a benchmark, or a bare operation of the host. */
export type Work =
  | BenchmarkWork
  | { readonly kind: 'clock'; readonly iterations: number }
  | { readonly kind: 'exchange'; readonly word: 'own' | 'shared'; readonly iterations: number };

export interface BenchmarkWork {
  readonly kind: 'benchmark';
  readonly benchmark: Benchmark;
  readonly machine: SharedArrayBuffer;
  readonly contention: Contention;
  /** Iterations of a run that is a loop. */
  readonly iterations: number;
  readonly doubledStrides: boolean;
  readonly regionBytes: number;
  /** First descriptor of the threads' files, or −1. */
  readonly fd: number;
  readonly seed: number;
}

/** A repetition by the first `threads` Workers of a group. */
export interface Batch {
  readonly threads: number;
  /** Runs, each in an address space of its own. */
  readonly runs: number;
  readonly work: Work;
  /** The round before the first run. */
  readonly round: number;
}

export interface BatchReport {
  readonly kind: 'report';
  /** Nanoseconds by request index, summed over the runs. */
  readonly latencyNs: Float64Array;
  readonly operations: number;
  readonly elapsedNs: number;
  /** One element a run, in the counting pass only. */
  readonly counts: readonly AccessCounts[];
}

export type ThreadMessage =
  | { readonly kind: 'ready'; readonly pinned: boolean; readonly metered: boolean }
  /** The last thread of a run has finished. */
  | { readonly kind: 'finished' }
  | { readonly kind: 'error'; readonly message: string }
  | BatchReport;
