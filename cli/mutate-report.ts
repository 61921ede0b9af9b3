/** What `faultline explore --mutate` says: a line for each survivor, the score as tables, JSON. */
import type { MutantInfo } from '../lab/explore/mutate/schemata-build.ts';
import { scoreOf, scoresBy } from '../lab/explore/mutate/verdict.ts';
import type { Score, Verdict } from '../lab/explore/mutate/verdict.ts';
import { formatCount, formatTable } from './text-table.ts';

const changeMax = 100;

export function describeMutant({ id, line, change }: Omit<MutantInfo, 'number' | 'place'>): string {
  return `${id} (line ${line}): ${cut(change)}`;
}

/** The line of a mutant that was not killed. */
export function describeSurvivor({ mutant, line, change, outcome }: Verdict): string {
  return `${outcome}: ${mutant} (line ${line}): ${cut(change)}`;
}

function cut(text: string): string {
  return text.length > changeMax ? `${text.slice(0, changeMax - 1)}…` : text;
}

export function isLeft({ outcome }: Verdict): boolean {
  return outcome === 'survived' || outcome === 'not executed';
}

/** The score by file and by operator, and in all. */
export function formatScore(verdicts: readonly Verdict[]): string {
  const all = scoreOf('all', verdicts);
  const executions = verdicts.reduce((sum, verdict) => sum + verdict.executions, 0);
  return [
    table(
      'operator',
      scoresBy(verdicts, ({ operator }) => operator),
      all,
    ),
    table(
      'file',
      scoresBy(verdicts, ({ path }) => path),
      all,
    ),
    `mutation score ${percent(all)}: ${formatCount(all.killed)} of ` +
      `${formatCount(all.mutants - all.equivalent)} mutants killed, ` +
      `${formatCount(all.equivalent)} equivalent, ${formatCount(executions)} executions`,
  ].join('\n\n');
}

function table(what: string, scores: readonly Score[], all: Score): string {
  const header = [what, 'mutants', 'killed', 'survived', 'not executed', 'equivalent', 'score'];
  const rows = [...scores, all].map((score) => [
    score.name,
    ...[score.mutants, score.killed, score.survived, score.notExecuted, score.equivalent].map(
      formatCount,
    ),
    percent(score),
  ]);
  return formatTable(header, rows, 'lrrrrrr');
}

function percent(score: Score): string {
  return score.percent === null ? '–' : `${score.percent.toFixed(1)} %`;
}

/** What explores a killed mutant where it was seen, and tells its story; null for others. */
export function commandOf({ by, mutant }: Verdict): string | null {
  if (by === null) return null;
  const { scenario, protocol, bound } = by;
  const options = `--protocol ${protocol} --bound ${bound} --mutant '${mutant}'`;
  return `faultline explore ${scenario} ${options}`;
}

/** The document that `--json` prints. */
export function documentOf(verdicts: readonly Verdict[]): unknown {
  return {
    score: scoreOf('all', verdicts),
    operators: scoresBy(verdicts, ({ operator }) => operator),
    files: scoresBy(verdicts, ({ path }) => path),
    mutants: verdicts.map((verdict) => ({ ...verdict, command: commandOf(verdict) })),
  };
}
