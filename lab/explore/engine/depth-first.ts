/**
 * Exhaustive search: depth first over the choices at scheduling points.
 *
 * With a bound on preemptions (CHESS, OSDI'08): a switch away from a CPU that could go on costs 1,
 * any other is free. Without a bound, sleep sets (Godefroid 1996) leave out executions that differ
 * from one already seen only in the order of independent steps: of different CPUs, on different
 * words or both reading. Sleep sets and a bound do not go together: the execution left out may be
 * the only one within the bound.
 *
 * When the executor learns of a new scheduling point the search starts again, so that at its end
 * all points were known from its beginning.
 */
import * as T from '../runtime/task.ts';
import type { Task } from '../runtime/task.ts';
import type { Choices } from './execution.ts';
import { ABANDON, CPU_MASK, OLD } from './strategy.ts';
import type { Strategy } from './strategy.ts';

/** A choice that need not be tried before something dependent happens, and its access. */
interface Sleeper {
  readonly choice: number;
  readonly at: number;
  readonly isWrite: boolean;
}

interface Decision {
  readonly options: number[];
  index: number;
  /** Preemptions spent before this decision. */
  readonly spent: number;
  /** Asleep when the decision is reached. */
  readonly asleep: readonly Sleeper[];
  /** Asleep below the present option; null until that is known. */
  below: readonly Sleeper[] | null;
}

const NONE: readonly Sleeper[] = [];

export class DepthFirst implements Strategy {
  readonly #bound: number;
  readonly #decisions: Decision[] = [];
  #depth = 0;
  #spent = 0;
  #asleep = NONE;
  /** Executions given up because all that could run was asleep. */
  abandoned = 0;

  /** `bound`: preemptions at most; Infinity searches everything, with sleep sets. */
  constructor(bound: number) {
    this.#bound = bound;
  }

  /** Before each execution. */
  begin(): void {
    this.#depth = 0;
    this.#spent = 0;
    this.#asleep = NONE;
  }

  /** After each execution: moves on to the next. False when all have been done. */
  next(): boolean {
    for (;;) {
      const last = this.#decisions[this.#decisions.length - 1];
      if (last === undefined) return false;
      last.index++;
      last.below = null;
      if (last.index < last.options.length) return true;
      this.#decisions.pop();
    }
  }

  /** Forgets everything: a new scheduling point was learned. */
  restart(): void {
    this.#decisions.length = 0;
    this.abandoned = 0;
  }

  choose(choices: Choices, current: number): number {
    let decision = this.#decisions[this.#depth];
    if (decision === undefined) {
      const made = this.#newDecision(choices, current);
      if (made === null) {
        this.abandoned++;
        return ABANDON;
      }
      decision = made;
      this.#decisions.push(decision);
    }
    this.#depth++;
    const choice = decision.options[decision.index] as number;
    this.#spent = decision.spent + this.#cost(choices, current, choice);
    if (this.#bound === Infinity) {
      decision.below ??= asleepBelow(choices, decision, choice);
      this.#asleep = decision.below;
    }
    return choice;
  }

  #newDecision(choices: Choices, current: number): Decision | null {
    const options: number[] = [];
    const first = choices.tasks[current];
    if (first?.status === T.READY) pushOptions(choices, first, options);
    const mayPreempt = options.length === 0 || this.#spent < this.#bound;
    if (mayPreempt) {
      for (const task of choices.tasks) {
        if (task !== first && task.status === T.READY) pushOptions(choices, task, options);
      }
    }
    const asleep = this.#asleep;
    const awake =
      asleep.length === 0
        ? options
        : options.filter((choice) => !asleep.some((sleeper) => sleeper.choice === choice));
    if (awake.length === 0) return null;
    return { options: awake, index: 0, spent: this.#spent, asleep, below: null };
  }

  #cost(choices: Choices, current: number, choice: number): number {
    if (current < 0 || (choice & CPU_MASK) === current) return 0;
    return choices.tasks[current]?.status === T.READY ? 1 : 0;
  }
}

/** What sleeps below this choice: everything asleep or tried here that it does not depend on. */
function asleepBelow(choices: Choices, decision: Decision, choice: number): readonly Sleeper[] {
  const step = sleeperOf(choices, choice);
  const below = decision.asleep.filter((sleeper) => independent(sleeper, step));
  for (let i = 0; i < decision.index; i++) {
    const tried = sleeperOf(choices, decision.options[i] as number);
    if (independent(tried, step)) below.push(tried);
  }
  return below;
}

function pushOptions(choices: Choices, task: Task, options: number[]): void {
  options.push(task.id);
  if (task.kind === T.WEAK_LOAD && choices.hasOld(task)) options.push(task.id | OLD);
}

function sleeperOf(choices: Choices, choice: number): Sleeper {
  const task = choices.tasks[choice & CPU_MASK] as Task;
  return { choice, at: task.at, isWrite: T.WRITES[task.kind] === 1 };
}

function independent(a: Sleeper, b: Sleeper): boolean {
  if ((a.choice & CPU_MASK) === (b.choice & CPU_MASK)) return false;
  return a.at !== b.at || a.at < 0 || !(a.isWrite || b.isWrite);
}
