/**
 * Explorations side by side, each on a thread of its own.
 *
 * Guarantees: each report is what its exploration alone would have given, but for the time it took;
 * when the caller stops listening, all threads end.
 * Not guaranteed: the order of the jobs. Reports come as explorations end.
 */
import type { Job, Report } from './experiment.ts';
import type { Explorer } from './host.ts';

/** Carries out the jobs on up to `threads` explorers. */
export async function* exploreSideBySide(
  start: () => Explorer,
  jobs: Iterable<Job>,
  threads: number,
): AsyncGenerator<Report> {
  const explorers = Array.from({ length: threads }, start);
  const left: Iterator<Job, unknown> = jobs[Symbol.iterator]();
  const busy = new Map<Explorer, Promise<{ explorer: Explorer; report: Report }>>();
  const occupy = (explorer: Explorer): void => {
    const next = left.next();
    if (next.done === true) return;
    const outcome = explorer.explore(next.value).then((report) => ({ explorer, report }));
    // One that ends after the caller has stopped listening has no other handler.
    outcome.catch(() => {});
    busy.set(explorer, outcome);
  };
  try {
    explorers.forEach(occupy);
    while (busy.size > 0) {
      const { explorer, report } = await Promise.race(busy.values());
      busy.delete(explorer);
      occupy(explorer);
      yield report;
    }
  } finally {
    await Promise.all(explorers.map((explorer) => explorer.end()));
  }
}
