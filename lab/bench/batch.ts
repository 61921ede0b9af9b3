/** What the coordinator and its Workers tell each other: types only. */
import type { Contention, SuiteName } from './benchmarks.ts';
import type { AccessCounts } from './meter.ts';

/** What a Worker is started with. */
export interface CrewInit {
  readonly control: SharedArrayBuffer;
  /** CPU of the machine, from 1. */
  readonly cpu: number;
  /** A built-in's name, or the URL of a module. */
  readonly protocol: string;
  /** Host CPU to pin the thread to, or null. */
  readonly hostCpu: number | null;
}

/** A repetition of one benchmark, or of the floor, by the first `threads` Workers of a crew. */
export interface Batch {
  readonly machine: SharedArrayBuffer;
  readonly suite: SuiteName | 'floor';
  readonly benchmark: string;
  readonly contention: Contention;
  readonly threads: number;
  /** The round before the first run. */
  readonly round: number;
  /** Runs, each in an address space of its own. */
  readonly runs: number;
  /** Iterations of a run that is a loop. */
  readonly iterations: number;
  readonly doubled: boolean;
  readonly regionBytes: number;
  /** First descriptor of the threads' files, or −1. */
  readonly fd: number;
  readonly seed: number;
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

export type CrewMessage =
  | { readonly kind: 'ready'; readonly pinned: boolean; readonly metered: boolean }
  /** The last thread of a run has finished. */
  | { readonly kind: 'finished' }
  | { readonly kind: 'error'; readonly message: string }
  | BatchReport;
