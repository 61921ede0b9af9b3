/** Random strategies, and the generator of their numbers: seeded, so that a seed is a run. */
import type { Choices } from './execution.ts';
import { OLD } from './strategy.ts';
import type { Strategy } from './strategy.ts';
import type { Task } from '../runtime/task.ts';

/** Mulberry32: 32 bits of state, good enough to choose schedules by. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0;
  }

  /** An integer in [0, below). */
  below(below: number): number {
    return Math.floor((this.#next() / 2 ** 32) * below);
  }

  /** 0 or 1. */
  bit(): number {
    return this.#next() & 1;
  }

  #next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return (mixed ^ (mixed >>> 14)) >>> 0;
  }
}

/** Uniform random walk: at every scheduling point each CPU that can run is as likely. */
export class RandomWalk implements Strategy {
  readonly #random: Random;

  constructor(seed: number) {
    this.#random = new Random(seed);
  }

  choose(choices: Choices, _current: number, enabled: number): number {
    const random = this.#random;
    const last = 31 - Math.clz32(enabled);
    const others = enabled ^ (1 << last);
    if ((others & (others - 1)) === 0) {
      // Of two: without a branch, which nobody could predict.
      const first = others === 0 ? last : 31 - Math.clz32(others);
      return withAge(choices, first + (last - first) * random.bit(), random);
    }
    let rest = enabled;
    for (let pick = random.below(countBits(enabled)); pick > 0; pick--) rest &= rest - 1;
    return withAge(choices, 31 - Math.clz32(rest & -rest), random);
  }
}

/** A weak load reads the old value, where it may, half of the time. */
export function withAge(choices: Choices, cpu: number, random: Random): number {
  const task = choices.tasks[cpu] as Task;
  return choices.hasOld(task) && random.bit() === 0 ? cpu | OLD : cpu;
}

function countBits(set: number): number {
  let count = 0;
  for (let rest = set; rest !== 0; rest &= rest - 1) count++;
  return count;
}
