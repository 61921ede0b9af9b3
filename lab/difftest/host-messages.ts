/** Lines between host-client.ts and the processes it runs (difftest-host.ts). */
import type { RunOptions } from './script.ts';
import type { Outcome, Sequence } from './sequence.ts';

export interface HostRequest {
  readonly sequence: Sequence;
  readonly options: RunOptions;
}

export interface HostAnswer {
  /** The first line of a process: where its files are. */
  readonly directory?: string;
  readonly outcomes?: readonly Outcome[];
  /** The process can run no more. */
  readonly isSpent?: boolean;
  /** The sequence could not be run. */
  readonly error?: string;
}

/** Exit status of a process whose heap is at no comparable place; another process may do better. */
export const UNFIT = 3;
