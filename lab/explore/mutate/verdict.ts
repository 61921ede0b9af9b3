/** What became of a mutant, and how many were killed. */
import type { OperatorName } from './change.ts';
import type { Sighting } from './judge.ts';
import type { MutantInfo } from './schemata-build.ts';

export type Outcome =
  | 'killed'
  /** Executed, and never seen. */
  | 'survived'
  /** No scenario executes it. */
  | 'not executed'
  /** Argued to be no bug (equivalents.ts). */
  | 'equivalent';

export interface Verdict {
  readonly mutant: string;
  readonly path: string;
  readonly operator: OperatorName;
  readonly line: number;
  readonly change: string;
  readonly outcome: Outcome;
  /** Where a killed one was seen. */
  readonly by: Sighting | null;
  readonly visits: number;
  readonly executions: number;
  readonly steps: number;
}

export interface Work {
  readonly visits: number;
  readonly executions: number;
  readonly steps: number;
}

export const NO_WORK: Work = { visits: 0, executions: 0, steps: 0 };

export function verdictOf(
  { id, path, operator, line, change }: MutantInfo,
  outcome: Outcome,
  by: Sighting | null,
  work: Work,
): Verdict {
  return { mutant: id, path, operator, line, change, outcome, by, ...work };
}

/** A row of the score table. */
export interface Score {
  readonly name: string;
  readonly mutants: number;
  readonly killed: number;
  readonly survived: number;
  readonly notExecuted: number;
  readonly equivalent: number;
  /** Killed of those that are not equivalent, in per cent; null when there are none. */
  readonly percent: number | null;
}

export function scoreOf(name: string, verdicts: readonly Verdict[]): Score {
  const count = (outcome: Outcome): number =>
    verdicts.filter((verdict) => verdict.outcome === outcome).length;
  const [killed, equivalent] = [count('killed'), count('equivalent')];
  const judged = verdicts.length - equivalent;
  return {
    ...{ name, mutants: verdicts.length, killed, equivalent },
    survived: count('survived'),
    notExecuted: count('not executed'),
    percent: judged === 0 ? null : (killed / judged) * 100,
  };
}

/** Scores by what `key` says, names in order. */
export function scoresBy(verdicts: readonly Verdict[], key: (verdict: Verdict) => string): Score[] {
  const names = [...new Set(verdicts.map(key))].sort();
  return names.map((name) => {
    return scoreOf(
      name,
      verdicts.filter((verdict) => key(verdict) === name),
    );
  });
}
