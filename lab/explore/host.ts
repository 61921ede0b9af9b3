/**
 * What the explorer needs from where it runs. lab/explore without its node/ folder uses nothing
 * else of its surroundings, so that a page can bundle it and be a host of its own.
 */
import type { Toolchain } from './build/toolchain.ts';
import type { Unit } from './engine/unit.ts';
import type { Job, Report, UnitReport } from './experiment.ts';

/** An explorer on another thread, with a laboratory of its own. */
export interface Explorer {
  explore(job: Job): Promise<Report>;
  /** Carries out a unit of a job's exhaustive search. */
  exploreUnit(job: Job, unit: Unit): Promise<UnitReport>;
  /** Ends what is being explored soon, as not complete. */
  stop(): void;
  /** Ends the thread, in the middle of an exploration too. */
  end(): Promise<void>;
}

export interface Host extends Toolchain {
  /** The absolute path of a module that the user named by a path. */
  absolutePath(path: string): string;
  /** A clock that never goes back. */
  readonly nowMs: () => number;
  /** Lets others on the thread have a turn. */
  readonly pause: () => Promise<void>;
  readonly startExplorer: () => Explorer;
}
