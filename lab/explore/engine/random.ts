/** Random strategies, and the generator of their numbers: seeded, so that a seed is a run. */
import type { Executor, Strategy } from './executor.ts';
import { OLD } from './executor.ts';
import type { Task } from '../runtime/task.ts';

/** Mulberry32: 32 bits of state, good enough to choose schedules by. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0;
  }

  /** An integer in [0, below). */
  below(below: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  }
}

/** Uniform random walk: at every scheduling point each CPU that can run is as likely. */
export class RandomWalk implements Strategy {
  readonly #random: Random;

  constructor(seed: number) {
    this.#random = new Random(seed);
  }

  choose(executor: Executor): number {
    const enabled = executor.enabled();
    let pick = this.#random.below(countBits(enabled));
    let cpu = 0;
    for (; ; cpu++) if ((enabled & (1 << cpu)) !== 0 && pick-- === 0) break;
    return withAge(executor, cpu, this.#random);
  }
}

/** A weak load reads the old value, where it may, half of the time. */
export function withAge(executor: Executor, cpu: number, random: Random): number {
  const task = executor.tasks[cpu] as Task;
  return executor.hasOld(task) && random.below(2) === 0 ? cpu | OLD : cpu;
}

export function countBits(set: number): number {
  let count = 0;
  for (let rest = set; rest !== 0; rest &= rest - 1) count++;
  return count;
}
