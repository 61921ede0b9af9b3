/**
 * Memory pressure: a process with more pages than the machine has frames left, which remembers what
 * it stored in each. It checks them a chunk at a time and stores new numbers, and now and then
 * forks a child that does the same with its copy. What comes back from swap must be what went out.
 */
import {
  MAP_ANONYMOUS,
  MAP_PRIVATE,
  PROT_READ,
  PROT_WRITE,
  SyscallError,
} from '../../workers/program.ts';
import type { Proc } from '../../workers/program.ts';
import { EAGAIN, ENOMEM } from '../../shared/abi/errno.ts';
import { PAGE_SIZE } from '../../shared/limits.ts';
import { makeRandom } from '../../shared/random.ts';
import { Violation } from './judge.ts';
import { Oracle } from './oracle.ts';

export interface BallastTask {
  /** Only its STOP and its counters are used. */
  readonly oracle: SharedArrayBuffer;
  readonly pages: number;
  readonly seed: number;
  /** Whether it may fork. */
  readonly forks: boolean;
}

/** Pages between two awaits. */
const CHUNK_PAGES = 256;
/** One chunk in this many forks, or ends the child. */
const FORK_EVERY = 6;
/** Chunks of a forked child. */
const CHILD_CHUNKS = 2;
const WORDS_PER_PAGE: number = PAGE_SIZE / 4;

export class Ballast {
  readonly #proc: Proc;
  readonly #task: BallastTask;
  readonly #address: number;
  readonly #stored: Int32Array;
  readonly #random: (bound: number) => number;
  readonly #oracle: Oracle;
  #next = 0;

  constructor(proc: Proc, task: BallastTask, address: number, stored: Int32Array) {
    this.#proc = proc;
    this.#task = task;
    this.#address = address;
    this.#stored = stored;
    this.#random = makeRandom(task.seed);
    this.#oracle = new Oracle(task.oracle, 1);
  }

  static async create(proc: Proc, task: BallastTask): Promise<Ballast> {
    const type = MAP_PRIVATE | MAP_ANONYMOUS;
    const at = await proc.mmap(0, task.pages * PAGE_SIZE, PROT_READ | PROT_WRITE, type);
    return new Ballast(proc, task, at, new Int32Array(task.pages));
  }

  /** Until it is told to stop. Throws Violation. */
  async run(): Promise<void> {
    let child = 0;
    while (!this.#oracle.isStopped()) {
      await this.#chunk();
      if (!this.#task.forks || this.#random(FORK_EVERY) > 0) continue;
      if (child !== 0) await this.#reap(child);
      child = child === 0 ? await this.#fork() : 0;
    }
    if (child !== 0) await this.#reap(child);
  }

  /** Some chunks from somewhere on. Throws Violation. */
  async runChild(): Promise<void> {
    this.#next = this.#random(this.#stored.length);
    for (let i = 0; i < CHILD_CHUNKS && !this.#oracle.isStopped(); i++) await this.#chunk();
    this.#next = (this.#next + this.#stored.length - CHUNK_PAGES) % this.#stored.length;
    await this.#chunk();
  }

  async #chunk(): Promise<void> {
    const { mem } = this.#proc;
    for (let i = 0; i < CHUNK_PAGES; i++) {
      const page = this.#next;
      this.#next = (page + 1) % this.#stored.length;
      const at = this.#address + page * PAGE_SIZE + (page % WORDS_PER_PAGE) * 4;
      const [found, expected] = [mem.load32(at), this.#stored[page] ?? 0];
      this.#oracle.count(0, 'reads');
      if (found !== expected)
        throw new Violation(`ballast page ${page}: ${found}, not ${expected}`);
      if (this.#random(4) === 0) continue;
      this.#stored[page] = 1 + this.#random(2 ** 30);
      mem.store32(at, this.#stored[page] ?? 0);
      this.#oracle.count(0, 'writes');
    }
    await this.#proc.nanosleep(1e5);
  }

  async #fork(): Promise<number> {
    const task = { ...this.#task, seed: this.#random(2 ** 30) };
    try {
      const pid = await this.#proc.fork('forkedBallast', task, this.#address, this.#stored);
      this.#oracle.count(0, 'forks');
      return pid;
    } catch (error) {
      const errno = error instanceof SyscallError ? error.errno : 0;
      if (errno !== ENOMEM && errno !== EAGAIN) throw error;
      this.#oracle.count(0, 'refused');
      return 0;
    }
  }

  async #reap(pid: number): Promise<void> {
    const { status } = await this.#proc.wait(pid);
    if (status.code !== undefined && status.code <= 1) return;
    throw new Violation(`a forked child of the ballast ended: ${JSON.stringify(status)}`);
  }
}
