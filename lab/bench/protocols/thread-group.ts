/**
 * The Workers that are the CPUs of one protocol's benchmarks, kept from batch to batch so that
 * their code stays compiled.
 *
 * Guarantees: an error in any Worker rejects what the coordinator waits for; `end` ends all.
 */
import { Worker } from 'node:worker_threads';
import { load, store } from '../../../shared/atomics.ts';
import type { Words } from '../../../shared/atomics.ts';
import type { Batch, BatchReport, ThreadInit, ThreadMessage } from './batch.ts';
import { CONTROL_BYTES, DONE, READY, ROUND, startRound } from './control-words.ts';

export interface ThreadGroupOptions {
  /** Its label in the results. */
  readonly name: string;
  /** A built-in's name, or a module's URL. */
  readonly protocol: string;
  readonly threads: number;
  /** Host CPUs to pin to, in order; empty for none. */
  readonly hostCpus: readonly number[];
  /** Whether this group counts accesses instead of being timed. */
  readonly counting: boolean;
}

/**
 * Sets up the space of run `run` and returns its process's block; or undoes it, with the threads'
 * reports after the last run.
 */
export interface RunHooks {
  begin(run: number): number;
  end(run: number, reports: readonly BatchReport[]): void;
}

/** A pending wait for messages: whether this message was the last, and what ends the wait. */
interface Waiter {
  isLast(message: ThreadMessage): boolean;
  resolve(): void;
  reject(error: Error): void;
}

export class ThreadGroup {
  readonly name: string;
  #pinned: boolean;
  readonly #control: Words = new Int32Array(new SharedArrayBuffer(CONTROL_BYTES));
  readonly #workers: Worker[] = [];
  readonly #waiters = new Set<Waiter>();
  #error: Error | null = null;

  private constructor({ name, hostCpus }: ThreadGroupOptions) {
    this.name = name;
    this.#pinned = hostCpus.length > 0;
  }

  static async start(options: ThreadGroupOptions): Promise<ThreadGroup> {
    const group = new ThreadGroup(options);
    try {
      await group.#start(options);
      return group;
    } catch (error) {
      await group.end();
      throw error;
    }
  }

  /** Whether each thread is kept on one host CPU. */
  get pinned(): boolean {
    return this.#pinned;
  }

  async #start({ protocol, threads, hostCpus, counting }: ThreadGroupOptions): Promise<void> {
    const url = counting
      ? new URL('./bench-counting-worker.js', import.meta.url)
      : new URL('./bench-worker.js', import.meta.url);
    let ready = 0;
    const allReady = this.#waitFor((message) => {
      if (message.kind !== 'ready') return false;
      if (message.metered !== counting) this.#fail(new Error(`${url.href} is built the wrong way`));
      this.#pinned &&= message.pinned;
      return ++ready === threads;
    });
    for (let index = 0; index < threads; index++) {
      const hostCpu = hostCpus[index % Math.max(1, hostCpus.length)] ?? null;
      const control = this.#control.buffer;
      const workerData: ThreadInit = { control, cpu: index + 1, protocol, hostCpu };
      const worker = new Worker(url, { workerData });
      worker.on('message', (message: ThreadMessage) => this.#hear(message));
      worker.on('error', (error) => this.#fail(error));
      worker.on('exit', () => this.#fail(new Error(`a Worker of ${this.name} ended`)));
      this.#workers.push(worker);
    }
    await allReady;
  }

  #hear(message: ThreadMessage): void {
    if (message.kind === 'error') this.#fail(new Error(`${this.name}: ${message.message}`));
    for (const waiter of this.#waiters) {
      if (!waiter.isLast(message)) continue;
      this.#waiters.delete(waiter);
      waiter.resolve();
    }
  }

  #fail(error: Error): void {
    this.#error ??= error;
    for (const waiter of this.#waiters) waiter.reject(this.#error);
    this.#waiters.clear();
  }

  #waitFor(isLast: Waiter['isLast']): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#error === null) this.#waiters.add({ isLast, resolve, reject });
      else reject(this.#error);
    });
  }

  /** Runs a batch on the first `batch.threads` Workers. */
  async run(batch: Omit<Batch, 'round'>, hooks: RunHooks): Promise<BatchReport[]> {
    const control = this.#control;
    store(control, READY, 0);
    store(control, DONE, 0);
    const round = load(control, ROUND);
    const reports: BatchReport[] = [];
    const reported = this.#waitFor((message) => {
      if (message.kind === 'report') reports.push(message);
      return reports.length === batch.threads;
    });
    // Its failure is also that of the waits below, which come first.
    reported.catch(() => {});
    for (const worker of this.#workers.slice(0, batch.threads)) {
      worker.postMessage({ ...batch, round } satisfies Batch);
    }
    for (let run = 0; run < batch.runs; run++) {
      const process = hooks.begin(run);
      const ended = this.#waitFor(({ kind }) => kind === 'finished');
      startRound(control, process, batch.threads);
      await ended;
      // The space of the last run lives until the reports on it are there.
      if (run === batch.runs - 1) await reported;
      hooks.end(run, reports);
    }
    return reports;
  }

  async end(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }
}
