/**
 * Random memory calls from several processes at once (after xv6's grind). Each process makes seeded
 * mmap, munmap, mprotect, madvise, mremap calls and accesses on overlapping ranges of an arena, by
 * all three ways into the kernel, and keeps a model: what a page must read, and when it must fault.
 * All add to counters in a shared page, whose sum the parent checks.
 *
 * With `forks`, processes fork children that carry on with a copy of the arena and of the model;
 * with `kills`, they kill some of them at any moment. Memory may run out.
 */
import {
  MAP_ANONYMOUS,
  MAP_SHARED,
  PROT_READ,
  PROT_WRITE,
  defineProgram,
} from '../workers/program.ts';
import type { ExitStatus, Proc, Program } from '../workers/program.ts';
import { Arena } from './grind/arena.ts';
import type { PageModel } from './grind/arena.ts';
import { SharedPage, makeRandom, persist, succeeds } from './grind/shared-page.ts';
import type { Job } from './grind/shared-page.ts';

interface Options {
  /** 1 to 64. */
  readonly processes?: number;
  /** Calls and accesses of each process, 1 to 1000000. */
  readonly rounds?: number;
  /** Seconds to run instead of a number of rounds, 1 to 604800. */
  readonly seconds?: number;
  /** Pages of the arena, 16 to 65536. */
  readonly pages?: number;
  /** Children that a process has at most, 0 to 8. */
  readonly forks?: number;
  /** Percent of the children that are killed, 0 to 100. */
  readonly kills?: number;
}

/** One round in this many forks, kills or reaps. */
const FAMILY_EVERY = 100;
const CHILD_ROUNDS = 600;
const DEPTH_MAX = 3;
/** Rounds between two looks at the clock. */
const LOOK_EVERY = 16;

class Grinder {
  readonly #proc: Proc;
  readonly #job: Job;
  readonly #shared: SharedPage;
  readonly #random: (bound: number) => number;
  readonly #arena: Arena;
  readonly #children: number[] = [];

  constructor(proc: Proc, job: Job, model: PageModel[]) {
    this.#proc = proc;
    this.#job = job;
    this.#shared = new SharedPage(proc, job.shared);
    this.#random = makeRandom(job.seed);
    this.#arena = new Arena(proc, this.#random, model);
  }

  /** All rounds, then the children's ends. A complaint when the machine and the model disagree. */
  async run(): Promise<string | null> {
    const { rounds, forks } = this.#job;
    let round = 0;
    for (; round < rounds; round++) {
      if (round % LOOK_EVERY === 0 && this.#isOver()) break;
      const isFamily = forks > 0 && this.#random(FAMILY_EVERY) === 0;
      const complaint = isFamily ? await this.#family() : await this.#arena.round();
      if (complaint !== null) return `round ${round}: ${complaint}`;
      this.#shared.countRound(round);
    }
    while (this.#children.length > 0) {
      const complaint = await this.#reap(this.#children.pop() ?? 0, false);
      if (complaint !== null) return complaint;
    }
    this.#shared.count('claimed', round);
    this.#shared.count('refused', this.#arena.refused);
    return null;
  }

  #isOver(): boolean {
    const { depth, untilMs } = this.#job;
    return Date.now() >= untilMs || (depth > 0 && this.#shared.isStopped());
  }

  /** Forks while more children are allowed, else ends one. */
  async #family(): Promise<string | null> {
    const { forks, kills, depth } = this.#job;
    const random = this.#random;
    if (depth < DEPTH_MAX && this.#children.length < forks && random(3) > 0) {
      const [seed, rounds] = [random(2 ** 32), random(CHILD_ROUNDS)];
      const job: Job = { ...this.#job, seed, rounds, depth: depth + 1 };
      const fork = async (): Promise<number> =>
        this.#children.push(await this.#proc.fork('carryOn', job, this.#arena.model));
      this.#shared.count((await succeeds(fork)) ? 'forks' : 'refused');
      return null;
    }
    const [pid] = this.#children.splice(random(this.#children.length), 1);
    if (pid === undefined) return null;
    const isKilled = random(100) < kills;
    if (isKilled) await this.#proc.kill(pid);
    return this.#reap(pid, isKilled);
  }

  async #reap(pid: number, isKilled: boolean): Promise<string | null> {
    const { status } = await this.#proc.wait(pid);
    if (status.code === 0) return null;
    if (!isLegalKill(status)) return `child ${pid}: ${JSON.stringify(status)}`;
    this.#shared.count(isKilled ? 'kills' : 'starved');
    this.#shared.leave(pid);
    return null;
  }
}

/** By another process or for want of memory; by its Worker's death only if that was injected. */
function isLegalKill(status: ExitStatus): boolean {
  if (status.signal !== 'SIGKILL') return false;
  const { reason = 'out of memory' } = status;
  return reason === 'out of memory' || reason.endsWith('(inject)');
}

async function grindOne(proc: Proc, job: Job, model: PageModel[]): Promise<number> {
  const complaint = await new Grinder(proc, job, model).run();
  if (complaint === null) return 0;
  proc.print(`grind: seed ${job.seed}, ${job.depth} forks deep, ${complaint}`);
  return 1;
}

/** Entry of a forked child: goes on in its copy of the arena with a copy of the model. */
export async function carryOn(proc: Proc, job: Job, model: PageModel[]): Promise<number> {
  const shared = new SharedPage(proc, job.shared);
  if (!shared.enter(proc.pid)) return 0;
  const code = await grindOne(proc, job, model);
  shared.leave(proc.pid);
  return code;
}

async function grindAll(proc: Proc, options: Options): Promise<number> {
  const { processes = 4, seconds, pages = 64, forks = 0, kills = 25 } = options;
  const { rounds = seconds === undefined ? 2000 : Infinity } = options;
  const at = await persist(proc, () =>
    proc.mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS),
  );
  const shared = new SharedPage(proc, at);
  const untilMs = Date.now() + (seconds ?? Infinity) * 1000;
  const pids: number[] = [];
  for (let i = 1; i <= processes; i++) {
    const seed = proc.seed * 65537 + i;
    const job: Job = { seed, rounds, untilMs, shared: at, pages, forks, kills, depth: 0 };
    const options = { args: [job], inherit: true, name: `grind/${i}` };
    pids.push(await persist(proc, () => proc.spawn(import.meta.url, options)));
  }
  let failed = 0;
  for (const pid of pids) {
    const { status } = await proc.wait(pid);
    if (isLegalKill(status)) shared.count('starved');
    else if (status.code !== 0) failed++;
  }
  await shared.outlive();
  return report(proc, shared, processes, failed);
}

function report(proc: Proc, shared: SharedPage, processes: number, failed: number): number {
  const [sum, claimed] = [shared.rounds(), shared.tally('claimed')];
  const [forks, kills, starved] = [
    shared.tally('forks'),
    shared.tally('kills'),
    shared.tally('starved'),
  ];
  const refused = shared.tally('refused');
  // A killed process could not report how many rounds it did.
  const isComplete = kills + starved > 0 ? sum >= claimed : sum === claimed;
  const verdict = failed === 0 && isComplete ? 'ok' : 'FAILED';
  const noun = processes === 1 ? 'process' : 'processes';
  proc.print(`${verdict}: ${processes} ${noun}, ${sum} of ${claimed} rounds, ${failed} failed`);
  if (forks > 0) {
    proc.print(`${forks} forked, ${kills} killed, ${starved} ended for want of memory`);
  }
  if (refused > 0) proc.print(`${refused} calls refused for want of memory`);
  return verdict === 'ok' ? 0 : 1;
}

const grind: Program = defineProgram((proc, job: Options | Job) => {
  if (!('shared' in job)) return grindAll(proc, job);
  return grindOne(proc, job, new Array<PageModel>(job.pages).fill(null));
});

export default grind;
