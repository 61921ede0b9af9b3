/**
 * A failing execution retold: what each CPU did, in order, with the words it touched and the lines
 * that did it. Only accesses to words that CPUs share are kept, and of the others how many there
 * were.
 */
import { isTableWord, wordName } from '../../../shared/layout/names.ts';
import type { NamedWords } from '../../../shared/layout/names.ts';
import * as T from '../runtime/task.ts';
import type { Executor } from './executor.ts';
import { CPU_MASK } from './strategy.ts';
import { wordValue } from './word-value.ts';
import { Replay } from './schedule.ts';
import type { Segment } from './schedule.ts';

export interface Moment {
  readonly step: number;
  readonly cpu: number;
  /** 'exchange cpu 1 CPU.MODE = 0x2', the name of an operation, or '… 12 more'. */
  readonly text: string;
  /** file:line, or '' where there is none. */
  readonly place: string;
  readonly kind: 'access' | 'operation' | 'skipped';
}

export interface Story {
  /** What the scenario does, and the bug that was put in, if one was. */
  readonly about: readonly string[];
  readonly cpus: number;
  readonly moments: readonly Moment[];
  readonly failure: string;
  readonly kind: string;
}

/** Changes of entries that are told in a row: an operation on a range has hundreds alike. */
const ENTRIES_MAX = 3;

/**
 * Replays the segments: to learn which words CPUs share, and then to write down what happens. null
 * when they do not fit the scenario; no segments at all stand for an execution without preemptions.
 */
export function tell(executor: Executor, segments: readonly Segment[]): Story | null {
  // The race detector, which knows what old values may be read, may begin to watch in the middle of
  // the first; by the second it watches from the beginning.
  executor.execute(new Replay(segments));
  const replay = new Replay(segments);
  executor.execute(replay);
  if (replay.misfit) return null;
  const { subject } = executor;
  const { facade } = subject.model.module.runtime;
  const moments: Moment[] = [];
  const skipped = subject.tasks.map(() => 0);
  /** Changes of entries told since something else was. */
  const entries = subject.tasks.map(() => 0);
  const begun = subject.tasks.map(() => 0);
  const flush = (cpu: number): void => {
    const count = skipped[cpu] as number;
    if (count === 0) return;
    skipped[cpu] = 0;
    const text = count === 1 ? '… 1 other access' : `… ${count} other accesses`;
    moments.push({ step: executor.steps, cpu, text, place: '', kind: 'skipped' });
  };
  const noteOperations = (cpu: number): void => {
    for (; (begun[cpu] as number) < (executor.progress.begun[cpu] as number); begun[cpu]!++) {
      flush(cpu);
      const name = subject.programs[cpu]?.[begun[cpu] as number]?.name ?? '?';
      moments.push({ step: executor.steps, cpu, text: name, place: '', kind: 'operation' });
    }
  };
  let isOver = false;
  facade.setTrace((kind, at, value, site) => {
    // What a CPU does after the failure, until it is stopped, is no part of it.
    if (executor.steps === 0 || isOver) return;
    isOver = executor.failure !== null;
    const cpu = (executor.schedule[executor.steps - 1] as number) & CPU_MASK;
    noteOperations(cpu);
    const { machine } = subject.world;
    const isPoint = executor.sharing.points[at] === 1 || isOver;
    const isEntry = !isPoint && changesEntry(machine, kind, at);
    entries[cpu] = isPoint ? 0 : (entries[cpu] as number) + (isEntry ? 1 : 0);
    if (!isPoint && !(isEntry && entries[cpu] <= ENTRIES_MAX)) {
      (skipped[cpu] as number)++;
      return;
    }
    flush(cpu);
    const word = subject.model.module.modelWordName(at) ?? wordName(machine, at);
    const text = `${kind} ${word} = ${wordValue(machine, word, value)}`;
    const { place } = executor.siteOf(site);
    moments.push({ step: executor.steps, cpu, text, place, kind: 'access' });
  });
  executor.execute(new Replay(segments));
  facade.setTrace(null);
  for (const { id, status } of subject.tasks) if (status !== T.DONE) flush(id);
  const { failure } = executor;
  return {
    about: [`${subject.scenario.name}: ${subject.scenario.about}`],
    cpus: subject.tasks.length,
    moments,
    failure: failure?.message ?? 'no failure',
    kind: failure?.kind ?? 'none',
  };
}

/** What is done to page tables is told whoever sees it: the rest follows from it. */
function changesEntry(machine: NamedWords, kind: string, at: number): boolean {
  return /^(poke|store|exchange|compareExchange|fill)$/.test(kind) && isTableWord(machine, at);
}

/** Narrower lanes would break every line. */
const LANE_MIN = 28;
/** Before what is left of a line that was too long for its lane. */
const INDENT = '    ';

/** A lane a CPU, side by side. Nothing leaves its lane. */
export function formatStory(story: Story, columns: number): string {
  const width = Math.max(LANE_MIN, Math.floor((columns - 2 * (story.cpus - 1)) / story.cpus));
  const lines: string[] = [];
  const put = (cpu: number, text: string): void => {
    for (const part of wrap(text, width)) lines.push(`${' '.repeat(cpu * (width + 2))}${part}`);
  };
  const heads = Array.from({ length: story.cpus }, (_, cpu) => `CPU ${cpu}`.padEnd(width));
  for (const line of story.about) lines.push(...wrap(line, Math.max(LANE_MIN, columns)), '');
  lines.push(heads.join('  ').trimEnd());
  let last = -1;
  for (const { cpu, text, place, kind } of story.moments) {
    if (last >= 0 && cpu !== last) lines.push('');
    last = cpu;
    if (kind === 'operation') put(cpu, `[${text}]`);
    else
      put(cpu, place === '' ? text : `${text}  ${place.replace(/^(kernel|lab\/explore)\//, '')}`);
  }
  lines.push('', `${story.kind}: ${story.failure}`);
  return lines.join('\n');
}

/** Lines of at most `width` characters, broken at spaces, or after slashes where there are none. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let rest = text;
  while (rest.length > width) {
    const room = rest.slice(0, width + 1);
    const space = room.trimEnd().lastIndexOf(' ');
    const slash = room.slice(0, width).lastIndexOf('/') + 1;
    const end = space > INDENT.length ? space : slash > INDENT.length ? slash : width;
    lines.push(rest.slice(0, end).trimEnd());
    rest = INDENT + rest.slice(end).trimStart();
  }
  lines.push(rest);
  return lines;
}
