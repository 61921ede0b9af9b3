/**
 * A barrier in two words: nobody passes before all have come, as often as wanted.
 *
 *     word 0: how many have come in this round     word 1: rounds passed
 *
 * Guarantees: what anybody wrote before it came is seen by everybody who has passed.
 */
import type { FutexProcess } from './futex-process.ts';
import { sleepWhile, sleepWhileSync } from './futex-process.ts';

export const BARRIER_BYTES = 8;

const EVERYBODY: number = 2 ** 31 - 1;

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

  /** As `wait`, asleep with the whole Worker. EDEADLK when nobody elsewhere could come. */
  waitSync(): boolean {
    const round = this.#round();
    if (this.#isLast()) return true;
    while (this.#round() === round) sleepWhileSync(this.#proc, this.#at + 4, round);
    return false;
  }

  #round(): number {
    return this.#proc.mem.atomicLoad32(this.#at + 4);
  }

  /** Comes; the last one opens the barrier, after it has made the next round's ready. */
  #isLast(): boolean {
    const { mem, local } = this.#proc;
    if (mem.atomicAdd32(this.#at, 1) + 1 < this.#parties) return false;
    mem.atomicStore32(this.#at, 0);
    mem.atomicAdd32(this.#at + 4, 1);
    local.futexWake(this.#at + 4, EVERYBODY);
    return true;
  }
}
