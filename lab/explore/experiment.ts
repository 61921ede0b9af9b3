/** What can be explored, and what is told about it. */
import type { ConflictRecord } from './coverage.ts';
import type { Exploration, Search } from './engine/explore.ts';
import type { UnitResult } from './engine/unit.ts';

export interface Experiment {
  /** Name, or path of a module that exports a scenario as default. */
  readonly scenario: string;
  /** Name, or path of a module that exports a protocol as default. */
  readonly protocol: string;
  readonly mutant: string | null;
}

/** An exploration to be carried out. */
export interface Job {
  readonly experiment: Experiment;
  readonly search: Search;
  /** Whether to record which accesses were in conflict. */
  readonly wantsConflicts?: boolean;
}

export interface Report {
  readonly experiment: Experiment;
  readonly exploration: Exploration;
  /** Replays the minimised failure; null when nothing was found. */
  readonly schedule: string | null;
  /** Where races were allowed (engine/races-allowed.ts). */
  readonly excuses: readonly string[];
  /** Which accesses were in conflict, if that was asked for. */
  readonly conflicts?: ConflictRecord;
}

/** What a unit of an exploration has given. */
export interface UnitReport extends Pick<Report, 'schedule' | 'excuses' | 'conflicts'> {
  readonly result: UnitResult;
}

/** Whether the name of a scenario or protocol is the path of a module. */
export function isPath(name: string): boolean {
  return /[\\/]|\.[cm]?[jt]s$/.test(name);
}

/** A violation by the kernel itself, after which nothing more is explored. */
export function isFailureOfKernel({ experiment, exploration }: Report): boolean {
  return exploration.finding !== null && experiment.mutant === null;
}

/** Reports in the order of their jobs. */
export function inOrder(jobs: readonly Job[], reports: readonly Report[]): Report[] {
  const placeOf = ({ experiment: { scenario, protocol } }: Report): number =>
    jobs.findIndex(({ experiment }) => {
      return experiment.scenario === scenario && experiment.protocol === protocol;
    });
  return [...reports].sort((one, other) => placeOf(one) - placeOf(other));
}
