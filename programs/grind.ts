/**
 * Random memory calls from several processes at once (after xv6's grind). Each process throws
 * seeded mmap, munmap, mprotect and accesses at overlapping ranges of an arena, by all three ways
 * into the kernel, and keeps a model beside it: what a page must read, and when it must fault.
 * All add to counters in a shared page, whose sum the parent checks.
 */
import { defineProgram, MAP_ANONYMOUS, MAP_FIXED, MAP_PRIVATE } from '../workers/program.ts';
import { MAP_SHARED, MemoryFault, PROT_NONE } from '../workers/program.ts';
import { PROT_READ, PROT_WRITE } from '../workers/program.ts';
import type { Proc, Program } from '../workers/program.ts';

interface Options {
  /** 1 to 64. */
  readonly processes?: number;
  /** Calls and accesses of each process, 1 to 1000000. */
  readonly rounds?: number;
}

interface Job {
  readonly seed: number;
  readonly rounds: number;
  /** Address of the shared counters. */
  readonly counters: number;
}

/** What the model knows of a page; null stands for a page that is not mapped. */
type PageModel = { prot: number; readonly words: Map<number, number> } | null;

const PAGE = 4096;
const PAGES = 64;
const ARENA = 2 ** 32;
const COUNTERS = 16;
const PROTECTIONS = [PROT_NONE, PROT_READ, PROT_READ | PROT_WRITE, PROT_READ | PROT_WRITE];

function makeRandom(seed: number): (bound: number) => number {
  let state = seed >>> 0;
  return (bound) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * bound);
  };
}

/** The access's result, or the code of its fault. */
function attempt(access: () => number | void): number | string | void {
  try {
    return access();
  } catch (error) {
    if (error instanceof MemoryFault) return error.code;
    throw error;
  }
}

class Grinder {
  readonly #proc: Proc;
  readonly #random: (bound: number) => number;
  readonly #model: PageModel[] = new Array<PageModel>(PAGES).fill(null);

  constructor(proc: Proc, seed: number) {
    this.#proc = proc;
    this.#random = makeRandom(seed);
  }

  /** One call or access; resolves to a complaint when the machine and the model disagree. */
  async round(): Promise<string | null> {
    const random = this.#random;
    const first = random(PAGES);
    const count = 1 + random(Math.min(8, PAGES - first));
    const address = ARENA + first * PAGE;
    const prot = PROTECTIONS[random(PROTECTIONS.length)] ?? PROT_NONE;
    const kernel = [this.#proc.local, this.#proc.sync, this.#proc][random(3)] ?? this.#proc;
    switch (random(8)) {
      case 0: {
        const flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;
        await kernel.mmap(address, count * PAGE, prot, flags);
        for (let i = first; i < first + count; i++) this.#model[i] = { prot, words: new Map() };
        return null;
      }
      case 1:
        await kernel.munmap(address, count * PAGE);
        this.#model.fill(null, first, first + count);
        return null;
      case 2: {
        const pages = this.#model.slice(first, first + count);
        if (pages.includes(null)) return null;
        await kernel.mprotect(address, count * PAGE, prot);
        for (const page of pages) if (page !== null) page.prot = prot;
        return null;
      }
      default:
        return this.#touch(first);
    }
  }

  #touch(index: number): string | null {
    const { mem } = this.#proc;
    const page = this.#model[index] ?? null;
    const word = this.#random(PAGE / 4);
    const address = ARENA + index * PAGE + word * 4;
    const isWrite = this.#random(2) === 0;
    const value = this.#random(2 ** 31);
    const needed = isWrite ? PROT_WRITE : PROT_READ;

    let expected: number | string | undefined;
    if (page === null) expected = 'SEGV_MAPERR';
    else if ((page.prot & needed) === 0) expected = 'SEGV_ACCERR';
    else if (isWrite) page.words.set(word, value);
    else expected = page.words.get(word) ?? 0;

    const found = attempt(() => (isWrite ? mem.store32(address, value) : mem.load32(address)));
    if (found === expected) return null;
    const access = `${isWrite ? 'store to' : 'load from'} 0x${address.toString(16)}`;
    return `${access}: expected ${expected ?? 'success'}, got ${found ?? 'success'}`;
  }
}

async function grindOne(proc: Proc, { seed, rounds, counters }: Job): Promise<number> {
  const grinder = new Grinder(proc, seed);
  for (let round = 0; round < rounds; round++) {
    const complaint = await grinder.round();
    if (complaint !== null) {
      proc.print(`grind: seed ${seed}, round ${round}: ${complaint}`);
      return 1;
    }
    proc.mem.atomicAdd32(counters + (round % COUNTERS) * 4, 1);
  }
  return 0;
}

async function grindAll(proc: Proc, { processes = 4, rounds = 2000 }: Options): Promise<number> {
  const counters = await proc.mmap(0, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS);
  const pids: number[] = [];
  for (let i = 1; i <= processes; i++) {
    const job: Job = { seed: proc.seed * 65537 + i, rounds, counters };
    const name = `grind/${i}`;
    pids.push(await proc.spawn(import.meta.url, { args: [job], inherit: true, name }));
  }
  let failed = 0;
  for (const pid of pids) {
    const { status } = await proc.wait(pid);
    if (!('code' in status) || status.code !== 0) failed++;
  }
  let sum = 0;
  for (let i = 0; i < COUNTERS; i++) sum += proc.mem.load32(counters + i * 4);
  const expected = processes * rounds;
  const verdict = failed === 0 && sum === expected ? 'ok' : 'FAILED';
  proc.print(`${verdict}: ${processes} processes, ${sum} of ${expected} rounds, ${failed} failed`);
  return verdict === 'ok' ? 0 : 1;
}

const grind: Program = defineProgram((proc, job: Options | Job) =>
  'counters' in job ? grindOne(proc, job) : grindAll(proc, job),
);

export default grind;
