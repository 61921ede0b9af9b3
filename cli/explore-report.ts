/** What `faultline explore` says of its explorations: lines and tables, and the JSON document. */
import type { Report } from '../lab/explore/experiment.ts';
import type { MutantRow } from '../lab/explore/mutant-table.ts';
import { counted } from './counted.ts';
import { formatCount, formatTable } from './text-table.ts';

interface Named {
  readonly name: string;
  readonly about: string;
}

/** What `--list` prints. */
export function formatCatalogue(catalogue: {
  readonly scenarios: readonly Named[];
  readonly protocols: readonly string[];
  readonly mutants: readonly Named[];
}): string {
  const rows = (items: readonly Named[]): string =>
    items.map(({ name, about }) => `  ${name.padEnd(26)}${about}`).join('\n');
  const { scenarios, protocols, mutants } = catalogue;
  return [
    `Scenarios:\n${rows(scenarios)}`,
    `Protocols: ${protocols.join(', ')}`,
    `Mutants:\n${rows(mutants)}`,
  ].join('\n\n');
}

/** The line of one exploration. */
export function describeReport({ experiment, exploration }: Report): string {
  const { executions, elapsedMs, complete, finding, steps } = exploration;
  const outcome =
    finding === null ? (complete ? 'complete' : 'not complete') : finding.failure.kind;
  const name = `${experiment.scenario} ${experiment.protocol}`;
  const meanSteps = Math.round(steps / Math.max(1, executions));
  const rate = elapsedMs > 0 ? (executions / elapsedMs) * 1000 : 0;
  return [
    name.padEnd(36),
    outcome.padEnd(14),
    `${counted(executions, 'executions')} of ${counted(meanSteps, 'steps')},`,
    `${(elapsedMs / 1000).toFixed(1)} s, ${formatCount(rate)}/s`,
  ].join(' ');
}

/** What was found and what replays it, where no story is told; empty for nothing. */
export function describeFinding({ exploration: { finding }, schedule }: Report): string {
  if (finding === null) return '';
  const again = schedule === null ? '' : `\n  faultline explore --replay '${schedule}'`;
  return `  ${finding.failure.message}${again}`;
}

/** How many explorations there were, and which the limits have cut short. */
export function describeReports(reports: readonly Report[]): string {
  const executions = reports.reduce((sum, { exploration }) => sum + exploration.executions, 0);
  const cut = reports.filter(({ exploration }) => {
    return !exploration.complete && exploration.finding === null;
  });
  const names = cut.map(({ experiment }) => `${experiment.scenario} ${experiment.protocol}`);
  const all = `${counted(reports.length, 'explorations')}, ${counted(executions, 'executions')}`;
  return names.length === 0 ? all : `${all}; not complete: ${names.join(', ')}`;
}

/** One exploration in the document that `--json` prints. */
export function documentOf({ experiment, exploration, schedule }: Report): unknown {
  return {
    ...experiment,
    executions: exploration.executions,
    steps: exploration.steps,
    elapsedMs: Math.round(exploration.elapsedMs),
    complete: exploration.complete,
    failure: exploration.finding?.failure ?? null,
    schedule,
  };
}

/** The table of docs/explore.md. */
export function formatMutants(rows: readonly MutantRow[]): string {
  const header = ['mutant', 'scenario', 'protocol', 'found as', 'exhaustive', 'pct', 'random'];
  const cells = rows.map((row) => [
    row.mutant,
    row.scenario,
    row.protocol,
    row.kinds.join(', '),
    row.exhaustive,
    row.pct,
    row.random,
  ]);
  return formatTable(header, cells, 'llllrrr');
}
