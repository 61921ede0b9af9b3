/** What the processes of a grind are told, and the page of words that they share. */
import { SyscallError } from '../../workers/program.ts';
import type { Proc } from '../../workers/program.ts';

export interface Job {
  readonly seed: number;
  /** Calls and accesses; Infinity when only time counts. */
  readonly rounds: number;
  /** Date.now() at which all must end, or Infinity. */
  readonly untilMs: number;
  /** Pages of the arena. */
  readonly pages: number;
  /** Children that a process has at most. */
  readonly forks: number;
  /** Percent of the children that are killed. */
  readonly kills: number;
  /** Address of the shared page. */
  readonly shared: number;
  /** Forks between the first of them and this process. */
  readonly depth: number;
}

/** Words for the rounds: several, so that processes do not all contend for one. */
const COUNTERS = 16;
/** Byte offsets of the other counters. */
const TALLIES = {
  /** Rounds of those that ended by themselves. */
  claimed: 64,
  forks: 68,
  kills: 72,
  /** Processes that the machine ended for want of memory. */
  starved: 76,
  /** Calls that failed for want of memory. */
  refused: 80,
} as const;
/** Not 0: forked processes, orphans included, must end. */
const STOP = 84;
/** Pids of the forked processes that run. */
const SLOTS = 256;
const SLOT_COUNT = 128;

export function makeRandom(seed: number): (bound: number) => number {
  let state = seed >>> 0;
  return (bound) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * bound);
  };
}

/** False when memory was short. */
export async function succeeds(call: () => number | Promise<number>): Promise<boolean> {
  try {
    await call();
    return true;
  } catch (error) {
    if (error instanceof SyscallError && error.code === 'ENOMEM') return false;
    throw error;
  }
}

/** Retries until there is memory: for what a run cannot do without. */
export async function persist(proc: Proc, call: () => Promise<number>): Promise<number> {
  let result = 0;
  const keep = async (): Promise<number> => (result = await call());
  while (!(await succeeds(keep))) await proc.nanosleep(1e6);
  return result;
}

export class SharedPage {
  readonly #proc: Proc;
  readonly #at: number;

  constructor(proc: Proc, address: number) {
    this.#proc = proc;
    this.#at = address;
  }

  countRound(round: number): void {
    this.#proc.mem.atomicAdd32(this.#at + (round % COUNTERS) * 4, 1);
  }

  /** Rounds counted, modulo 2^32. */
  rounds(): number {
    let sum = 0;
    for (let i = 0; i < COUNTERS; i++) sum += this.#proc.mem.load32(this.#at + i * 4);
    return sum >>> 0;
  }

  count(tally: keyof typeof TALLIES, by = 1): void {
    this.#proc.mem.atomicAdd32(this.#at + TALLIES[tally], by);
  }

  /** Modulo 2^32. */
  tally(tally: keyof typeof TALLIES): number {
    return this.#proc.mem.load32(this.#at + TALLIES[tally]) >>> 0;
  }

  isStopped(): boolean {
    return this.#proc.mem.atomicLoad32(this.#at + STOP) !== 0;
  }

  /** Puts a forked process on the list of those that run; false when there is no room. */
  enter(pid: number): boolean {
    for (let slot = 0; slot < SLOT_COUNT; slot++) if (this.#change(slot, 0, pid)) return true;
    return false;
  }

  leave(pid: number): void {
    for (let slot = 0; slot < SLOT_COUNT; slot++) if (this.#change(slot, pid, 0)) return;
  }

  /** Tells forked processes to end, and waits for those that their parents did not wait for. */
  async outlive(): Promise<void> {
    const { mem } = this.#proc;
    mem.atomicStore32(this.#at + STOP, 1);
    for (let slot = 0; slot < SLOT_COUNT; slot++) {
      const pid = mem.atomicLoad32(this.#at + SLOTS + 4 * slot);
      while (pid !== 0 && (await isAlive(this.#proc, pid))) await this.#proc.nanosleep(1e6);
    }
  }

  #change(slot: number, from: number, to: number): boolean {
    const at = this.#at + SLOTS + 4 * slot;
    return this.#proc.mem.atomicCompareExchange32(at, from, to) === from;
  }
}

async function isAlive(proc: Proc, pid: number): Promise<boolean> {
  try {
    await proc.kill(pid, 0);
    return true;
  } catch (error) {
    if (error instanceof SyscallError && error.code === 'ESRCH') return false;
    throw error;
  }
}
