/**
 * A condition variable in one word, for use with a mutex. All zeroes is a new one.
 *
 * The word counts signals. A waiter reads it under the mutex, unlocks, and sleeps while it is
 * unchanged: a signal in between changes it, so it is not missed.
 * Guarantees: a signal after `wait` was called under the mutex wakes a waiter.
 * Not guaranteed: that what was waited for holds afterwards. Loop: `while (!ready()) await wait()`.
 * (2^32 signals between one waiter's look and its sleep would be missed.)
 */
import type { FutexProcess } from './futex-process.ts';
import { sleepWhile, sleepWhileSync } from './futex-process.ts';
import type { Mutex } from './mutex.ts';

/** Bytes of a condition in shared memory. */
export const CONDITION_BYTES = 4;

/** More waiters than there can be. */
const EVERYBODY: number = 2 ** 31 - 1;

/** A condition variable, used with a mutex. */
export class Condition {
  readonly #proc: FutexProcess;
  readonly #at: number;

  /** `address` is a multiple of 4, with CONDITION_BYTES bytes. */
  constructor(proc: FutexProcess, address: number) {
    this.#proc = proc;
    this.#at = address;
  }

  /** Unlocks `mutex`, which the caller holds, waits for a signal, and locks it again. */
  async wait(mutex: Mutex): Promise<void> {
    const seen = this.#proc.mem.atomicLoad32(this.#at);
    mutex.unlock();
    await sleepWhile(this.#proc, this.#at, seen);
    await mutex.lock();
  }

  /** As `wait`, asleep with the whole Worker. EDEADLK when no other Worker could signal. */
  waitSync(mutex: Mutex): void {
    const seen = this.#proc.mem.atomicLoad32(this.#at);
    mutex.unlock();
    sleepWhileSync(this.#proc, this.#at, seen);
    mutex.lockSync();
  }

  /** Wakes one waiter. */
  signal(): void {
    this.#wake(1);
  }

  /** Wakes all waiters. */
  broadcast(): void {
    this.#wake(EVERYBODY);
  }

  #wake(count: number): void {
    this.#proc.mem.atomicAdd32(this.#at, 1);
    this.#proc.local.futexWake(this.#at, count);
  }
}
