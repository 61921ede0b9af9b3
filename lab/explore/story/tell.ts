/** Replays a failing schedule, and tells what happens (story.ts). */
import type { Executor } from '../engine/executor.ts';
import { Replay } from '../engine/schedule.ts';
import type { Segment } from '../engine/schedule.ts';
import { finish } from '../model/kit.ts';
import { viewMachine } from './machine-view.ts';
import { isRead } from './phrases.ts';
import { Recorder } from './recorder.ts';
import type { Draft } from './recorder.ts';
import type { DecisiveSwitch, MachineState, Moment, Story } from './story.ts';
import { termsIn } from './terms.ts';
import { describeFailure } from './verdict.ts';

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
  const decisive = decisiveSegment(executor, segments);
  const { subject } = executor;
  const { facade } = subject.model.module.runtime;
  const recorder = new Recorder(executor);
  facade.setTrace((kind, at, value, site) => recorder.heard(kind, at, value, site));
  executor.execute(new Replay(segments));
  facade.setTrace(null);
  recorder.close();
  const { failure } = executor;
  const { machine } = subject.world;
  const wrong = describeFailure(failure, viewMachine(machine, machine.frames));
  const leaves = failure?.kind === 'not linearizable';
  const { happened, expected } = executor.oracles.expectations(executor.progress, leaves);
  const aboutLocks = failure?.kind === 'deadlock' || failure?.kind === 'lost wake-up';
  const { moments, states } = finished(recorder, aboutLocks);
  const shown = moments.filter(({ isMinor }) => !isMinor).map(({ text }) => text);
  return {
    title: subject.scenario.name,
    about: subject.scenario.about,
    bug: '',
    operations: subject.scenario.cpus.map((list) => list.map(({ name }) => name).join(', ')),
    ...{ moments, states, wrong, happened, expected },
    kind: failure?.kind ?? 'none',
    failure: failure?.message ?? 'no failure',
    decisive: decisive === 0 ? null : describeSwitch(recorder.drafts, segments, decisive),
    terms: termsIn([wrong, ...shown].join('\n')),
  };
}

/**
 * Index of the segment that begins with the decisive switch; 0 for none. Until there nothing goes
 * wrong if no CPU is interrupted any more, and from there on the same goes wrong anyhow.
 */
function decisiveSegment(executor: Executor, segments: readonly Segment[]): number {
  const kind = executor.failure?.kind;
  if (kind === undefined) return 0;
  const fails = (before: number): boolean => {
    const first = segments[before] as Segment;
    const steps = first.old ? 1 : Math.min(first.steps, 1);
    executor.execute(new Replay([...segments.slice(0, before), { ...first, steps }]));
    return executor.failure?.kind === kind;
  };
  for (let i = 0; i < segments.length; i++) {
    if (i > 0 && segments[i - 1]?.cpu === segments[i]?.cpu) continue;
    if (fails(i)) return i;
  }
  return 0;
}

function describeSwitch(
  drafts: readonly Draft[],
  segments: readonly Segment[],
  index: number,
): DecisiveSwitch | null {
  const stepsBefore = segments.slice(0, index).reduce((sum, { steps }) => sum + steps, 0);
  const moment = drafts.findIndex(({ step }) => step > stepsBefore);
  const from = segments[index - 1]?.cpu ?? 0;
  const to = segments[index]?.cpu ?? 0;
  const left = drafts.slice(0, moment).findLast(({ cpu }) => cpu === from);
  if (moment < 0 || left === undefined) return null;
  const name = drafts.findLast(({ cpu, kind, operation }) => {
    return cpu === from && kind === 'operation' && operation === left.operation;
  })?.text;
  const isInside = left.kind !== 'result' && left.kind !== 'wait';
  const where = isInside ? `is interrupted in the middle of "${name ?? '?'}"` : 'stops here';
  const text = `the decisive switch: CPU ${from} ${where}, and CPU ${to} goes on`;
  return { moment, text };
}

/** Moments with what matters told from what does not, and the states that they lead to. */
function finished(
  { drafts, snapshots }: Recorder,
  aboutLocks: boolean,
): { moments: Moment[]; states: MachineState[] } {
  const all = snapshots.states();
  const numbers = new Map<string, number>();
  const states: MachineState[] = [];
  const numberOf = (index: number): number => {
    const state = all[Math.min(index, all.length - 1)];
    const key = JSON.stringify(state);
    const known = numbers.get(key);
    if (known !== undefined || state === undefined) return known ?? 0;
    numbers.set(key, states.length);
    return states.push(state) - 1;
  };
  const moments = drafts.map((draft, i): Moment => {
    const { access: _access, label: _label, operation: _operation, ...moment } = draft;
    return { ...moment, isMinor: isMinor(drafts, i, aboutLocks), state: numberOf(draft.state) };
  });
  return { moments, states };
}

function isMinor(drafts: readonly Draft[], index: number, aboutLocks: boolean): boolean {
  const { access, label, cpu, kind, operation } = drafts[index] as Draft;
  const later = drafts.slice(index + 1);
  const [next] = later;
  // How programs give up their CPUs is no part of what went wrong.
  const isLast = !drafts.some((one) => one.cpu === cpu && one.operation > operation);
  const isFinish = isLast && drafts.some((one) => isEnd(one, cpu, operation));
  if (isFinish && (next !== undefined || kind === 'operation')) return true;
  if (access === null || label === null || next === undefined) return false;
  // Where a CPU is left in the middle of an operation.
  const own = later.find((one) => one.cpu === cpu);
  if (next.cpu !== cpu && own?.kind === 'access') return /count of/.test(label.text);
  if (label.isLock) return !aboutLocks;
  if (/count of/.test(label.text)) return true;
  if (isRead(access.kind)) {
    return !/^user|fails|old/.test(access.kind) && !becomesOld(drafts, index);
  }
  // Tables that are being made.
  if (/not linked/.test(label.text) || access.kind === 'copy') return true;
  return !(label.isEntry || /^user /.test(access.kind) || /_GEN$/.test(label.name));
}

/** Whether it belongs to the operation in which the CPU's program gives up the CPU. */
function isEnd(one: Draft, cpu: number, operation: number): boolean {
  return one.cpu === cpu && one.operation === operation && one.text === finish.name;
}

/** The last read of a word in an operation before another CPU changes it. */
function becomesOld(drafts: readonly Draft[], index: number): boolean {
  const { access, cpu, operation } = drafts[index] as Draft;
  let isChanged = false;
  for (const one of drafts.slice(index + 1)) {
    if (one.cpu === cpu && one.operation !== operation) return false;
    if (one.access?.at !== access?.at) continue;
    // It looks again, or acts on what it has read.
    if (one.cpu === cpu) return isChanged;
    if (!isRead(one.access?.kind ?? 'read')) isChanged = true;
  }
  return isChanged;
}
