/**
 * CPUs that wait: in `wait` until a notify of their word, or in a spin loop, at its `pause`, until
 * something changes that the loop has read. A spin that reads the same values again gets nowhere,
 * so leaving those turns out loses nothing.
 */
import type { Words } from '../../../shared/atomics.ts';
import * as T from '../runtime/task.ts';
import type { Task } from '../runtime/task.ts';

/** Words that one turn of a spin loop reads, at most; a power of two. */
const SPIN_READS = 8;

export class Waiting {
  readonly #words: Words;
  readonly #tasks: readonly Task[];
  /** Longest asleep first. */
  readonly #sleepers: Task[] = [];
  /** Rings of the last words read and their values, by CPU; -1 for none. */
  readonly #readAt: Int32Array;
  readonly #readValue: Int32Array;
  readonly #reads: number[];
  #spinning = 0;

  constructor(words: Words, tasks: readonly Task[]) {
    this.#words = words;
    this.#tasks = tasks;
    this.#readAt = new Int32Array(tasks.length * SPIN_READS);
    this.#readValue = new Int32Array(tasks.length * SPIN_READS);
    this.#reads = tasks.map(() => 0);
  }

  get sleepers(): readonly Task[] {
    return this.#sleepers;
  }

  reset(): void {
    this.#sleepers.length = 0;
    this.#spinning = 0;
    this.#readAt.fill(-1);
  }

  sleep(task: Task): void {
    task.status = T.SLEEPING;
    this.#sleepers.push(task);
  }

  /** Ends a sleep: by its time limit, or because the CPU's Worker is ended. */
  remove(task: Task): void {
    const index = this.#sleepers.indexOf(task);
    if (index >= 0) this.#sleepers.splice(index, 1);
  }

  /** Wakes up to `count` sleepers on the word, longest asleep first. */
  notify(at: number, count: number): void {
    let left = count;
    for (let i = 0; i < this.#sleepers.length && left > 0;) {
      const sleeper = this.#sleepers[i] as Task;
      if (sleeper.at !== at) {
        i++;
        continue;
      }
      this.#sleepers.splice(i, 1);
      wakeUp(sleeper, false);
      left--;
    }
  }

  noteRead(task: Task, at: number, value: number): void {
    const reads = this.#reads[task.id] as number;
    const slot = task.id * SPIN_READS + (reads & (SPIN_READS - 1));
    this.#readAt[slot] = at;
    this.#readValue[slot] = value;
    this.#reads[task.id] = reads + 1;
  }

  /** A pause: false when something read has changed already, so that the loop may look again. */
  pause(task: Task): boolean {
    const first = task.id * SPIN_READS;
    let read = false;
    for (let slot = first; slot < first + SPIN_READS; slot++) {
      const at = this.#readAt[slot] as number;
      if (at < 0) continue;
      read = true;
      if (this.#words[at] === this.#readValue[slot]) continue;
      this.#readAt.fill(-1, first, first + SPIN_READS);
      return false;
    }
    if (!read) return false;
    task.status = T.SPINNING;
    this.#spinning++;
    return true;
  }

  /** After a write: spins that have read the word go on. */
  changed(at: number): void {
    if (this.#spinning === 0) return;
    for (const task of this.#tasks) {
      if (task.status !== T.SPINNING) continue;
      const first = task.id * SPIN_READS;
      const ring = this.#readAt.subarray(first, first + SPIN_READS);
      if (!ring.includes(at)) continue;
      ring.fill(-1);
      wakeUp(task, false);
      this.#spinning--;
    }
  }
}

export function wakeUp(task: Task, timedOut: boolean): void {
  task.status = T.READY;
  task.kind = T.WOKEN;
  task.at = -1;
  task.a = timedOut ? 1 : 0;
}
