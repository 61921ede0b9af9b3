/**
 * A reusable barrier in two words: no process passes before all have arrived.
 *
 *     word 0: arrivals in this round     word 1: rounds passed
 *
 * Guarantees: what any process wrote before it arrived is seen by all that have passed.
 */
import type { FutexProcess } from './futex-process.ts';
import { sleepWhile, sleepWhileSync } from './futex-process.ts';

/** Bytes of a barrier in shared memory. */
export const BARRIER_BYTES = 8;

const EVERYBODY: number = 2 ** 31 - 1;

/** A barrier: each of `parties` processes waits for all others, again and again. */
export class Barrier {
  readonly #proc: FutexProcess;
  readonly #at: number;
  readonly #parties: number;

  /** `address` is a multiple of 4, with BARRIER_BYTES bytes of zeroes at first. */
  constructor(proc: FutexProcess, address: number, parties: number) {
    this.#proc = proc;
    this.#at = address;
    this.#parties = parties;
  }

  /** Waits for the others. True for one of them each round. */
  async wait(): Promise<boolean> {
    const round = this.#round();
    if (this.#isLast()) return true;
    while (this.#round() === round) await sleepWhile(this.#proc, this.#at + 4, round);
    return false;
  }

  /** As `wait`, asleep with the whole Worker. EDEADLK when no other Worker could arrive. */
  waitSync(): boolean {
    const round = this.#round();
    if (this.#isLast()) return true;
    while (this.#round() === round) sleepWhileSync(this.#proc, this.#at + 4, round);
    return false;
  }

  #round(): number {
    return this.#proc.mem.atomicLoad32(this.#at + 4);
  }

  /** Arrives; the last one opens the barrier, after preparing the next round. */
  #isLast(): boolean {
    const { mem, local } = this.#proc;
    if (mem.atomicAdd32(this.#at, 1) + 1 < this.#parties) return false;
    mem.atomicStore32(this.#at, 0);
    mem.atomicAdd32(this.#at + 4, 1);
    local.futexWake(this.#at + 4, EVERYBODY);
    return true;
  }
}
