/** The museum: bugs that real kernels had, each found again by exploration of a mutant. */
import { drawRace } from '../story/race-drawing.ts';
import type { Laboratory } from '../laboratory.ts';
import { mutantNamed } from '../mutants.ts';
import type { Mutant } from '../mutants.ts';
import { panic } from '../../../shared/panic.ts';
import type { Exhibit } from './exhibit.ts';
import { LINUX_EXHIBITS } from './linux-exhibits.ts';
import { OTHER_EXHIBITS } from './other-exhibits.ts';

export const EXHIBITS: readonly Exhibit[] = [...LINUX_EXHIBITS, ...OTHER_EXHIBITS];

/** What exploration says of an exhibit. */
export interface Visit {
  readonly exhibit: Exhibit;
  readonly scenario: string;
  readonly protocol: string;
  /** Executions until the bug was found, over bounds 0, 1, 2, 3 in turn; 0 when it was not. */
  readonly executions: number;
  /** Kind of the failure, '' for none. */
  readonly kind: string;
  /** Replays the failure, '' for none. */
  readonly schedule: string;
  /** The failure as a drawing with a column for each CPU. */
  readonly drawing: string;
  /** Executions of the kernel without the bug, at most one preemption each. */
  readonly cleanExecutions: number;
  /** What was found in these, '' for nothing. */
  readonly cleanFailure: string;
}

const BOUND_MAX = 3;
const CLEAN_BOUND = 1;
const LIMITS = { depth: 3, seed: 1, executionsMax: 1e6, timeMaxMs: 60_000 } as const;

export function mutantOf({ mutant }: Exhibit): Mutant {
  return mutantNamed(mutant) ?? panic('museum: no such mutant', mutant);
}

/** Explores an exhibit under its protocol or another, with and without its bug. */
export async function visit(
  laboratory: Laboratory,
  exhibit: Exhibit,
  protocol: string = mutantOf(exhibit).protocol,
): Promise<Visit> {
  const { scenario } = mutantOf(exhibit);
  const experiment = { scenario, protocol, mutant: exhibit.mutant };
  const search = { ...LIMITS, strategy: 'exhaustive' } as const;
  let executions = 0;
  let kind = '';
  let schedule = '';
  let drawing = '';
  for (let bound = 0; bound <= BOUND_MAX && kind === ''; bound++) {
    const report = await laboratory.explore({ experiment, search: { ...search, bound } });
    executions += report.exploration.executions;
    if (report.exploration.finding === null || report.schedule === null) continue;
    kind = report.exploration.finding.failure.kind;
    schedule = report.schedule;
    drawing = drawRace((await laboratory.retell(schedule)).story);
  }
  const clean = await laboratory.explore({
    experiment: { ...experiment, mutant: null },
    search: { ...search, bound: CLEAN_BOUND },
  });
  return {
    ...{ exhibit, scenario, protocol, kind, schedule, drawing },
    executions: kind === '' ? 0 : executions,
    cleanExecutions: clean.exploration.executions,
    cleanFailure: clean.exploration.finding?.failure.message ?? '',
  };
}
