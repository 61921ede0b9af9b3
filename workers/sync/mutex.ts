/**
 * A mutex in one word of memory that threads or processes share. All zeroes is an unlocked one.
 *
 *     0 free     1 held     2 held, and there may be waiters
 *
 * After Drepper, "Futexes Are Tricky" (mutex2): without contention no syscall is made.
 * Guarantees: mutual exclusion; the next holder sees what the last one wrote.
 * Not guaranteed: fairness; anything when a holder ends without unlocking.
 */
import type { FutexProcess } from './futex-process.ts';
import { sleepWhile, sleepWhileSync } from './futex-process.ts';

/** Bytes of a mutex in shared memory. */
export const MUTEX_BYTES = 4;

const FREE = 0;
const HELD = 1;
const CONTENDED = 2;

/** A mutex. Not fair, and not released when its holder ends. */
export class Mutex {
  readonly #proc: FutexProcess;
  readonly #at: number;

  /** `address` is a multiple of 4, with MUTEX_BYTES bytes. */
  constructor(proc: FutexProcess, address: number) {
    this.#proc = proc;
    this.#at = address;
  }

  /** Takes the mutex if it is free. */
  tryLock(): boolean {
    return this.#proc.mem.atomicCompareExchange32(this.#at, FREE, HELD) === FREE;
  }

  /** Waits until it is free, and takes it; other processes of the CPU run meanwhile. */
  async lock(): Promise<void> {
    if (this.tryLock()) return;
    while (this.#contend()) await sleepWhile(this.#proc, this.#at, CONTENDED);
  }

  /** As `lock`, asleep with the whole Worker. EDEADLK when no other Worker could unlock it. */
  lockSync(): void {
    if (this.tryLock()) return;
    while (this.#contend()) sleepWhileSync(this.#proc, this.#at, CONTENDED);
  }

  /** By its holder. */
  unlock(): void {
    if (this.#proc.mem.atomicExchange32(this.#at, FREE) === CONTENDED) {
      this.#proc.local.futexWake(this.#at, 1);
    }
  }

  /** Tries again, marking the mutex as contended: others may wait. Whether it must wait. */
  #contend(): boolean {
    return this.#proc.mem.atomicExchange32(this.#at, CONTENDED) !== FREE;
  }
}
