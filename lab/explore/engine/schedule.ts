/**
 * Schedules as text, and their replay.
 *
 *     scenario@protocol[+mutant]:0*41,1*12,0~,0*3
 *
 * CPU 0 takes 41 steps, CPU 1 takes 12, CPU 0 one whose weak load reads the old value, then 3 more.
 * The scenario and the protocol are names or paths of modules; in a path, what separates the parts
 * is percent-encoded.
 * Beyond its end a replay goes on without preemptions. A replay is lenient: where a CPU cannot take
 * the steps it was to take, the next part of the schedule begins, and `misfit` says so. A schedule
 * that an execution has recorded replays exactly.
 */
import * as T from '../runtime/task.ts';
import type { Choices } from './execution.ts';
import { CPU_MASK, OLD } from './strategy.ts';
import type { Strategy } from './strategy.ts';

export interface Segment {
  readonly cpu: number;
  readonly steps: number;
  /** The one step of this segment reads the old value. */
  readonly old: boolean;
}

export interface ScheduleText {
  readonly scenario: string;
  readonly protocol: string;
  readonly mutant: string | null;
  readonly segments: readonly Segment[];
}

export function segmentsOf(schedule: Uint8Array): Segment[] {
  const segments: Segment[] = [];
  for (const choice of schedule) {
    const cpu = choice & CPU_MASK;
    const old = (choice & OLD) !== 0;
    const last = segments[segments.length - 1];
    if (last !== undefined && last.cpu === cpu && !last.old && !old) {
      segments[segments.length - 1] = { cpu, steps: last.steps + 1, old };
    } else segments.push({ cpu, steps: 1, old });
  }
  return segments;
}

/** How often another CPU goes on. */
export function switchesOf(segments: readonly Segment[]): number {
  return segments.filter(({ cpu }, i) => i > 0 && segments[i - 1]?.cpu !== cpu).length;
}

export function formatSchedule(text: ScheduleText): string {
  const { scenario, protocol, mutant, segments } = text;
  const parts = segments.map(({ cpu, steps, old }) => (old ? `${cpu}~` : `${cpu}*${steps}`));
  const seeded = mutant === null ? '' : `+${escaped(mutant)}`;
  return `${escaped(scenario)}@${escaped(protocol)}${seeded}:${parts.join(',')}`;
}

/** A name or path without what separates the parts of a schedule or ends a shell's word. */
function escaped(name: string): string {
  return name.replace(/[%@+:,'"\s]/g, (char) => encodeURIComponent(char).replace("'", '%27'));
}

/** null when the text is no schedule. */
export function parseSchedule(text: string): ScheduleText | null {
  const match = /^([^@+:]+)@([^@+:]+)(?:\+([^@+:]+))?:((?:\d(?:\*\d+|~)(?:,|$))*)$/.exec(text);
  if (match === null) return null;
  const segments = (match[4] ?? '')
    .split(',')
    .filter((part) => part !== '')
    .map((part) => {
      const old = part.endsWith('~');
      return { cpu: Number(part[0]), steps: old ? 1 : Number(part.slice(2)), old };
    });
  if (segments.length === 0 || segments.some(({ steps }) => steps === 0)) return null;
  const [, scenario = '', protocol = '', mutant = null] = match;
  try {
    const [name, locking] = [decodeURIComponent(scenario), decodeURIComponent(protocol)];
    const seeded = mutant === null ? null : decodeURIComponent(mutant);
    return { scenario: name, protocol: locking, mutant: seeded, segments };
  } catch {
    return null;
  }
}

export class Replay implements Strategy {
  readonly stepwise: boolean = true;
  readonly #segments: readonly Segment[];
  #index = 0;
  #taken = 0;
  /** Parts that could not be carried out as they stand. */
  #cut = 0;

  constructor(segments: readonly Segment[]) {
    this.#segments = segments;
  }

  choose(choices: Choices, current: number): number {
    for (; this.#index < this.#segments.length; this.#index++, this.#taken = 0) {
      const { cpu, steps, old } = this.#segments[this.#index] as Segment;
      const task = choices.tasks[cpu];
      if (this.#taken >= steps) continue;
      if (task?.status !== T.READY || (old && !choices.hasOld(task))) {
        this.#cut++;
        if (task?.status !== T.READY) continue;
      }
      this.#taken++;
      return old && choices.hasOld(task) ? cpu | OLD : cpu;
    }
    if (choices.tasks[current]?.status === T.READY) return current;
    return choices.tasks.findIndex((task) => task.status === T.READY);
  }

  /** After the execution: whether it was not the one that the schedule says. */
  get misfit(): boolean {
    const last = this.#segments[this.#index];
    const isWhole = last === undefined || this.#taken === last.steps;
    return this.#cut > 0 || !isWhole || this.#index < this.#segments.length - 1;
  }
}
