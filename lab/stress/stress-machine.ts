/**
 * Stresses one machine: processes with several threads come and go on it for a while, audits run
 * beside them, and in the end everything must be as it was in the beginning.
 *
 * Guarantees: resolves within a bounded time whatever the machine does, and the machine is shut
 * down by then. Choices follow from the seed; how threads interleave does not.
 */
import { PAGE_SIZE } from '../../shared/limits.ts';
import type { MachineHandle } from '../../workers/api/machine-api.ts';
import { boot } from '../../workers/index.ts';
import { SHARED_PAGES } from './arena.ts';
import type { BallastTask } from './ballast.ts';
import { machineState, recordFrames } from './cpu-states.ts';
import { COUNTERS, Oracle } from './oracle.ts';
import type { Counter } from './oracle.ts';
import { makeRandom } from '../../shared/random.ts';
import type { StressOptions, StressResult } from './stress-types.ts';
import type { StressTask } from './stress-task.ts';
import { startWatchdog } from './watchdog.ts';

/** Where the build puts the program: beside this. */
const PROGRAM = new URL('./stress-program.js', import.meta.url);
const ROUND_MS_MIN = 100;
const ROUND_MS_SPREAD = 300;
/** In one round of this many a thread is killed. */
const KILL_EVERY = 4;
const AUDIT_EVERY_MS = 400;
/** Of the frames that the ballast fills; a part of the swap store comes on top. */
const BALLAST_SHARE = 0.9;
const BALLAST = 'ballast';
const ORPHAN_LOOK_MS = 10;
const STANDSTILL_MS = 10_000;
const FAILURES_MAX = 20;

/** An abort of `signal` ends it early, with what it has. */
export async function stressMachine(
  options: StressOptions,
  signal: AbortSignal,
): Promise<StressResult> {
  const failures: string[] = [];
  const { protocol, faults, shootdown, cpus, seed } = options;
  const { memoryBytes: memory, swapBytes: swap } = options;
  // What the program prints is what it found wrong.
  const onPrint = (line: string): void =>
    void (failures.length < FAILURES_MAX && failures.push(line));
  const files = { zeros: new Uint8Array((SHARED_PAGES + 4) * PAGE_SIZE) };
  const machine = await boot({
    ...{ protocol, faults, shootdown, memory, swap, cpus, seed, files, onPrint },
    checked: true,
  });
  const stress = new Stress(machine, options, failures);
  const stop = (): void => stress.stop();
  signal.addEventListener('abort', stop);
  if (signal.aborted) stress.stop();
  const watchdog = startWatchdog(() => stress.progress(), STANDSTILL_MS);
  try {
    await Promise.race([stress.run(), watchdog.barked]);
  } catch (error) {
    failures.push(error instanceof Error ? error.message : String(error));
  } finally {
    watchdog.stop();
    signal.removeEventListener('abort', stop);
    stress.stop();
  }
  const evidence = failures.length === 0 ? [] : machineState(machine.buffer);
  await machine.shutdown();
  return { ...stress.figures(), failures, evidence };
}

class Stress {
  readonly #machine: MachineHandle;
  readonly #options: StressOptions;
  readonly #failures: string[];
  readonly #random: (bound: number) => number;
  /** Oracles of the processes that run now. */
  readonly #oracles = new Set<Oracle>();
  readonly #counts = Object.fromEntries(COUNTERS.map((name) => [name, 0])) as Record<
    Counter,
    number
  >;
  #counters: Readonly<Record<string, number>> = {};
  #isOver = false;
  #processes = 0;
  #killed = 0;
  #audits = 0;
  #wallMs = 0;

  constructor(machine: MachineHandle, options: StressOptions, failures: string[]) {
    this.#machine = machine;
    this.#options = options;
    this.#failures = failures;
    this.#random = makeRandom(options.seed);
  }

  async run(): Promise<void> {
    await this.#warmUp();
    const before = await this.#framesInUse();
    const startedMs = performance.now();
    const timer = setTimeout(() => this.stop(), this.#options.durationMs);
    const slots = Array.from({ length: this.#options.processes }, () => this.#runSlot());
    try {
      await Promise.all([...slots, this.#runBallast(), this.#auditNowAndThen()]);
      await this.#outliveOrphans();
    } finally {
      clearTimeout(timer);
      this.#wallMs = performance.now() - startedMs;
    }
    // Reclaim may have taken pages of the file.
    await this.#warmUp();
    const after = await this.#framesInUse();
    if (after !== before) this.#failures.push(`${after - before} frames did not come back`);
    this.#counters = (await this.#machine.stats()).counters;
  }

  /** Lets everything end soon. */
  stop(): void {
    this.#isOver = true;
    for (const oracle of this.#oracles) oracle.stop();
  }

  /** A number that changes as long as there is progress. */
  progress(): number {
    let sum = this.#audits + this.#processes;
    for (const { reads, writes } of [this.#counts, ...this.#running()]) sum += reads + writes;
    return sum;
  }

  figures(): Omit<StressResult, 'failures' | 'evidence'> {
    const counts = { ...this.#counts };
    for (const totals of this.#running()) for (const name of COUNTERS) counts[name] += totals[name];
    return {
      wallMs: this.#wallMs,
      processesRun: this.#processes,
      threadsKilled: this.#killed,
      counts,
      counters: this.#counters,
      audits: this.#audits,
    };
  }

  #running(): Record<Counter, number>[] {
    return [...this.#oracles].map((oracle) => oracle.totals());
  }

  async #warmUp(): Promise<void> {
    const status = await (await this.#machine.spawn(PROGRAM, { args: [null] })).wait();
    if (status.code !== 0) {
      throw new Error(`the machine cannot even warm up: ${JSON.stringify(status)}`);
    }
  }

  /** One process after the other, until time is up or something is wrong. */
  async #runSlot(): Promise<void> {
    while (!this.#isOver) await this.#runProcess();
  }

  async #runProcess(): Promise<void> {
    const { threads, forks, shootdown, seed } = this.#options;
    const buffer = Oracle.create(threads);
    const oracle = new Oracle(buffer, threads);
    const roundMs = ROUND_MS_MIN + this.#random(ROUND_MS_SPREAD);
    const killAfterMs = this.#random(KILL_EVERY) === 0 ? this.#random(roundMs) : null;
    const number = ++this.#processes;
    if (killAfterMs !== null) this.#killed++;
    const task: StressTask = {
      oracle: buffer,
      process: number,
      seed: (seed + number) >>> 0,
      threads,
      forks,
      isLazy: shootdown === 'lazy',
      killAfterMs,
    };
    const timer = setTimeout(() => oracle.stop(), roundMs);
    await this.#runTask(`stress${number}`, task, oracle);
    clearTimeout(timer);
  }

  /** Maps and uses more memory than there is, if there is a swap store. */
  async #runBallast(): Promise<void> {
    const { memoryBytes, swapBytes, forks, seed } = this.#options;
    if (swapBytes === 0) return;
    const bytes = memoryBytes * BALLAST_SHARE + Math.min(swapBytes, memoryBytes) / 4;
    const pages = Math.floor(bytes / PAGE_SIZE);
    const oracle = Oracle.create(1);
    const task: BallastTask = { oracle, pages, seed, forks: forks > 0 };
    await this.#runTask(BALLAST, task, new Oracle(oracle, 1));
  }

  async #runTask(name: string, task: StressTask | BallastTask, oracle: Oracle): Promise<void> {
    this.#oracles.add(oracle);
    if (this.#isOver) oracle.stop();
    // The ballast keeps a Worker busy: its own.
    const dedicated = name === BALLAST;
    const process = await this.#machine.spawn(PROGRAM, { args: [task], name, dedicated });
    const status = await process.wait();
    this.#oracles.delete(oracle);
    const totals = oracle.totals();
    for (const counter of COUNTERS) this.#counts[counter] += totals[counter];
    if (status.code === 0) return;
    this.#failures.push(`${name} ended: ${JSON.stringify(status)}`);
    this.stop();
  }

  /** Forked children whose parent was killed end by themselves. */
  async #outliveOrphans(): Promise<void> {
    for (;;) {
      const { processes } = await this.#machine.stats();
      if (processes.every(({ status }) => status !== null)) return;
      await new Promise((resolve) => setTimeout(resolve, ORPHAN_LOOK_MS));
    }
  }

  async #auditNowAndThen(): Promise<void> {
    while (!this.#isOver) {
      await new Promise((resolve) => setTimeout(resolve, AUDIT_EVERY_MS));
      await this.#audit();
    }
  }

  async #audit(): Promise<Readonly<Record<string, number>>> {
    const { violations, checked } = await this.#machine.audit();
    this.#audits++;
    for (const violation of violations.slice(0, FAILURES_MAX)) {
      this.#failures.push(`audit: ${violation}`);
    }
    if (violations.length > 0) this.stop();
    return checked;
  }

  /** Frames that are neither free nor bound to become so by themselves. */
  async #framesInUse(): Promise<number> {
    const { framesInUse = NaN, retiredTables = 0 } = await this.#audit();
    return framesInUse - retiredTables - recordFrames(this.#machine.buffer);
  }
}
