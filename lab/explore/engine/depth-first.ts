/**
 * Exhaustive search: depth first over the choices at scheduling points.
 *
 * With a bound on preemptions (CHESS, OSDI'08): a switch away from a CPU that could go on costs 1,
 * any other is free.
 *
 * What need not be tried, by `reduction`:
 *
 * - `states`: nothing is tried twice from one state (identity.ts), with as few preemptions spent.
 * - `sleep`, and `states` without a bound: sleep sets (Godefroid 1996) leave out executions that
 *   differ from one already seen only in the order of independent steps: of different CPUs, on
 *   different words or both reading, and not looked at by a judge. Sleep sets and a bound do not go
 *   together: the execution left out may be the only one within the bound. A state is remembered
 *   with what was asleep there (Godefroid, Holzmann, Pirottin 1992).
 *
 * When the executor learns of a new scheduling point the search starts again, so that at its end
 * all points were known from its beginning.
 */
import * as T from '../runtime/task.ts';
import type { Task } from '../runtime/task.ts';
import type { Choices } from './execution.ts';
import { ABANDON, CPU_MASK, OLD } from './strategy.ts';
import type { Strategy } from './strategy.ts';
import { NEW, Visited } from './visited.ts';
import type { StateSet } from './visited.ts';

/** What need not be tried. */
export type Reduction = 'none' | 'sleep' | 'states';

/** A choice, and its access. */
export interface Step {
  readonly choice: number;
  readonly at: number;
  readonly isWrite: boolean;
}

/** A place in the tree of schedules: at each decision the choice, and what was asleep. */
export type Path = readonly { readonly choice: number; readonly asleep: readonly Step[] }[];

/** The whole tree. */
export const WHOLE: Path = [];

interface Decision {
  readonly options: readonly number[];
  index: number;
  /** Preemptions spent before this decision. */
  spent: number;
  /** CPUs that could go on, as a bit set. */
  enabled: number;
  /** Need not be tried before something dependent happens: asleep here, or tried before. */
  asleep: readonly Step[];
  /** The present option. */
  step: Step | null;
  /** A judge has looked at what it did: it is independent of nothing. */
  isJudged: boolean;
}

const NONE: readonly Step[] = [];
/** Of a decision that another search has made: found out on the way. */
const UNKNOWN = -1;

export class DepthFirst implements Strategy {
  readonly comparesStates: boolean;
  readonly hearsForced: boolean;
  readonly #bound: number;
  readonly #decisions: Decision[] = [];
  #depth = 0;
  #spent = 0;
  /** The present execution was given up. */
  #isCut = false;
  /** States from which everything has been tried, or is on the way. */
  readonly visited: StateSet;
  /** Executions given up because nothing new could follow. */
  abandoned = 0;

  /** Below these all is yet to be tried; the last one is the next. */
  #paths: Path[];

  /**
   * `bound`: preemptions at most; Infinity for all interleavings. `paths`: the parts of the tree
   * that are to be searched; `visited`: states that need not be continued.
   */
  constructor(
    bound: number,
    reduction: Reduction,
    paths: readonly Path[] = [WHOLE],
    visited: StateSet = new Visited(),
  ) {
    this.#bound = bound;
    this.#paths = [...paths];
    this.visited = visited;
    this.#enterNext();
    this.comparesStates = reduction === 'states';
    this.hearsForced = bound === Infinity && reduction !== 'none';
  }

  /** Before each execution. */
  begin(choices: Choices): void {
    this.#depth = 0;
    this.#spent = 0;
    this.#isCut = false;
    choices.isJudged = false;
  }

  /** After each execution: moves on to the next. False when all have been done. */
  next(choices: Choices): boolean {
    const ended = this.#decisions[this.#decisions.length - 1];
    if (ended !== undefined && !this.#isCut) ended.isJudged = choices.isJudged;
    for (;;) {
      const last = this.#decisions[this.#decisions.length - 1];
      if (last === undefined) return this.#enterNext();
      last.index++;
      if (last.index < last.options.length) {
        if (this.hearsForced && !last.isJudged) last.asleep = [...last.asleep, last.step as Step];
        return true;
      }
      this.#decisions.pop();
    }
  }

  /** After an execution: the parts of the tree that are left, for other searches of this kind. */
  rest(): Path[] {
    const left = [...this.#paths];
    const above: Path[number][] = [];
    for (const { options, index, asleep } of this.#decisions) {
      // Of those tried only some are known to be independent: that more is awake costs time only.
      for (const choice of options.slice(index + 1)) left.push([...above, { choice, asleep }]);
      above.push({ choice: options[index] as number, asleep });
    }
    return left;
  }

  /** Goes to the next part of the tree. False when there is none. */
  #enterNext(): boolean {
    const path = this.#paths.pop();
    if (path === undefined) return false;
    for (const { choice, asleep } of path) {
      const options = [choice];
      const unknown = { spent: UNKNOWN, enabled: 0, step: null, isJudged: false };
      this.#decisions.push({ options, index: 0, asleep, ...unknown });
    }
    return true;
  }

  /** Forgets everything: a new scheduling point was learned. */
  restart(): void {
    this.#paths = [];
    this.#decisions.length = 0;
    this.abandoned = 0;
    this.visited.clear();
  }

  choose(choices: Choices, current: number, enabled: number): number {
    const above = this.#decisions[this.#depth - 1];
    if (above !== undefined) above.isJudged = choices.isJudged;
    choices.isJudged = false;
    let decision = this.#decisions[this.#depth];
    if (decision === undefined) {
      const made = this.#newDecision(choices, current, enabled, above);
      if (made === null) {
        this.abandoned++;
        this.#isCut = true;
        return ABANDON;
      }
      decision = made;
      this.#decisions.push(decision);
    }
    if (decision.spent === UNKNOWN) {
      decision.spent = this.#spent;
      decision.enabled = enabled;
    }
    this.#depth++;
    const choice = decision.options[decision.index] as number;
    this.#spent = decision.spent + this.#cost(choices, current, choice);
    if (this.hearsForced) decision.step = stepOf(choices, choice);
    return choice;
  }

  #newDecision(
    choices: Choices,
    current: number,
    enabled: number,
    above: Decision | undefined,
  ): Decision | null {
    let options = this.#optionsOf(choices, current);
    let asleep = above === undefined ? NONE : asleepBelow(above);
    // Where one CPU alone goes on as before, nothing is gained by looking.
    const isOne = (enabled & (enabled - 1)) === 0 && above?.enabled === enabled;
    if (this.comparesStates && !isOne) {
      const before = this.#reach(choices, current, bitsOf(asleep));
      if (before !== NEW) {
        // Left to try is what has been asleep here whenever this state was reached.
        options = options.filter((choice) => (before & (1 << choice)) !== 0);
        asleep = asleep.filter(({ choice }) => (before & (1 << choice)) !== 0);
      }
    }
    if (asleep.length > 0) {
      const bits = bitsOf(asleep);
      options = options.filter((choice) => (bits & (1 << choice)) === 0);
    }
    if (options.length === 0) return null;
    return { options, index: 0, spent: this.#spent, enabled, asleep, step: null, isJudged: false };
  }

  #optionsOf(choices: Choices, current: number): number[] {
    const options: number[] = [];
    const first = choices.tasks[current];
    if (first?.status === T.READY) pushOptions(choices, first, options);
    if (options.length > 0 && this.#spent >= this.#bound) return options;
    for (const task of choices.tasks) {
      if (task !== first && task.status === T.READY) pushOptions(choices, task, options);
    }
    return options;
  }

  /** Looks the present state up, and enters it. What was asleep whenever it was reached, or NEW. */
  #reach(choices: Choices, current: number, asleep: number): number {
    const { low, high } = choices.hashState();
    if (this.#bound === Infinity) return this.visited.reach(low, high, asleep);
    // What is left to do depends on who runs, and on the preemptions that are left.
    const running = choices.tasks[current]?.status === T.READY ? current + 1 : 0;
    const highOf = (spent: number): number =>
      high ^ Math.imul((running << 10) | (spent + 1), 0x9e3779b1);
    for (let spent = 0; spent < this.#spent; spent++) {
      if (this.visited.has(low, highOf(spent))) return 0;
    }
    return this.visited.reach(low, highOf(this.#spent), 0);
  }

  #cost(choices: Choices, current: number, choice: number): number {
    if (current < 0 || (choice & CPU_MASK) === current) return 0;
    return choices.tasks[current]?.status === T.READY ? 1 : 0;
  }
}

/** What sleeps below the present option: everything asleep here that it does not depend on. */
function asleepBelow({ asleep, step, isJudged }: Decision): readonly Step[] {
  if (asleep.length === 0 || isJudged || step === null) return NONE;
  return asleep.filter((sleeper) => independent(sleeper, step));
}

function bitsOf(steps: readonly Step[]): number {
  return steps.reduce((bits, { choice }) => bits | (1 << choice), 0);
}

function pushOptions(choices: Choices, task: Task, options: number[]): void {
  options.push(task.id);
  if (task.kind === T.WEAK_LOAD && choices.hasOld(task)) options.push(task.id | OLD);
}

function stepOf(choices: Choices, choice: number): Step {
  const task = choices.tasks[choice & CPU_MASK] as Task;
  return { choice, at: task.at, isWrite: T.WRITES[task.kind] === 1 };
}

function independent(a: Step, b: Step): boolean {
  if ((a.choice & CPU_MASK) === (b.choice & CPU_MASK)) return false;
  return a.at !== b.at || a.at < 0 || !(a.isWrite || b.isWrite);
}
