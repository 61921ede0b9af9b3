/** What is made of a failure that an exploration has found. */
import type { Executor } from './engine/executor.ts';
import type { Exploration, Finding } from './engine/explore.ts';
import { NOTHING_KNOWN } from './engine/knowledge.ts';
import { minimise } from './engine/minimise.ts';
import { formatSchedule, segmentsOf } from './engine/schedule.ts';
import type { Experiment, Report, UnitReport } from './experiment.ts';

/** The failure minimised, and the schedule that replays it. */
export function minimised(
  executor: Executor,
  experiment: Experiment,
  found: Finding,
): { finding: Finding; schedule: string } {
  const finding = minimise(executor, found);
  const segments = segmentsOf(finding.schedule);
  return { finding, schedule: formatSchedule({ ...experiment, segments }) };
}

/** The report of a scenario whose setup, which runs alone, panics: there is nothing to replay. */
export function panickedAlone(experiment: Experiment, { message }: Error): Report {
  const failure = { kind: 'panic', message: `in the scenario's setup: ${message}` } as const;
  const exploration: Exploration = {
    ...{ executions: 0, cut: 0, states: 0, steps: 0, elapsedMs: 0, points: 0, complete: false },
    finding: { failure, schedule: new Uint8Array(0) },
  };
  return { experiment, exploration, schedule: null, excuses: [] };
}

/** The same, where it was to be explored in units. */
export function panickedUnit(experiment: Experiment, error: Error): UnitReport {
  const { exploration, ...report } = panickedAlone(experiment, error);
  const nothing = { grew: false, knowledge: NOTHING_KNOWN, rest: [] };
  return { ...report, result: { ...exploration, ...nothing } };
}
