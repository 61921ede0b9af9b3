/**
 * Schedules as text, and their replay.
 *
 *     scenario@protocol[+mutant]:0*41,1*12,0~,0*3
 *
 * CPU 0 takes 41 steps, CPU 1 takes 12, CPU 0 one whose weak load reads the old value, then 3 more.
 * Beyond its end a replay goes on without preemptions. A replay is lenient: where a CPU cannot take
 * the steps it was to take, the next part of the schedule begins. A schedule that an execution has
 * recorded replays exactly.
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
  return `${scenario}@${protocol}${mutant === null ? '' : `+${mutant}`}:${parts.join(',')}`;
}

/** null when the text is no schedule. */
export function parseSchedule(text: string): ScheduleText | null {
  const match = /^([\w-]+)@([^+:]+|\/[^+]+?)(?:\+([\w-]+))?:((?:\d(?:\*\d+|~)(?:,|$))*)$/.exec(
    text,
  );
  if (match === null) return null;
  const segments = (match[4] ?? '')
    .split(',')
    .filter((part) => part !== '')
    .map((part) => {
      const old = part.endsWith('~');
      return { cpu: Number(part[0]), steps: old ? 1 : Number(part.slice(2)), old };
    });
  const [, scenario = '', protocol = '', mutant = null] = match;
  return { scenario, protocol, mutant: mutant ?? null, segments };
}

export class Replay implements Strategy {
  readonly stepwise: boolean = true;
  readonly #segments: readonly Segment[];
  #index = 0;
  #taken = 0;

  constructor(segments: readonly Segment[]) {
    this.#segments = segments;
  }

  choose(choices: Choices, current: number): number {
    for (; this.#index < this.#segments.length; this.#index++, this.#taken = 0) {
      const { cpu, steps, old } = this.#segments[this.#index] as Segment;
      const task = choices.tasks[cpu];
      if (task?.status !== T.READY || this.#taken >= steps) continue;
      this.#taken++;
      return old && choices.hasOld(task) ? cpu | OLD : cpu;
    }
    if (choices.tasks[current]?.status === T.READY) return current;
    return choices.tasks.findIndex((task) => task.status === T.READY);
  }
}
