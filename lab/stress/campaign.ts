/**
 * What a storm of kills and a fuzz have in common: a checked machine, a watchdog, audits, and the
 * judgement of ends by SIGKILL that nobody asked for.
 *
 * Guarantees: resolves within a bounded time whatever the machine does, and the machine is shut
 * down by then. Without failures every frame is back at the end of every batch.
 */
import type { FlushPolicy } from '../../kernel/index.ts';
import type { FileSource, MachineHandle, ProcessReport } from '../../workers/api/machine-api.ts';
import { boot } from '../../workers/index.ts';
import { SyscallError } from '../../workers/wire/errors.ts';
import { EAGAIN, ENOMEM } from '../../shared/abi/errno.ts';
import type { FaultMode } from '../../shared/wire.ts';
import { framesInUse, machineState } from './cpu-states.ts';
import { startWatchdog } from './watchdog.ts';

const STANDSTILL_MS = 30_000;
const LOOK_MS = 10;
/** Looks at frames that are to come back. */
const LOOKS_MAX = 200;
/** Failures after which a campaign ends; the first says most. */
const FAILURES_MAX = 20;

export interface CampaignOptions {
  /** A built-in protocol's name, or the URL of a module. */
  readonly protocol: string;
  readonly faults: FaultMode;
  readonly shootdown: FlushPolicy;
  readonly cpus: number;
  readonly memoryBytes: number;
  /** 0: no swap store. */
  readonly swapBytes: number;
  readonly seed: number;
  /** No batch begins after this time. Null: no limit. */
  readonly durationMs: number | null;
}

export interface CampaignResult {
  /** Processes that the host started, and those that it killed. */
  readonly processes: number;
  readonly killed: number;
  /** Starts, forks and clones refused because there was no memory. */
  readonly refused: number;
  /** Processes that ended with a Worker which did not react to a kill within its time. */
  readonly unresponsive: number;
  readonly audits: number;
  readonly wallMs: number;
  readonly failures: readonly string[];
  /** The kernel log and every CPU's state, when something was wrong. */
  readonly evidence: readonly string[];
}

/** What a campaign hands to the machine besides its options. */
interface Fixtures {
  readonly files?: Readonly<Record<string, FileSource>>;
  readonly onPrint?: (line: string) => void;
}

/** Runs `work` on a machine of its own. An abort of `signal` ends it early, with what it has. */
export async function campaign(
  options: CampaignOptions,
  signal: AbortSignal,
  fixtures: Fixtures,
  work: (run: Campaign) => Promise<void>,
): Promise<CampaignResult> {
  const { protocol, faults, shootdown, cpus, memoryBytes: memory, swapBytes: swap, seed } = options;
  const settings = { protocol, faults, shootdown, cpus, memory, swap, seed, checked: true };
  const machine = await boot({ ...settings, onOutput: () => {}, ...fixtures });
  const run = new Campaign(machine, signal, options.durationMs);
  const watchdog = startWatchdog(() => run.processes, STANDSTILL_MS);
  try {
    await Promise.race([work(run), watchdog.barked]);
  } catch (error) {
    run.fail(error instanceof Error ? error.message : String(error));
  } finally {
    watchdog.stop();
    run.isOver = true;
  }
  const { processes, killed, refused, unresponsive, audits, failures } = run;
  const wallMs = performance.now() - run.startedMs;
  const evidence = failures.length === 0 ? [] : machineState(machine.buffer);
  await machine.shutdown();
  const counts = { processes, killed, refused, unresponsive, audits };
  return { ...counts, wallMs, failures, evidence };
}

export class Campaign {
  readonly machine: MachineHandle;
  readonly failures: string[] = [];
  readonly startedMs: number = performance.now();
  processes = 0;
  killed = 0;
  refused = 0;
  unresponsive = 0;
  audits = 0;
  readonly #signal: AbortSignal;
  readonly #durationMs: number;
  #isOver = false;
  /** Frames in use before the first batch, by use. */
  #baseline: Readonly<Record<string, number>> | null = null;
  /** Ends by SIGKILL that no one here sent. */
  #unexplained: string[] = [];

  constructor(machine: MachineHandle, signal: AbortSignal, durationMs: number | null) {
    this.machine = machine;
    this.#signal = signal;
    this.#durationMs = durationMs ?? Infinity;
  }

  /** Whether nothing new may begin. */
  get isOver(): boolean {
    const isLate = performance.now() - this.startedMs >= this.#durationMs;
    return this.#isOver || isLate || this.#signal.aborted || this.failures.length > 0;
  }

  set isOver(isOver: boolean) {
    this.#isOver = isOver;
  }

  fail(failure: string): void {
    if (this.failures.length < FAILURES_MAX) this.failures.push(failure);
  }

  /** Starts a process and tells its pid; counts it as refused when there is no memory. */
  async start<Value>(spawn: () => Promise<Value>): Promise<Value | null> {
    try {
      return await spawn();
    } catch (error) {
      if (!(error instanceof SyscallError) || ![ENOMEM, EAGAIN].includes(error.errno)) throw error;
      this.refused++;
      await pause(LOOK_MS);
      return null;
    }
  }

  /** An end by SIGKILL that nobody here sent: there must have been no memory. */
  unexplainedKill(what: string): void {
    this.#unexplained.push(what);
  }

  /** Processes of the last reports, once none runs. Null when the campaign ended meanwhile. */
  async outlive(): Promise<readonly ProcessReport[]> {
    for (;;) {
      const { processes } = await this.machine.stats();
      if (this.#isOver || processes.every(({ status }) => status !== null)) return processes;
      await pause(LOOK_MS);
    }
  }

  /** Nothing runs now. The first audit says what is in use before there were any processes. */
  async audit(): Promise<void> {
    const { violations } = await this.machine.audit();
    this.audits++;
    for (const violation of violations) this.fail(`audit: ${violation}`);
    // The kernel worker frees files without a name at its next ticks.
    let more = this.#framesMore();
    for (let look = 0; look < LOOKS_MAX && more.length > 0; look++) {
      await pause(LOOK_MS);
      more = this.#framesMore();
    }
    for (const line of more) this.fail(line);
    const { counters } = await this.machine.stats();
    if (this.#unexplained.length <= (counters['oomKills'] ?? 0)) return;
    for (const what of this.#unexplained) this.fail(what);
  }

  /** What is in use that was not before the first batch. */
  #framesMore(): string[] {
    const inUse = framesInUse(this.machine.buffer);
    const baseline = (this.#baseline ??= inUse);
    return Object.entries(inUse).flatMap(([use, count]) => {
      const more = count - (baseline[use] ?? 0);
      return more > 0 ? [`${more} frames did not come back: ${use}`] : [];
    });
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
