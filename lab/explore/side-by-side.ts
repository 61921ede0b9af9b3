/**
 * Explorations side by side, each on a Worker with a laboratory of its own.
 *
 * Guarantees: each report is what its exploration alone would have given, but for the time it took;
 * whoever stops to listen ends all Workers.
 * Not guaranteed: the order of the tasks. Reports come as explorations end.
 */
import { Worker } from 'node:worker_threads';
import { connect } from '../../workers/wire/endpoint.ts';
import type { Connection } from '../../workers/wire/endpoint.ts';
import type { Search } from './engine/explore.ts';
import type { Experiment, Laboratory, Report } from './laboratory.ts';

export interface Task {
  readonly experiment: Experiment;
  readonly search: Search;
}

/** What a Worker (explore-worker.ts) offers. */
export interface ExplorerApi {
  explore(experiment: Experiment, search: Search): Promise<Report>;
}

interface Explorer {
  readonly worker: Worker;
  readonly connection: Connection<ExplorerApi>;
}

/** Carries out the tasks on up to `jobs` threads; with one, on the caller's, in `laboratory`. */
export async function* exploreTasks(
  laboratory: Laboratory,
  tasks: readonly Task[],
  jobs: number,
): AsyncGenerator<Report> {
  if (jobs > 1 && tasks.length > 1) {
    yield* exploreOnWorkers(tasks, Math.min(jobs, tasks.length));
    return;
  }
  for (const { experiment, search } of tasks) yield laboratory.explore(experiment, search);
}

async function* exploreOnWorkers(tasks: readonly Task[], jobs: number): AsyncGenerator<Report> {
  const explorers = Array.from({ length: jobs }, startExplorer);
  const left = tasks.values();
  const busy = new Map<Explorer, Promise<{ explorer: Explorer; report: Report }>>();
  const occupy = (explorer: Explorer): void => {
    const { done, value: task } = left.next();
    if (done === true) return;
    const { remote } = explorer.connection;
    const outcome = remote
      .explore(task.experiment, task.search)
      .then((report) => ({ explorer, report }));
    // One that ends while nobody listens any more has nobody to tell.
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
    await Promise.all(explorers.map(({ worker }) => worker.terminate()));
  }
}

function startExplorer(): Explorer {
  const { port1, port2 } = new MessageChannel();
  const worker = new Worker(new URL('./explore-worker.js', import.meta.url));
  const connection = connect<ExplorerApi>(port1, {});
  worker.on('error', (error: Error) => connection.close(error));
  worker.on('exit', () => connection.close(new Error('a Worker that explores has ended')));
  worker.postMessage(port2, [port2] as never);
  return { worker, connection };
}
