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
  /** Rings of the last words read and their values, by CPU, and how many reads there were. */
  readonly #readAt: Int32Array;
  readonly #readValue: Int32Array;
  readonly #reads: Int32Array;
  #spinning = 0;
  /** CPUs that can take a step, as a bit set. */
  ready = 0;

  constructor(words: Words, tasks: readonly Task[]) {
    this.#words = words;
    this.#tasks = tasks;
    this.#readAt = new Int32Array(tasks.length * SPIN_READS);
    this.#readValue = new Int32Array(tasks.length * SPIN_READS);
    this.#reads = new Int32Array(tasks.length);
  }

  get sleepers(): readonly Task[] {
    return this.#sleepers;
  }

  reset(): void {
    if (this.#sleepers.length > 0) this.#sleepers.length = 0;
    this.#spinning = 0;
    this.ready = (1 << this.#tasks.length) - 1;
    for (let id = 0; id < this.#reads.length; id++) this.#reads[id] = 0;
  }

  sleep(task: Task): void {
    this.#suspend(task, T.SLEEPING);
    this.#sleepers.push(task);
  }

  /** Ends a sleep by its time limit. */
  timeOut(task: Task): void {
    this.#remove(task);
    this.wake(task, true);
  }

  /** The CPU takes no more steps: its list is done, or its Worker is ended. */
  stop(task: Task): void {
    if (task.status === T.SPINNING) this.#spinning--;
    this.#remove(task);
    this.#suspend(task, T.DONE);
  }

  wake(task: Task, timedOut: boolean): void {
    task.status = T.READY;
    this.ready |= 1 << task.id;
    task.kind = T.WOKEN;
    task.at = -1;
    task.a = timedOut ? 1 : 0;
  }

  #suspend(task: Task, status: number): void {
    task.status = status;
    this.ready &= ~(1 << task.id);
  }

  #remove(task: Task): void {
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
      this.wake(sleeper, false);
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
    const end = first + this.#remembered(task.id);
    if (end === first) return false;
    for (let slot = first; slot < end; slot++) {
      if (this.#words[this.#readAt[slot] as number] === this.#readValue[slot]) continue;
      this.#reads[task.id] = 0;
      return false;
    }
    this.#suspend(task, T.SPINNING);
    this.#spinning++;
    return true;
  }

  /** After a write: spins that have read the word go on. */
  changed(at: number): void {
    if (this.#spinning === 0) return;
    for (const task of this.#tasks) {
      if (task.status !== T.SPINNING) continue;
      const first = task.id * SPIN_READS;
      const ring = this.#readAt.subarray(first, first + this.#remembered(task.id));
      if (!ring.includes(at)) continue;
      this.#reads[task.id] = 0;
      this.wake(task, false);
      this.#spinning--;
    }
  }

  /** Valid entries of a CPU's ring. */
  #remembered(id: number): number {
    return Math.min(this.#reads[id] as number, SPIN_READS);
  }
}
