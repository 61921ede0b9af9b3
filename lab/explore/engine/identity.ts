/**
 * The identity of a state in the middle of an execution: two executions that are in states of one
 * identity have the same futures, and the same verdicts await them. It is a hash of 64 bits over
 *
 * - the machine's words, but for counters (runtime/state-hash.ts),
 * - by CPU all that its code has read, which says where it is and what it holds in variables and in
 *   its TLB, and whether it can run, sleeps, or has been woken,
 * - the order of the sleepers, and time limits that have ended sleeps,
 * - which operations had ended when others began, by which results are judged,
 * - who may still read the old value of a word that programs poll (runtime/unaware.ts).
 *
 * The race detector's clocks are no part of it: docs/explore.md says why.
 */
import * as BOOT from '../../../shared/layout/boot.ts';
import type { Task } from '../runtime/task.ts';
import * as T from '../runtime/task.ts';
import type { Lapses } from './lapses.ts';
import type { Progress } from './progress.ts';
import type { Subject } from './subject.ts';
import type { Waiting } from './waiting.ts';

export class Identity {
  low = 0;
  high = 0;
  readonly #tasks: readonly Task[];
  readonly #waiting: Waiting;
  readonly #runtime: Subject['model']['module']['runtime'];
  readonly #noteValue: (task: Task, value: number) => void;

  constructor(subject: Subject, waiting: Waiting) {
    const runtime = subject.model.module.runtime;
    const ignored = subject.ignored.slice();
    // A count on which others wait.
    ignored[BOOT.CPU_EVENT] = 0;
    // The log is no part of a final state, but who reads it goes on by what it says.
    const { machine } = subject.world;
    ignored.fill(0, machine.dmesg, machine.swapMap);
    ignored[BOOT.DMESG_NEXT] = 0;
    runtime.state.watchState(ignored);
    runtime.unaware.watchPolls(subject.words.length);
    identifyObjects(subject.world, runtime.heap.identify);
    this.#tasks = subject.tasks;
    this.#waiting = waiting;
    this.#runtime = runtime;
    this.#noteValue = runtime.state.noteValue;
  }

  /** At the start of an execution. */
  start(isWanted: boolean): void {
    const { heap, state, unaware } = this.#runtime;
    state.setHashing(isWanted);
    if (!isWanted) return;
    state.startState(this.#tasks);
    heap.startHeap();
    unaware.startAware(this.#tasks.length);
  }

  /** A step that is no access. */
  noteStep(task: Task): void {
    this.#noteValue(task, (task.kind << 4) | (task.kind === T.WOKEN ? task.a : 0));
  }

  /** A CPU begins an operation: after which of the others'. */
  noteBegin(task: Task, { done }: Progress): void {
    for (const count of done) this.#noteValue(task, count);
    this.#runtime.heap.enter();
  }

  noteResult(result: number): void {
    this.#runtime.heap.leave(undefined, result);
  }

  noteJoin(task: Task, ended: Task): void {
    this.#runtime.unaware.noteJoin(task, ended);
  }

  /** The words that programs poll, as far as it is known. */
  get polled(): number[] {
    return this.#runtime.unaware.polledWords();
  }

  /** Notes a weak load. True when it is the first of its word. */
  isNewPoll(at: number): boolean {
    return this.#runtime.unaware.notePoll(at);
  }

  /** Brings `low` and `high` up to date; returns itself. */
  hash(lapses: Lapses): this {
    const { state, unaware } = this.#runtime;
    this.low = state.memoryLow;
    this.high = state.memoryHigh;
    for (const task of this.#tasks) {
      this.#mix(task.low, task.high);
      this.#mix(task.heapLow, task.heapHigh);
      const woken = task.kind === T.WOKEN ? 2 + task.a : 0;
      this.#mix((task.status << 8) | woken, lapses.sites[task.id] as number);
    }
    for (const { id } of this.#waiting.sleepers) this.#mix(id + 1, id + 1);
    if (lapses.count > 0) this.#mix(lapses.count, lapses.count);
    const { active } = unaware;
    for (let i = 0; active >> i !== 0; i++) {
      if ((active & (1 << i)) === 0) continue;
      this.#mix(unaware.unaware[i] as number, i);
      this.#mix(unaware.carriersSum[i] as number, unaware.carriersSum[i] as number);
    }
    return this;
  }

  #mix(low: number, high: number): void {
    const first = Math.imul(this.low ^ low, 0x9e3779b1);
    this.low = ((first << 13) | (first >>> 19)) + low;
    const second = Math.imul((this.high + high) | 0, 0x85ebca6b);
    this.high = ((second << 15) | (second >>> 17)) ^ low;
  }
}

/** Gives the objects that outlive executions their identities, by where they are in the world. */
function identifyObjects(root: object, identify: (object: object, identity: number) => void): void {
  const seen = new Set<object>();
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null || seen.has(value)) return;
    seen.add(value);
    identify(value, seen.size);
    if (ArrayBuffer.isView(value) || value instanceof SharedArrayBuffer) return;
    Object.values(value).forEach(visit);
  };
  visit(root);
}
