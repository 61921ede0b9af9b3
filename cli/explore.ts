/**
 * `faultline explore`: prints a line for each exploration and a story for the first failure, and
 * returns the exit status. The laboratory decides what is explored, and in which order.
 */
import { writeFileSync } from 'node:fs';
import { formatStory } from '../lab/explore/story/story-text.ts';
import type { Job, Report } from '../lab/explore/experiment.ts';
import { inOrder, isFailureOfKernel, isPath } from '../lab/explore/experiment.ts';
import { Laboratory, ScheduleError, UserModuleError } from '../lab/explore/laboratory.ts';
import type { Retelling } from '../lab/explore/laboratory.ts';
import { mutantTable } from '../lab/explore/mutant-table.ts';
import { MUTANTS } from '../lab/explore/mutants.ts';
import { isSystematic } from '../lab/explore/mutate/one-mutant.ts';
import { nodeHost } from '../lab/explore/node/node-host.ts';
import { writeStoryPage } from '../lab/explore/node/story-page.ts';
import { UnknownNameError } from '../lab/explore/plan.ts';
import { appendReport, resumeJournal, startJournal } from './explore-journal.ts';
import {
  describeFinding,
  describeReport,
  describeReports,
  documentOf,
  formatCatalogue,
  formatMutants,
} from './explore-report.ts';
import { parseExplore } from './explore-request.ts';
import type { ExploreRequest } from './explore-request.ts';
import { coverageHtml, formatCoverage } from './coverage-report.ts';
import { interruptibly } from './interruption.ts';
import { loadPart } from './load-part.ts';
import { suggest, UsageError } from './usage-error.ts';

const columnsDefault = 120;

/** Returns the exit status. */
export async function exploreCommand(args: readonly string[]): Promise<number> {
  if (args.includes('--mutate')) return (await import('./mutate.ts')).mutateCommand(args);
  const request = parseExplore(args);
  if (typeof request === 'string') {
    console.log(request);
    return 0;
  }
  return interruptibly((signal) => {
    const laboratory = new Laboratory(nodeHost(), () => {
      console.error("explore: making the kernel's source steppable");
    });
    signal.addEventListener('abort', () => laboratory.stop());
    return carryOut(laboratory, request);
  });
}

async function carryOut(laboratory: Laboratory, request: ExploreRequest): Promise<number> {
  switch (request.action) {
    case 'list':
      return list(laboratory, request);
    case 'mutants':
      return printMutants(laboratory, request);
    case 'replay':
      return replay(laboratory, request);
    case 'explore':
      return explore(laboratory, request);
  }
}

function list(laboratory: Laboratory, { json }: ExploreRequest): number {
  const { scenarios, protocols } = laboratory.catalogue();
  const about = { scenarios: scenarios.map(named), protocols, mutants: MUTANTS.map(named) };
  console.log(json ? JSON.stringify(about, null, 2) : formatCatalogue(about));
  return 0;
}

function named({ name, about }: { name: string; about: string }): { name: string; about: string } {
  return { name, about };
}

async function printMutants(laboratory: Laboratory, request: ExploreRequest): Promise<number> {
  const rows = await mutantTable(laboratory, request.search, (name) => console.error(name));
  console.log(request.json ? JSON.stringify(rows, null, 2) : formatMutants(rows));
  return rows.every(({ caught }) => caught) ? 0 : 1;
}

async function explore(laboratory: Laboratory, request: ExploreRequest): Promise<number> {
  const { json, html } = request;
  const reports = await reported(laboratory, request);
  if (!json && reports.length > 1) console.log(describeReports(reports));
  const findings = reports.flatMap(({ exploration }) => exploration.finding ?? []);
  const schedule = reports.map((report) => report.schedule).find((text) => text !== null) ?? null;
  if (schedule === null) {
    // A setup that panics has no story.
    for (const { failure } of findings) console.error(failure.message);
    if (request.wantsConflicts === true) await showCoverage(laboratory, reports, request);
    else if (html !== null) {
      console.error(`faultline: no failure to draw, so ${html} is not written`);
    }
  } else {
    show(await laboratory.retell(schedule), schedule, request);
  }
  if (json) console.log(JSON.stringify(reports.map(documentOf), null, 2));
  return findings.length === 0 ? 0 : 1;
}

/** Prints which ordered accesses were in conflict, and draws them in the source if asked to. */
async function showCoverage(
  laboratory: Laboratory,
  reports: readonly Report[],
  { json, html }: ExploreRequest,
): Promise<void> {
  const places = await laboratory.coverage(reports);
  const text = formatCoverage(places);
  if (json) console.error(text);
  else console.log(`\n${text}`);
  if (html !== null) writeFileSync(html, coverageHtml(places, nodeHost().read));
}

/** All reports, in the order of the jobs: those of an earlier run, and what is left. */
async function reported(laboratory: Laboratory, request: ExploreRequest): Promise<Report[]> {
  const { jsonl, resume, threads, keepsGoing } = request;
  const begun = resume === null ? null : resumeJournal(resume);
  const jobs = begun?.jobs ?? (await planned(laboratory, request));
  if (jsonl !== null) startJournal(jsonl, jobs);
  const journal = resume ?? jsonl;
  const earlier = begun?.reports ?? [];
  for (const report of earlier) print(report, request);
  if (earlier.some(isFailureOfKernel) && !keepsGoing) return inOrder(jobs, earlier);
  const done = new Set(earlier.map(({ experiment }) => JSON.stringify(experiment)));
  const left = jobs.filter(({ experiment }) => !done.has(JSON.stringify(experiment)));
  const later = await asUsage(() =>
    laboratory.exploreAll(
      left,
      threads,
      (report) => {
        // One that Ctrl-C has cut short begins again.
        if (journal !== null && !laboratory.isStopped) appendReport(journal, report);
        print(report, request);
      },
      keepsGoing,
    ),
  );
  return inOrder(jobs, [...earlier, ...later]);
}

function print(report: Report, { json, keepsGoing }: ExploreRequest): void {
  if (json) return;
  console.log(describeReport(report));
  const found = describeFinding(report);
  if (keepsGoing && found !== '') console.log(found);
}

async function planned(laboratory: Laboratory, request: ExploreRequest): Promise<Job[]> {
  for (const path of request.protocols.filter(isPath)) {
    await (await loadPart('protocol', path)).dispose();
  }
  return asUsage(() => laboratory.plan(request));
}

/** What the laboratory refuses is bad usage. */
async function asUsage<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof ScheduleError || error instanceof UserModuleError)
      throw new UsageError(error.message);
    if (!(error instanceof UnknownNameError)) throw error;
    const list = isSystematic(error.given) ? '--mutate --list' : '--list';
    const hint = suggest(error.given, error.candidates) || `; see faultline explore ${list}`;
    throw new UsageError(`${error.message}${hint}`);
  }
}

async function replay(laboratory: Laboratory, request: ExploreRequest): Promise<number> {
  const schedule = request.replay ?? '';
  const retelling = await asUsage(() => laboratory.retell(schedule));
  show(retelling, schedule, request);
  const { kind, failure } = retelling.story;
  if (request.json) console.log(JSON.stringify({ schedule, kind, failure }, null, 2));
  return kind === 'none' ? 0 : 1;
}

/** Prints the story of a failure, and draws it as a page if that was asked for. */
function show({ story }: Retelling, schedule: string, request: ExploreRequest): void {
  const command = `faultline explore --replay '${schedule}'`;
  const print = request.json ? console.error : console.log;
  const text = formatStory(story, process.stdout.columns ?? columnsDefault);
  print(`\n${text}\n\nMore terms: docs/glossary.md\nReplay: ${command}`);
  if (request.html === null) return;
  writeStoryPage(request.html, story, { heading: story.title, command });
}
