/**
 * Reports of explorations as lines of JSON, written as they come, so that a search that was killed
 * can go on.
 *
 * The first line says what was asked for, and a hash of the kernel's source and the user's modules;
 * each other line is one report. A last line that was torn is dropped. Explorations that had not
 * ended begin again.
 */
import { createHash } from 'node:crypto';
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import type { Exploration } from '../lab/explore/engine/explore.ts';
import { parseSchedule } from '../lab/explore/engine/schedule.ts';
import type { Job, Report } from '../lab/explore/experiment.ts';
import { isPath } from '../lab/explore/experiment.ts';
import { sourcesHash } from '../lab/explore/node/project-sources.ts';
import { requireReadable } from './load-module.ts';
import { UsageError } from './usage-error.ts';

interface Header {
  readonly faultline: 'explore';
  /** Of the kernel's source, the explorer, and the user's modules. */
  readonly source: string;
  readonly jobs: readonly Job[];
}

/** A report as a line has it: a failure's schedule stands there once, as text. */
type Line = Omit<Report, 'exploration'> & {
  readonly exploration: Omit<Exploration, 'finding'>;
  readonly failure: NonNullable<Exploration['finding']>['failure'] | null;
};

/** What a file of lines holds. */
interface Journal {
  readonly jobs: readonly Job[];
  readonly reports: readonly Report[];
}

/** Begins a file anew. */
export function startJournal(path: string, jobs: readonly Job[]): void {
  const header: Header = { faultline: 'explore', source: sourceOf(jobs), jobs };
  writeFileSync(path, `${JSON.stringify(header, finite)}\n`);
}

/** Adds a report. */
export function appendReport(path: string, { experiment, exploration, ...rest }: Report): void {
  const { finding, ...numbers } = exploration;
  const line: Line = {
    experiment,
    exploration: numbers,
    failure: finding?.failure ?? null,
    ...rest,
  };
  appendFileSync(path, `${JSON.stringify(line)}\n`);
}

/** Reads a file back, and takes a torn line off its end. Throws a UsageError. */
export function resumeJournal(path: string): Journal {
  requireReadable(path);
  const text = readFileSync(path, 'utf8');
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  let header: Header;
  let lines: Line[];
  try {
    const [first = '', ...others] = whole.split('\n').filter((line) => line !== '');
    header = JSON.parse(first, infinite) as Header;
    lines = others.map((line) => JSON.parse(line) as Line);
  } catch {
    throw new UsageError(`--resume: '${path}' is no file that --jsonl has written`);
  }
  if (header.faultline !== 'explore' || !Array.isArray(header.jobs)) {
    throw new UsageError(`--resume: '${path}' is no file that --jsonl has written`);
  }
  if (header.source !== sourceOf(header.jobs)) {
    throw new UsageError(`--resume: '${path}' is about another kernel or version; explore anew`);
  }
  if (whole.length < text.length) writeFileSync(path, whole);
  return { jobs: header.jobs, reports: lines.map(reportOf) };
}

function reportOf({ failure, exploration, ...rest }: Line): Report {
  const finding = failure === null ? null : { failure, schedule: choicesOf(rest.schedule) };
  return { ...rest, exploration: { ...exploration, finding } };
}

/** The choices of a schedule's text, one a step. */
function choicesOf(schedule: string | null): Uint8Array {
  const segments = schedule === null ? [] : (parseSchedule(schedule)?.segments ?? []);
  return Uint8Array.from(segments.flatMap(({ cpu, steps }) => Array<number>(steps).fill(cpu)));
}

function sourceOf(jobs: readonly Job[]): string {
  const hash = createHash('sha256').update(sourcesHash());
  const named = jobs.flatMap(({ experiment: { scenario, protocol } }) => [scenario, protocol]);
  for (const path of new Set(named.filter(isPath))) hash.update(readFileSync(path));
  return hash.digest('hex');
}

/** JSON has no infinity. */
function finite(_key: string, value: unknown): unknown {
  return value === Infinity ? 'all' : value;
}

function infinite(key: string, value: unknown): unknown {
  return key === 'bound' && value === 'all' ? Infinity : value;
}
