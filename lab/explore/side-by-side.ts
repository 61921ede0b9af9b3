/**
 * Explorations side by side, each on a thread of its own; and where there are fewer explorations
 * than threads, exhaustive ones in parts (cut-exploration.ts).
 *
 * Guarantees: a report says what its exploration alone would have said; when the caller stops
 * listening, all threads end.
 * Not guaranteed: the order of the jobs. Reports come as explorations end.
 */
import { CutExploration } from './cut-exploration.ts';
import type { Job, Report, UnitReport } from './experiment.ts';
import type { Explorer } from './host.ts';

export interface Threads {
  readonly start: () => Explorer;
  readonly count: number;
  readonly nowMs: () => number;
  /** Whether the user has ended it. */
  readonly isStopped: () => boolean;
}

/** What an explorer has brought. */
interface Outcome {
  readonly explorer: Explorer;
  readonly cut: CutExploration | null;
  readonly report: Report | UnitReport;
}

/** Carries out the jobs. */
export async function* exploreSideBySide(
  jobs: Iterable<Job>,
  threads: Threads,
): AsyncGenerator<Report> {
  const all = new SideBySide(jobs, threads);
  try {
    yield* all.reports();
  } finally {
    await all.end();
  }
}

class SideBySide {
  readonly #jobs: Iterator<Job, unknown>;
  readonly #threads: Threads;
  readonly #explorers: Explorer[] = [];
  readonly #idle: Explorer[] = [];
  readonly #busy = new Map<Explorer, Promise<Outcome>>();
  /** Explorations under way that are done in units. */
  readonly #cuts = new Set<CutExploration>();

  constructor(jobs: Iterable<Job>, threads: Threads) {
    this.#jobs = jobs[Symbol.iterator]();
    this.#threads = threads;
  }

  async *reports(): AsyncGenerator<Report> {
    this.#occupy(null);
    while (this.#busy.size > 0) {
      const { explorer, cut, report } = await Promise.race(this.#busy.values());
      const hands = this.#threads.count - this.#busy.size;
      this.#busy.delete(explorer);
      this.#idle.push(explorer);
      if (cut !== null) cut.add(report as UnitReport, hands, this.#threads.isStopped());
      const isOver = cut?.isOver === true;
      if (isOver) this.#cuts.delete(cut);
      // The explorer knows this exploration already.
      this.#occupy(cut);
      if (cut === null) yield report as Report;
      else if (isOver) yield cut.report();
    }
  }

  async end(): Promise<void> {
    await Promise.all(this.#explorers.map((explorer) => explorer.end()));
  }

  /** Finds work for explorers that have none, in `first` if there is any; starts them as needed. */
  #occupy(first: CutExploration | null): void {
    while (this.#busy.size < this.#threads.count) {
      const begin = this.#nextWork(first);
      if (begin === null) return;
      const explorer = this.#idle.pop() ?? this.#newExplorer();
      const outcome = begin(explorer);
      // One that ends after the caller has stopped listening has no other handler.
      outcome.catch(() => {});
      this.#busy.set(explorer, outcome);
    }
  }

  #newExplorer(): Explorer {
    const explorer = this.#threads.start();
    this.#explorers.push(explorer);
    return explorer;
  }

  #nextWork(first: CutExploration | null): ((explorer: Explorer) => Promise<Outcome>) | null {
    for (const cut of first === null ? this.#cuts : [first, ...this.#cuts]) {
      const work = this.#unitOf(cut);
      if (work !== null) return work;
    }
    const next = this.#jobs.next();
    if (next.done === true) return null;
    const job = next.value;
    if (job.search.strategy !== 'exhaustive') {
      return (explorer) =>
        explorer.explore(job).then((report) => ({ explorer, cut: null, report }));
    }
    const cut = new CutExploration(job, this.#threads.nowMs);
    this.#cuts.add(cut);
    return this.#unitOf(cut);
  }

  #unitOf(cut: CutExploration): ((explorer: Explorer) => Promise<Outcome>) | null {
    const unit = cut.take();
    if (unit === null) return null;
    return (explorer) =>
      explorer.exploreUnit(cut.job, unit).then((report) => ({ explorer, cut, report }));
  }
}
