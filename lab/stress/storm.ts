/**
 * A storm of kills: many short processes, some at a time, most of them killed at a random moment.
 *
 * Guarantees: programs, their arguments and the times of kills follow from the seed; how real
 * threads interleave does not. Every end is compared with what its kind may end with; audits run
 * between batches; in the end every frame is back.
 */
import type { ExitStatus, MachineHandle } from '../../workers/api/machine-api.ts';
import { boot } from '../../workers/index.ts';
import { makeRandom } from '../../shared/random.ts';
import { machineState } from './cpu-states.ts';
import { startWatchdog } from './watchdog.ts';

const PROGRAM = new URL('./storm-program.js', import.meta.url);
const LIFE_MS = 60;
const BATCH = 250;
const STANDSTILL_MS = 30_000;
const FAILURES_MAX = 20;
const ORPHAN_LOOK_MS = 10;

/** What each kind ends with when no kill comes first: an exit code or a signal. */
const ENDS: Readonly<Record<string, readonly (number | string)[]>> = {
  spin: [1],
  touch: [1],
  timers: [1],
  // A short one may end before the answer comes.
  rejects: [1, 'SIGABRT'],
  faults: ['SIGSEGV'],
  futex: [1],
  forks: [1],
  orphans: [1],
  threads: [1],
  loops: [1],
  signals: [1],
};

export interface StormOptions {
  /** A built-in protocol's name, or the URL of a module. */
  readonly protocol: string;
  readonly seed: number;
  readonly processes: number;
  readonly atOnce: number;
  readonly cpus: number;
  readonly memoryBytes: number;
}

export interface StormResult {
  readonly processes: number;
  readonly killed: number;
  readonly audits: number;
  readonly failures: readonly string[];
  readonly evidence: readonly string[];
}

/** Runs a storm on a machine of its own. `onBatch` is told after each batch. */
export async function storm(
  options: StormOptions,
  onBatch: (done: number) => void,
): Promise<StormResult> {
  const { protocol, cpus, memoryBytes: memory, seed } = options;
  const machine = await boot({ protocol, cpus, memory, seed, checked: true });
  const run = new Storm(machine, options, onBatch);
  const watchdog = startWatchdog(() => run.done, STANDSTILL_MS);
  try {
    await Promise.race([run.run(), watchdog.barked]);
  } catch (error) {
    run.failures.push(error instanceof Error ? error.message : String(error));
  } finally {
    watchdog.stop();
  }
  const { done: processes, killed, audits, failures } = run;
  const evidence = failures.length === 0 ? [] : machineState(machine.buffer);
  await machine.shutdown();
  return { processes, killed, audits, failures, evidence };
}

class Storm {
  done = 0;
  killed = 0;
  audits = 0;
  readonly failures: string[] = [];
  readonly #machine: MachineHandle;
  readonly #options: StormOptions;
  readonly #onBatch: (done: number) => void;
  #started = 0;
  /** Frames in use after the first batch: the tables' and slabs' own are made by then. */
  #baseline: number | null = null;

  constructor(machine: MachineHandle, options: StormOptions, onBatch: (done: number) => void) {
    this.#machine = machine;
    this.#options = options;
    this.#onBatch = onBatch;
  }

  async run(): Promise<void> {
    const { processes, atOnce } = this.#options;
    while (this.#started < processes && this.failures.length === 0) {
      const end = Math.min(processes, this.#started + BATCH);
      await Promise.all(Array.from({ length: atOnce }, () => this.#slot(end)));
      await this.#outliveOrphans();
      await this.#audit();
      this.#onBatch(this.done);
    }
  }

  async #slot(end: number): Promise<void> {
    while (this.#started < end && this.failures.length < FAILURES_MAX) await this.#process();
  }

  async #process(): Promise<void> {
    const number = ++this.#started;
    // Of the process's number, so that timing does not change what a later one does.
    const random = makeRandom((this.#options.seed * 65537 + number) >>> 0);
    const kinds = Object.keys(ENDS);
    const kind = kinds[random(kinds.length)] as string;
    const lifeMs = random(LIFE_MS);
    const killMs = random(4) === 0 ? null : random(LIFE_MS);
    const process = await this.#machine.spawn(PROGRAM, { args: [kind, lifeMs], name: kind });
    if (killMs !== null) {
      if (killMs > 0) await new Promise((resolve) => setTimeout(resolve, killMs));
      this.killed++;
      // It may have ended by itself.
      process.kill().catch(() => {});
    }
    this.#judge(number, kind, killMs !== null, await process.wait());
    this.done++;
  }

  #judge(number: number, kind: string, isKilled: boolean, status: ExitStatus): void {
    if (ENDS[kind]?.includes(status.code ?? status.signal)) return;
    if (isKilled && status.signal === 'SIGKILL') return;
    this.failures.push(`process ${number} (${kind}) ended: ${JSON.stringify(status)}`);
  }

  /** Children whose parent was killed end by themselves. */
  async #outliveOrphans(): Promise<void> {
    for (;;) {
      const { processes } = await this.#machine.stats();
      if (processes.every(({ status }) => status !== null)) return;
      await new Promise((resolve) => setTimeout(resolve, ORPHAN_LOOK_MS));
    }
  }

  /** Nothing runs now: no frame may be in use but retired tables. */
  async #audit(): Promise<void> {
    const { violations, checked } = await this.#machine.audit();
    this.audits++;
    this.failures.push(...violations.slice(0, FAILURES_MAX).map((line) => `audit: ${line}`));
    const { framesInUse = NaN, retiredTables = 0 } = checked;
    this.#baseline ??= framesInUse - retiredTables;
    const rest = framesInUse - retiredTables - this.#baseline;
    if (rest > 0) this.failures.push(`${rest} frames did not come back`);
  }
}
