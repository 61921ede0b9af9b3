/**
 * One execution: runs the CPUs' operations as a strategy says, under the oracles.
 *
 * A step is one access of one CPU. A CPU is suspended only where another one goes on: before each
 * access `request` asks the strategy, and if this CPU continues, its access happens at once. Only
 * accesses to words that two CPUs use in conflict are scheduling points (see sharing.ts). Any
 * execution is equivalent to one that switches CPUs at such points only, so nothing is lost by
 * that, not even under a bound on preemptions.
 */
import type { Site } from '../build/transform.ts';
import type { Driver } from '../runtime/facade.ts';
import * as T from '../runtime/task.ts';
import type { Task } from '../runtime/task.ts';
import type { Conflicts } from './conflicts.ts';
import type { Choices, Execution } from './execution.ts';
import type { Failure, FailureKind } from './failure.ts';
import { Identity } from './identity.ts';
import { Lapses, NO_SITE } from './lapses.ts';
import { Oracles } from './oracles.ts';
import { siteTolerance } from './races-allowed.ts';
import { Progress } from './progress.ts';
import type { Coroutine } from './progress.ts';
import { Replay, segmentsOf } from './schedule.ts';
import type { SequentialOutcomes } from './sequential.ts';
import { Sharing } from './sharing.ts';
import { ABANDON, CPU_MASK, OLD } from './strategy.ts';
import type { Strategy } from './strategy.ts';
import type { Subject } from './subject.ts';
import { Waiting } from './waiting.ts';

const STEPS_MAX = 50_000;

// Choices that are none.
const UNDECIDED = -2;
const OVER = -3;

export class Executor implements Driver, Choices, Execution {
  readonly subject: Subject;
  readonly tasks: readonly Task[];
  readonly oracles: Oracles;
  readonly sharing: Sharing;
  /** The choices of this execution, one a step. */
  readonly schedule: Uint8Array = new Uint8Array(STEPS_MAX);
  steps = 0;
  failure: Failure | null = null;
  conflicts: Conflicts | null = null;
  isJudged = false;
  readonly progress: Progress;
  readonly #waiting: Waiting;
  readonly #words: Int32Array;
  readonly #points: Uint8Array;
  #strategy: Strategy = { choose: () => ABANDON };
  #stepwise = false;
  #hashes = false;
  #hearsForced = false;
  /** What the strategy has decided about the next step already. */
  #decided = UNDECIDED;
  readonly #lapses = new Lapses();
  readonly #perform: (task: Task, old: boolean) => number;
  readonly #setCurrent: (task: Task, by: Driver) => void;
  readonly #tookNoNotice: () => boolean;
  readonly #mayReadOlder: (task: Task, at: number) => boolean;
  readonly identity: Identity;

  /** `reference`: the same scenario in a build without a mutant, to tell right results by. */
  constructor(subject: Subject, reference: Subject | SequentialOutcomes = subject) {
    const { facade, race } = subject.model.module.runtime;
    this.subject = subject;
    this.tasks = subject.tasks;
    this.#words = subject.words;
    this.sharing = new Sharing(subject.words.length, (at) => this.oracles.isCounter(at));
    this.#points = this.sharing.points;
    this.#waiting = new Waiting(subject.words, this.tasks);
    this.progress = new Progress(subject);
    // Read from the bundle's namespaces once, since each read calls a getter.
    this.#perform = facade.perform;
    this.#setCurrent = facade.setCurrent;
    this.#mayReadOlder = race.mayReadOlder;
    this.#tookNoNotice = race.tookNoNotice;
    this.oracles = new Oracles(this, subject, reference);
    this.identity = new Identity(subject, this.#waiting);
    race.tolerate(siteTolerance(subject.model.sites));
    race.onRace((at, other, site, isWrite) => this.oracles.race(at, other, site, isWrite));
  }

  hashState(): Identity {
    return this.identity.hash(this.#lapses);
  }

  fail(kind: FailureKind, message: string): void {
    this.failure ??= { kind, message };
  }

  /** Whether the pending weak load of a task may read an older value than the word has. */
  hasOld(task: Task): boolean {
    if (task.kind !== T.WEAK_LOAD || this.#words[task.at] === task.a) return false;
    return this.#mayReadOlder(task, task.at);
  }

  /** Runs from the state after setup to the end, a failure, or abandonment (false). */
  execute(strategy: Strategy): boolean {
    const isWhole = this.#executeOnce(strategy);
    if (!this.#tookNoNotice()) return isWhole;
    // The race detector has not watched this execution from its beginning: once more, with the same
    // choices. Searches start again, because which old values may be read was not known either.
    this.sharing.grew = true;
    return isWhole && this.#executeOnce(new Replay(segmentsOf(this.schedule.slice(0, this.steps))));
  }

  #executeOnce(strategy: Strategy): boolean {
    this.#reset(strategy);
    let current = -1;
    while (this.failure === null) {
      const choice = this.#decided === UNDECIDED ? this.#next(current) : this.#decided;
      this.#decided = UNDECIDED;
      if (choice === ABANDON) return false;
      if (choice === OVER) break;
      this.schedule[this.steps] = choice;
      this.steps++;
      current = choice & CPU_MASK;
      this.#step(this.tasks[current] as Task, (choice & OLD) !== 0);
    }
    if (this.failure === null) this.oracles.finished(this.progress);
    return true;
  }

  /**
   * The access that a running CPU is about to make. Its result when this CPU makes it now, or
   * undefined when the CPU is to be suspended: for another one, to wait, or for good.
   */
  request(task: Task): number | undefined {
    if (this.failure !== null || this.steps === STEPS_MAX) return undefined;
    const { id, kind } = task;
    if (this.#stepwise || this.#isPoint(task)) {
      const choice = this.#ask(id);
      if (choice !== id) {
        this.#decided = choice;
        return undefined;
      }
    }
    if (kind === T.WAIT || kind === T.PAUSE || kind === T.END_CPU) {
      this.#decided = id;
      return undefined;
    }
    this.schedule[this.steps] = id;
    this.steps++;
    return this.#access(task, false);
  }

  siteOf(index: number): Site {
    const { sites } = this.subject.model;
    return sites[index] ?? (sites[0] as Site);
  }

  #reset(strategy: Strategy): void {
    this.subject.reset();
    this.#strategy = strategy;
    this.#stepwise = strategy.stepwise === true;
    this.#hearsForced = strategy.hearsForced === true;
    this.#hashes = strategy.comparesStates === true;
    this.identity.start(this.#hashes);
    this.#decided = UNDECIDED;
    this.failure = null;
    this.steps = 0;
    this.#waiting.reset();
    this.#lapses.reset();
    this.progress.reset();
    this.conflicts?.begin();
  }

  /** Which CPU takes the next step, when the last one that ran has not decided it. */
  #next(current: number): number {
    while (this.#waiting.ready === 0) if (!this.#timeOut()) return OVER;
    if (this.steps === STEPS_MAX) {
      this.fail('livelock', `no end after ${STEPS_MAX} steps`);
      return OVER;
    }
    const task = current < 0 ? undefined : this.tasks[current];
    const asks = task?.status !== T.READY || this.#stepwise || this.#isPoint(task);
    return asks ? this.#ask(current) : current;
  }

  /** The strategy's choice. A single option needs none. */
  #ask(current: number): number {
    const enabled = this.#waiting.ready;
    // One that counts steps hears of each of them.
    if (this.#stepwise || this.#hearsForced || (enabled & (enabled - 1)) !== 0) {
      return this.#strategy.choose(this, current, enabled);
    }
    const only = 31 - Math.clz32(enabled);
    const hasOld = this.hasOld(this.tasks[only] as Task);
    return hasOld ? this.#strategy.choose(this, current, enabled) : only;
  }

  #isPoint(task: Task): boolean {
    const { at, kind } = task;
    if (at < 0) return kind === T.NEXT_OPERATION;
    if (this.#points[at] === 1) return true;
    if (kind !== T.USER_LOAD && kind !== T.USER_STORE) return false;
    return this.#points[this.oracles.entryWord(task)] === 1;
  }

  /** The pending step of a suspended CPU; and then it runs on. */
  #step(task: Task, old: boolean): void {
    const { at, kind } = task;
    if (at >= 0) {
      if (kind === T.WAIT && this.#words[at] === task.a) {
        this.#judgeLapse(task, task.site);
        this.sharing.learn(task.id, at, kind);
        this.isJudged = true;
        this.#waiting.sleep(task);
        return;
      }
      this.#run(task, this.#access(task, old));
      return;
    }
    // No access: a beginning, a waking-up, a pause, the end of another CPU.
    if (this.#hashes) this.identity.noteStep(task);
    if (kind === T.PAUSE || kind === T.END_CPU) this.isJudged = true;
    if (kind === T.PAUSE && this.#waiting.pause(task)) return;
    if (kind === T.END_CPU) this.#end(task, this.tasks[task.a] as Task);
    this.#run(task, kind === T.WOKEN ? task.a : 0);
  }

  #access(task: Task, old: boolean): number {
    const { at, kind } = task;
    if (this.#points[at] === 0) this.sharing.learn(task.id, at, kind);
    if (kind === T.USER_LOAD || kind === T.USER_STORE) {
      // The oracle reads the page's entry: that is an access like any other.
      this.sharing.learn(task.id, this.oracles.entryWord(task), T.LOAD);
      this.oracles.userAccess(task);
    }
    if (kind === T.NOTIFY) this.#waiting.notify(at, task.a);
    this.conflicts?.note(task);
    if (kind === T.WEAK_LOAD && this.#hashes) this.sharing.grew ||= this.identity.isNewPoll(at);
    const value = this.#perform(task, old);
    if (kind >= T.STORE && kind <= T.AND) this.#waiting.changed(at);
    else if (kind === T.LOAD) this.#waiting.noteRead(task, at, value);
    return value;
  }

  /** Lets a CPU run on with the result of its access, until it is suspended or its end. */
  #run(task: Task, value: number): void {
    this.#setCurrent(task, this);
    try {
      const running = this.progress.running[task.id] ?? this.#begin(task);
      if (typeof running === 'number') this.#operationDone(task, running);
      else {
        const turn = running.next(value);
        if (turn.done === true) this.#operationDone(task, Number(turn.value));
      }
    } catch (error) {
      const { name, message, stack } = error as Error;
      const where = name === 'KernelPanic' ? '' : `\n${stack ?? ''}`;
      this.fail('panic', `CPU ${task.id}: ${message}${where}`);
      this.#waiting.stop(task);
    }
  }

  #begin(task: Task): Coroutine | number {
    this.isJudged = true;
    if (this.#hashes) this.identity.noteBegin(task, this.progress);
    return this.progress.start(task.id, this.steps);
  }

  /** An operation has returned: before the next one other CPUs may run. */
  #operationDone(task: Task, result: number): void {
    this.#judgeLapse(task, NO_SITE);
    this.isJudged = true;
    if (this.#hashes) this.identity.noteResult(result);
    task.kind = T.NEXT_OPERATION;
    task.at = -1;
    if (!this.progress.end(task.id, this.steps, result)) this.#waiting.stop(task);
  }

  /** The Worker of `ended` is terminated, wherever it is, and `task` has waited for that. */
  #end(task: Task, ended: Task): void {
    this.#waiting.stop(ended);
    this.subject.model.module.runtime.race.join(task, ended);
    if (this.#hashes) this.identity.noteJoin(task, ended);
  }

  /** No CPU can run, so the first sleep with a time limit ends. False when there were too many. */
  #timeOut(): boolean {
    const sleeper = this.oracles.stopped(this.#waiting.sleepers);
    if (sleeper === null) return false;
    if (!this.#lapses.add(sleeper)) {
      this.fail('deadlock', this.oracles.whereStuck());
      return false;
    }
    this.isJudged = true;
    this.#waiting.timeOut(sleeper);
    return true;
  }

  #judgeLapse({ id }: Task, site: number): void {
    const lapsed = this.#lapses.end(id);
    if (lapsed !== NO_SITE && lapsed !== site) this.oracles.overslept(id, lapsed);
  }
}
