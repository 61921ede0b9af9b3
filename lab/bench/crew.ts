/**
 * A crew: the Workers that are the CPUs of one protocol's benchmarks, kept from batch to batch so
 * that their code stays compiled.
 *
 * Guarantees: an error in any Worker rejects what the coordinator waits for; `dismiss` ends all.
 */
import { Worker } from 'node:worker_threads';
import type { Batch, BatchReport, CrewInit, CrewMessage } from './batch.ts';
import { CONTROL_BYTES, DONE, READY, ROUND, startRound } from './control.ts';
import { load, store } from '../../shared/atomics.ts';
import type { Words } from '../../shared/atomics.ts';

export interface CrewOptions {
  /** Its label in the results. */
  readonly name: string;
  /** A built-in's name, or a module's URL. */
  readonly protocol: string;
  readonly threads: number;
  /** Host CPUs to pin to, in order; empty for none. */
  readonly hostCpus: readonly number[];
  /** Whether this crew counts accesses instead of being timed. */
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

type Batchless = Omit<Batch, 'round'>;

export class Crew {
  readonly name: string;
  pinned = false;
  readonly #control: Words = new Int32Array(new SharedArrayBuffer(CONTROL_BYTES));
  readonly #workers: Worker[] = [];
  #receive: (message: CrewMessage) => void = () => {};
  #fail: (error: Error) => void = () => {};
  /** Rejects the wait for the end of a run. */
  #abort: (error: Error) => void = () => {};
  /** Rejects when a Worker failed. */
  readonly #failure: Promise<never>;

  constructor(name: string) {
    this.name = name;
    this.#failure = new Promise((_, reject) => {
      this.#fail = (error) => {
        reject(error);
        this.#abort(error);
      };
    });
    this.#failure.catch(() => {});
  }

  static async assemble(options: CrewOptions): Promise<Crew> {
    const crew = new Crew(options.name);
    await crew.#start(options);
    return crew;
  }

  async #start({ protocol, threads, hostCpus, counting }: CrewOptions): Promise<void> {
    const url = counting
      ? new URL('./bench-counting-worker.js', import.meta.url)
      : new URL('./bench-worker.js', import.meta.url);
    let isPinned = hostCpus.length > 0;
    let isMetered = true;
    const ready = this.#collect(threads, (message) => {
      if (message.kind !== 'ready') return false;
      isMetered &&= message.metered;
      isPinned &&= message.pinned;
      return true;
    });
    for (let index = 0; index < threads; index++) {
      const hostCpu = hostCpus[index % Math.max(1, hostCpus.length)] ?? null;
      const control = this.#control.buffer;
      const workerData: CrewInit = { control, cpu: index + 1, protocol, hostCpu };
      const worker = new Worker(url, { workerData });
      worker.on('message', (message: CrewMessage) => this.#hear(message));
      worker.on('error', (error) => this.#fail(error));
      worker.on('exit', () => this.#fail(new Error(`a Worker of ${this.name} ended`)));
      this.#workers.push(worker);
    }
    await ready;
    if (isMetered !== counting) throw new Error(`${url.href} is built the wrong way`);
    this.pinned = isPinned;
  }

  #hear(message: CrewMessage): void {
    if (message.kind === 'error') this.#fail(new Error(`${this.name}: ${message.message}`));
    else this.#receive(message);
  }

  /** Waits for `count` messages that `accept` takes. */
  #collect(count: number, accept: (message: CrewMessage) => boolean): Promise<void> {
    const all = new Promise<void>((resolve) => {
      let left = count;
      this.#receive = (message) => {
        if (accept(message) && --left === 0) resolve();
      };
    });
    return Promise.race([all, this.#failure]);
  }

  /** Runs a batch on the first `batch.threads` Workers. */
  async run(batch: Batchless, hooks: RunHooks): Promise<BatchReport[]> {
    const control = this.#control;
    store(control, READY, 0);
    store(control, DONE, 0);
    const round = load(control, ROUND);
    const reports: BatchReport[] = [];
    let finished: () => void = () => {};
    const reported = this.#collect(batch.threads, (message) => {
      if (message.kind === 'finished') finished();
      if (message.kind === 'report') reports.push(message);
      return message.kind === 'report';
    });
    // Its failure is also that of the waits below, which come first.
    reported.catch(() => {});
    for (const worker of this.#workers.slice(0, batch.threads)) {
      worker.postMessage({ ...batch, round } satisfies Batch);
    }
    for (let run = 0; run < batch.runs; run++) {
      const process = hooks.begin(run);
      const end = new Promise<void>((resolve, reject) => {
        finished = resolve;
        this.#abort = reject;
      });
      startRound(control, process, batch.threads);
      await end;
      // The space of the last run lives until the reports on it are there.
      if (run === batch.runs - 1) await reported;
      hooks.end(run, reports);
    }
    return reports;
  }

  async dismiss(): Promise<void> {
    this.#fail = () => {};
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }
}
