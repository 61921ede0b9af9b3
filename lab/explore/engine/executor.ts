/**
 * One execution: drives the CPUs' generators step by step, as a strategy says, under the oracles.
 *
 * A step performs the pending access of one CPU and runs it on to its next. Only accesses to words
 * that two CPUs use in conflict are scheduling points. Which those are is learned while exploring:
 * `sharedGrew` tells a strategy that needs completeness to start again. Any execution is equivalent
 * to one that switches CPUs at such points only, so nothing is lost by that, not even under a bound
 * on preemptions.
 */
import type { Site } from '../build/transform.ts';
import type { Operation } from '../model/kit.ts';
import * as T from '../runtime/task.ts';
import type { Task } from '../runtime/task.ts';
import type { Failure, FailureKind } from './failure.ts';
import { Oracles } from './oracles.ts';
import { siteTolerance } from './races-allowed.ts';
import type { Subject } from './subject.ts';
import { Waiting, wakeUp } from './waiting.ts';

/** A choice: the CPU's number, plus OLD when its weak load shall read the old value. */
export const OLD = 8;
export const CPU_MASK = 7;
/** A strategy's answer that this execution is not worth finishing. */
export const ABANDON = -1;

export interface Strategy {
  /** Called before every step, not only at scheduling points. */
  readonly stepwise?: boolean;
  /** Called at scheduling points with more than one option. `current` is -1 at the start. */
  choose(executor: Executor, current: number): number;
}

const STEPS_MAX = 20_000;
/** Sleeps that end by their time limit, in one execution. */
const TIMEOUTS_MAX = 20;

type Coroutine = Generator<number, unknown, number>;

export class Executor {
  readonly subject: Subject;
  readonly tasks: readonly Task[];
  readonly oracles: Oracles;
  /** 1 for words at which CPUs may be switched. */
  readonly shared: Uint8Array;
  sharedGrew = false;
  /** The choices of this execution, one a step. */
  readonly schedule: Uint8Array = new Uint8Array(STEPS_MAX);
  steps = 0;
  failure: Failure | null = null;
  /** Results of finished operations by CPU, and the steps at which they began and ended. */
  readonly results: number[][];
  readonly began: number[][];
  readonly ended: number[][];
  readonly #readers: Uint8Array;
  readonly #writers: Uint8Array;
  readonly #running: (Coroutine | null)[];
  readonly #next: number[];
  readonly #waiting: Waiting;
  #timeouts = 0;
  readonly #perform: (task: Task, old: boolean) => number;
  readonly #setCurrent: (task: Task, watch: boolean) => void;
  readonly #mayReadOlder: (task: Task, at: number) => boolean;
  readonly #isCoroutine: (value: unknown) => value is Coroutine;

  /** `reference`: the same scenario in a build without a mutant, to tell right results by. */
  constructor(subject: Subject, reference: Subject = subject) {
    const { facade, race } = subject.model.module.runtime;
    this.subject = subject;
    this.tasks = subject.tasks;
    this.shared = new Uint8Array(subject.words.length);
    this.#readers = new Uint8Array(subject.words.length);
    this.#writers = new Uint8Array(subject.words.length);
    this.#running = this.tasks.map(() => null);
    this.#next = this.tasks.map(() => 0);
    this.#waiting = new Waiting(subject.words, this.tasks);
    this.results = this.tasks.map(() => []);
    this.began = this.tasks.map(() => []);
    this.ended = this.tasks.map(() => []);
    // Taken out of the bundle's namespaces once: each of them costs a call of a getter.
    this.#isCoroutine = facade.isGenerator;
    this.#perform = facade.perform;
    this.#setCurrent = facade.setCurrent;
    this.#mayReadOlder = race.mayReadOlder;
    this.oracles = new Oracles(this, reference);
    race.tolerate(siteTolerance(subject.model.sites));
    race.onRace((at, other, site, isWrite) => this.oracles.race(at, other, site, isWrite));
  }

  fail(kind: FailureKind, message: string): void {
    this.failure ??= { kind, message };
  }

  /** CPUs that can take a step, as a bit set. */
  enabled(): number {
    const { tasks } = this;
    let set = 0;
    for (let id = 0; id < tasks.length; id++) {
      if ((tasks[id] as Task).status === T.READY) set |= 1 << id;
    }
    return set;
  }

  /** Whether the pending weak load of a task may read an older value than the word has. */
  hasOld(task: Task): boolean {
    if (task.kind !== T.WEAK_LOAD || this.subject.words[task.at] === task.a) return false;
    return this.#mayReadOlder(task, task.at);
  }

  /** Runs from the state after setup to the end, a failure, or abandonment (false). */
  execute(strategy: Strategy): boolean {
    const { tasks } = this;
    this.#reset();
    let current = -1;
    while (this.failure === null) {
      const enabled = this.enabled();
      if (enabled === 0) {
        if (this.#timeOut()) continue;
        break;
      }
      if (this.steps === STEPS_MAX) {
        this.fail('livelock', `no end after ${STEPS_MAX} steps`);
        break;
      }
      const task = current < 0 ? undefined : tasks[current];
      let choice = current;
      const asks =
        task === undefined ||
        task.status !== T.READY ||
        strategy.stepwise === true ||
        this.#isPoint(task);
      if (asks) {
        // One option only is no choice.
        if ((enabled & (enabled - 1)) !== 0) choice = strategy.choose(this, current);
        else {
          choice = 31 - Math.clz32(enabled);
          const only = tasks[choice] as Task;
          if (only.kind === T.WEAK_LOAD && this.hasOld(only)) {
            choice = strategy.choose(this, current);
          }
        }
        if (choice === ABANDON) return false;
      }
      this.schedule[this.steps] = choice;
      this.steps++;
      current = choice & CPU_MASK;
      this.#step(tasks[current] as Task, (choice & OLD) !== 0);
    }
    if (this.failure === null) this.oracles.finished();
    return true;
  }

  siteOf(index: number): Site {
    const { sites } = this.subject.model;
    return sites[index] ?? (sites[0] as Site);
  }

  #reset(): void {
    this.subject.reset();
    this.oracles.begin();
    this.failure = null;
    this.steps = 0;
    this.#waiting.reset();
    this.#timeouts = 0;
    for (let id = 0; id < this.tasks.length; id++) {
      this.#running[id] = null;
      this.#next[id] = 0;
      (this.results[id] as number[]).length = 0;
      (this.began[id] as number[]).length = 0;
      (this.ended[id] as number[]).length = 0;
    }
  }

  #isPoint(task: Task): boolean {
    if (task.at >= 0) return this.shared[task.at] === 1 || this.oracles.entryIsShared(task);
    return task.kind === T.NEXT_OPERATION;
  }

  #step(task: Task, old: boolean): void {
    const { at, kind } = task;
    if (at >= 0) {
      this.#learn(task, at, kind);
      if (kind === T.USER_LOAD || kind === T.USER_STORE) {
        // The oracle reads the page's entry: that is an access like any other.
        this.#learn(task, this.oracles.entryWord(task), T.LOAD);
        this.oracles.userAccess(task);
      }
      if (kind === T.WAIT && this.subject.words[at] === task.a) {
        this.#waiting.sleep(task);
        return;
      }
      if (kind === T.NOTIFY) this.#waiting.notify(at, task.a);
    }
    if (kind === T.PAUSE && this.#waiting.pause(task)) return;
    if (kind === T.END_CPU) this.#end(task, this.tasks[task.a] as Task);
    // A step without a word has no access to perform: a beginning, a waking-up.
    const value = at >= 0 ? this.#perform(task, old) : kind === T.WOKEN ? task.a : 0;
    if (at >= 0) {
      if (kind >= T.STORE && kind <= T.AND) this.#waiting.changed(at);
      if (kind === T.LOAD) this.#waiting.noteRead(task, at, value);
      this.oracles.performed(task, value);
    }
    this.#run(task, value);
  }

  /** Notes who uses the word. */
  #learn(task: Task, at: number, kind: number): void {
    const bit = 1 << task.id;
    const isWrite = T.isWrite(kind);
    const writers = this.#writers[at] as number;
    const readers = this.#readers[at] as number;
    if (((isWrite ? writers : readers) & bit) !== 0) return;
    if (isWrite) this.#writers[at] = writers | bit;
    else this.#readers[at] = readers | bit;
    const conflict = (writers & ~bit) !== 0 || (isWrite && (readers & ~bit) !== 0);
    if (conflict && this.shared[at] === 0 && !this.oracles.isCounter(at)) {
      this.shared[at] = 1;
      this.sharedGrew = true;
    }
  }

  /** Lets a CPU run on with the result of its access, to its next access or its end. */
  #run(task: Task, value: number): void {
    this.#setCurrent(task, true);
    try {
      const running = this.#running[task.id];
      const turn = running?.next(value) ?? this.#startNext(task)?.next(0);
      if (turn?.done === true) this.#operationDone(task, turn.value);
    } catch (error) {
      const { name, message, stack } = error as Error;
      const where = name === 'KernelPanic' ? '' : `\n${stack ?? ''}`;
      this.fail('panic', `CPU ${task.id}: ${message}${where}`);
      task.status = T.DONE;
    }
  }

  /** Begins the next operation of the CPU's list; null when it is done at once. */
  #startNext(task: Task): Coroutine | null {
    const { subject } = this;
    const operation = this.#nextOperation(task);
    const cpu = subject.world.cpus[task.id];
    if (operation === undefined || cpu === undefined) throw new Error(`no CPU ${task.id}`);
    (this.began[task.id] as number[]).push(this.steps);
    const started: unknown = operation.run(subject.world, cpu);
    if (this.#isCoroutine(started)) {
      this.#running[task.id] = started;
      return started;
    }
    this.#operationDone(task, started);
    return null;
  }

  #nextOperation(task: Task): Operation | undefined {
    return this.subject.programs[task.id]?.[this.#next[task.id] as number];
  }

  /** An operation has returned: before the next one other CPUs may run. */
  #operationDone(task: Task, result: unknown): void {
    (this.results[task.id] as number[]).push(Number(result));
    (this.ended[task.id] as number[]).push(this.steps);
    (this.#next[task.id] as number)++;
    this.#running[task.id] = null;
    task.kind = T.NEXT_OPERATION;
    task.at = -1;
    const next = this.#nextOperation(task);
    const { world, model } = this.subject;
    const isOver = next === model.module.finish && world.live[task.id] === 0;
    if (next === undefined || isOver) task.status = T.DONE;
  }

  /** The Worker of `ended` is terminated, wherever it is, and `task` has waited for that. */
  #end(task: Task, ended: Task): void {
    ended.status = T.DONE;
    this.#waiting.remove(ended);
    this.subject.model.module.runtime.race.join(task, ended);
  }

  /** Nobody can run: the first sleep with a time limit ends. False when that is no use any more. */
  #timeOut(): boolean {
    const sleeper = this.oracles.stopped(this.#waiting.sleepers);
    if (sleeper === null) return false;
    if (++this.#timeouts > TIMEOUTS_MAX) {
      this.fail('deadlock', this.oracles.whereStuck());
      return false;
    }
    this.#waiting.remove(sleeper);
    wakeUp(sleeper, true);
    return true;
  }
}
