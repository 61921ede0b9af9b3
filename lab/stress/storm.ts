/**
 * A storm of kills: many short processes, some at a time, most of them killed at a random moment.
 *
 * Guarantees: programs, their arguments and the times of kills follow from the seed; how real
 * threads interleave does not. Every end, children's included, is compared with what its kind may
 * end with; audits run between batches, and then every frame is back.
 */
import type { ExitStatus } from '../../workers/api/machine-api.ts';
import { makeRandom } from '../../shared/random.ts';
import { campaign, pause } from './campaign.ts';
import type { Campaign, CampaignOptions, CampaignResult } from './campaign.ts';

const PROGRAM = new URL('./storm-program.js', import.meta.url);
const LIFE_MS = 60;
const BATCH = 250;

type Ends = Readonly<Record<string, readonly (number | string)[]>>;

/** What each kind ends with when no kill comes first: an exit code or a signal. */
const ENDS: Ends = {
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
  recurse: ['SIGABRT'],
  'recurse-calls': ['SIGABRT'],
};

/** Kinds that a storm has only when asked for: each costs the machine a Worker. */
const EXTREME_ENDS: Ends = { endless: [] };

/** The entries of children and threads. */
const CHILD_ENDS: Ends = { waiter: [1], child: [1], thread: [1, 'SIGSEGV'], signaller: [1] };

const ALL_ENDS: Ends = { ...ENDS, ...EXTREME_ENDS, ...CHILD_ENDS };

export const STORM_KINDS: readonly string[] = Object.keys(ENDS);
export const STORM_KINDS_ALL: readonly string[] = Object.keys({ ...ENDS, ...EXTREME_ENDS });

export interface StormOptions extends CampaignOptions {
  /** Null: as many as there is time for. */
  readonly processes: number | null;
  readonly atOnce: number;
  readonly kinds: readonly string[];
}

/** Runs a storm on a machine of its own. `onProgress` is told how many have ended. */
export async function storm(
  options: StormOptions,
  signal: AbortSignal,
  onProgress: (done: number) => void,
): Promise<CampaignResult> {
  return campaign(options, signal, {}, (run) => new Storm(run, options, onProgress).run());
}

class Storm {
  readonly #run: Campaign;
  readonly #options: StormOptions;
  readonly #onProgress: (done: number) => void;
  #started = 0;

  constructor(run: Campaign, options: StormOptions, onProgress: (done: number) => void) {
    this.#run = run;
    this.#options = options;
    this.#onProgress = onProgress;
  }

  async run(): Promise<void> {
    const { processes, atOnce } = this.#options;
    const run = this.#run;
    const total = processes ?? Infinity;
    await this.#warmUp();
    await run.audit();
    while (this.#started < total && !run.isOver) {
      const end = Math.min(total, this.#started + BATCH);
      await Promise.all(Array.from({ length: atOnce }, () => this.#slot(end)));
      await this.#judgeChildren();
      await run.audit();
    }
  }

  /** What the machine itself needs for processes and areas is allocated by them. */
  async #warmUp(): Promise<void> {
    await Promise.all(
      Array.from({ length: this.#options.atOnce }, () => this.#process('forks', 1, null)),
    );
    await this.#run.outlive();
    this.#run.processes = 0;
  }

  async #slot(end: number): Promise<void> {
    while (this.#started < end && !this.#run.isOver) {
      // Of the process's number, so that timing does not change what a later one does.
      const random = makeRandom((this.#options.seed * 65537 + ++this.#started) >>> 0);
      const { kinds } = this.#options;
      const kind = kinds[random(kinds.length)] as string;
      const lifeMs = random(LIFE_MS);
      const isKilled = random(4) !== 0 || kind === 'endless';
      await this.#process(kind, lifeMs, isKilled ? random(LIFE_MS) : null);
    }
  }

  async #process(kind: string, lifeMs: number, killMs: number | null): Promise<void> {
    const run = this.#run;
    const options = { args: [kind, lifeMs], name: kind };
    const process = await run.start(() => run.machine.spawn(PROGRAM, options));
    if (process === null) return;
    if (killMs !== null) {
      if (killMs > 0) await pause(killMs);
      run.killed++;
      // It may have ended by itself.
      process.kill().catch(() => {});
    }
    const status = await process.wait();
    this.#judge(process.pid, kind, status, killMs !== null);
    this.#onProgress(++run.processes);
  }

  /** Processes that a process started: their parent may be gone, so the reports tell. */
  async #judgeChildren(): Promise<void> {
    for (const { pid, name, status } of await this.#run.outlive()) {
      if (status !== null && Object.hasOwn(CHILD_ENDS, name)) this.#judge(pid, name, status, false);
    }
  }

  #judge(pid: number, kind: string, status: ExitStatus, isKilled: boolean): void {
    if (ALL_ENDS[kind]?.includes(status.code ?? status.signal)) return;
    const what = `process ${pid} (${kind}) ended: ${JSON.stringify(status)}`;
    if (status.signal === undefined) return this.#run.fail(what);
    if (status.signal === 'SIGKILL') {
      if (isKilled || status.reason?.includes('out of memory')) return;
      // A Worker may have no CPU for long on a busy host. No kind's code goes on after its end.
      if (/did not react to|went on after its end/.test(status.reason ?? '')) {
        this.#run.unresponsive++;
        return;
      }
      // A Worker that an endless process kept had others too.
      if (status.reason !== undefined && this.#options.kinds.includes('endless')) return;
      if (status.reason === undefined) return this.#run.unexplainedKill(what);
    }
    // Its own fork, clone or mmap was refused.
    if (status.reason !== undefined && /ENOMEM|EAGAIN/.test(status.reason)) this.#run.refused++;
    else this.#run.fail(what);
  }
}
