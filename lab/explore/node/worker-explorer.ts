/** An explorer on a Worker thread (explore-worker.ts is its other end). */
import { Worker } from 'node:worker_threads';
import { connect } from '../../../workers/wire/endpoint.ts';
import type { Unit } from '../engine/unit.ts';
import type { Job, Report, UnitReport } from '../experiment.ts';
import type { Explorer } from '../host.ts';

/** What the Worker offers. */
export interface ExplorerApi {
  explore(job: Job): Promise<Report>;
  exploreUnit(job: Job, unit: Unit): Promise<UnitReport>;
  stop(): Promise<void>;
}

export function startExplorer(): Explorer {
  const { port1, port2 } = new MessageChannel();
  const worker = new Worker(new URL('./explore-worker.js', import.meta.url));
  const connection = connect<ExplorerApi>(port1, {});
  worker.on('error', (error: Error) => connection.close(error));
  worker.on('exit', () => connection.close(new Error('a Worker that explores has ended')));
  worker.postMessage(port2, [port2] as never);
  return {
    explore: (job) => connection.remote.explore(job),
    exploreUnit: (job, unit) => connection.remote.exploreUnit(job, unit),
    // One that has ended needs not be told.
    stop: () => void connection.remote.stop().catch(() => {}),
    end: async () => void (await worker.terminate()),
  };
}
