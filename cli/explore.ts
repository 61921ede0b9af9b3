/**
 * `faultline explore`: explores scenarios under protocols, prints a line for each and a story for
 * the first failure, and returns the exit status.
 */
import { writeFileSync } from 'node:fs';
import { formatStory, tell } from '../lab/explore/engine/story.ts';
import type { Story } from '../lab/explore/engine/story.ts';
import { storyHtml } from '../lab/explore/engine/story-html.ts';
import { parseSchedule } from '../lab/explore/engine/schedule.ts';
import type { ScheduleText } from '../lab/explore/engine/schedule.ts';
import { Laboratory, isPath, protocolsFor } from '../lab/explore/laboratory.ts';
import type { Experiment, Report } from '../lab/explore/laboratory.ts';
import { exploreTasks } from '../lab/explore/side-by-side.ts';
import type { Task } from '../lab/explore/side-by-side.ts';
import { MUTANTS } from '../lab/explore/mutants.ts';
import { mutantTable } from '../lab/explore/mutant-table.ts';
import { boundDefault, parseExplore } from './explore-request.ts';
import type { ExploreRequest } from './explore-request.ts';
import { formatCount, formatTable } from './text-table.ts';
import { suggest, UsageError } from './usage.ts';

const columnsDefault = 120;

/** Returns the exit status. */
export async function exploreCommand(args: readonly string[]): Promise<number> {
  const request = parseExplore(args);
  if (typeof request === 'string') {
    console.log(request);
    return 0;
  }
  const laboratory = new Laboratory();
  switch (request.action) {
    case 'list':
      return list(laboratory, request);
    case 'mutants':
      return printMutants(laboratory, request);
    case 'replay':
      return replay(laboratory, request);
    case 'explore':
      return exploreAll(laboratory, request);
  }
}

async function list(laboratory: Laboratory, { json }: ExploreRequest): Promise<number> {
  const scenarios = (await laboratory.scenarios()).map(({ name, about }) => ({ name, about }));
  const protocols = await laboratory.protocols();
  const mutants = MUTANTS.map(({ name, about }) => ({ name, about }));
  if (json) {
    console.log(JSON.stringify({ scenarios, protocols, mutants }, null, 2));
    return 0;
  }
  const rows = (items: readonly { name: string; about: string }[]): string =>
    items.map(({ name, about }) => `  ${name.padEnd(26)}${about}`).join('\n');
  console.log(`Scenarios:\n${rows(scenarios)}\n`);
  console.log(`Protocols: ${protocols.join(', ')}\n\nMutants:\n${rows(mutants)}`);
  return 0;
}

/** What to explore, in order. Throws a UsageError for names that do not exist. */
async function experimentsOf(
  laboratory: Laboratory,
  request: ExploreRequest,
): Promise<{ experiment: Experiment; cpus: number }[]> {
  const shipped = await laboratory.scenarios();
  const allProtocols = await laboratory.protocols();
  const { mutant: mutantName } = request;
  const mutant = mutantName === null ? null : laboratory.mutant(mutantName);
  if (mutantName !== null && mutant === null) {
    refuseName(
      'mutant',
      mutantName,
      MUTANTS.map(({ name }) => name),
    );
  }
  let names: readonly string[] = request.scenarios;
  if (names.length === 0) names = mutant ? [mutant.scenario] : shipped.map(({ name }) => name);
  const wanted = mutant && request.scenarios.length === 0 ? [mutant.protocol] : request.protocols;
  const protocols = wanted.length === 0 ? allProtocols : wanted;
  for (const name of protocols) {
    if (!isPath(name) && !allProtocols.includes(name)) refuseName('protocol', name, allProtocols);
  }
  return names.flatMap((scenario) => {
    const known = shipped.find(({ name }) => name === scenario);
    if (known === undefined && !isPath(scenario)) {
      refuseName(
        'scenario',
        scenario,
        shipped.map(({ name }) => name),
      );
    }
    const fitting = known === undefined ? protocols : protocolsFor(known, protocols);
    const cpus = known?.cpus.length ?? 2;
    return fitting.map((protocol) => ({
      experiment: { scenario, protocol, mutant: mutantName },
      cpus,
    }));
  });
}

function refuseName(what: string, name: string, candidates: readonly string[]): never {
  const hint = suggest(name, candidates) || '; see faultline explore --list';
  throw new UsageError(`no ${what} is called '${name}'${hint}`);
}

async function exploreAll(laboratory: Laboratory, request: ExploreRequest): Promise<number> {
  const reports: Report[] = [];
  const tasks = (await experimentsOf(laboratory, request)).map(({ experiment, cpus }) => ({
    experiment,
    search: { ...request, bound: request.bound ?? boundDefault(cpus) },
  }));
  for await (const report of exploreTasks(laboratory, tasks, request.jobs)) {
    reports.push(report);
    if (!request.json) console.log(lineOf(report));
    if (report.schedule !== null && request.mutant === null) break;
  }
  reports.sort((one, other) => placeOf(tasks, one) - placeOf(tasks, other));
  const failed = reports.find(({ schedule }) => schedule !== null);
  if (!request.json && reports.length > 1) console.log(summaryOf(reports));
  if (failed !== undefined) await show(laboratory, failed, request);
  if (request.json) console.log(JSON.stringify(documentOf(reports), null, 2));
  return failed === undefined ? 0 : 1;
}

/** Where the report's task is among all: reports come as explorations end. */
function placeOf(tasks: readonly Task[], { experiment: { scenario, protocol } }: Report): number {
  return tasks.findIndex(({ experiment }) => {
    return experiment.scenario === scenario && experiment.protocol === protocol;
  });
}

function lineOf({ experiment, exploration }: Report): string {
  const { executions, elapsedMs, complete, finding, steps } = exploration;
  const outcome =
    finding === null ? (complete ? 'complete' : 'not complete') : finding.failure.kind;
  const name = `${experiment.scenario} ${experiment.protocol}`;
  const rate = elapsedMs > 0 ? (executions / elapsedMs) * 1000 : 0;
  return [
    name.padEnd(36),
    outcome.padEnd(14),
    `${formatCount(executions)} executions of ${formatCount(steps / executions)} steps,`,
    `${(elapsedMs / 1000).toFixed(1)} s, ${formatCount(rate)}/s`,
  ].join(' ');
}

/** How many explorations there were, and which the limits have cut short. */
function summaryOf(reports: readonly Report[]): string {
  const executions = reports.reduce((sum, { exploration }) => sum + exploration.executions, 0);
  const cut = reports.filter(({ exploration }) => {
    return !exploration.complete && exploration.finding === null;
  });
  const names = cut.map(({ experiment }) => `${experiment.scenario} ${experiment.protocol}`);
  const all = `${formatCount(reports.length)} explorations, ${formatCount(executions)} executions`;
  return names.length === 0 ? all : `${all}; not complete: ${names.join(', ')}`;
}

/** The story of a failure, as text and as a page. */
async function show(
  laboratory: Laboratory,
  report: Report,
  request: ExploreRequest,
): Promise<void> {
  const schedule = parseSchedule(report.schedule ?? '');
  if (schedule === null) throw new Error(`a schedule that cannot be read: ${report.schedule}`);
  await showSchedule(laboratory, schedule, report.schedule ?? '', request);
}

async function showSchedule(
  laboratory: Laboratory,
  schedule: ScheduleText,
  text: string,
  request: ExploreRequest,
): Promise<Story> {
  const { scenario, protocol, mutant, segments } = schedule;
  const executor = await laboratory.executor({ scenario, protocol, mutant });
  // Once to learn which words are shared, once more to tell.
  tell(executor, segments);
  const story = tell(executor, segments);
  const command = `faultline explore --replay '${text}'`;
  const print = request.json ? console.error : console.log;
  print(`\n${formatStory(story, process.stdout.columns ?? columnsDefault)}\n\nReplay: ${command}`);
  if (request.html !== null) {
    writeFileSync(request.html, storyHtml(story, `${scenario} under ${protocol}`, command));
  }
  return story;
}

async function replay(laboratory: Laboratory, request: ExploreRequest): Promise<number> {
  const text = request.replay ?? '';
  const schedule = parseSchedule(text);
  if (schedule === null) throw new UsageError(`'${text}' is no schedule that explore printed`);
  const story = await showSchedule(laboratory, schedule, text, request);
  const { kind, failure } = story;
  if (request.json) console.log(JSON.stringify({ schedule: text, kind, failure }, null, 2));
  return kind === 'none' ? 0 : 1;
}

async function printMutants(laboratory: Laboratory, request: ExploreRequest): Promise<number> {
  const rows = await mutantTable(laboratory, request, (name) => console.error(name));
  if (request.json) console.log(JSON.stringify(rows, null, 2));
  else {
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
    console.log(formatTable(header, cells, 'llllrrr'));
  }
  return rows.every(({ caught }) => caught) ? 0 : 1;
}

function documentOf(reports: readonly Report[]): unknown {
  return reports.map(({ experiment, exploration, schedule }) => ({
    ...experiment,
    executions: exploration.executions,
    steps: exploration.steps,
    elapsedMs: Math.round(exploration.elapsedMs),
    complete: exploration.complete,
    failure: exploration.finding?.failure ?? null,
    schedule,
  }));
}
