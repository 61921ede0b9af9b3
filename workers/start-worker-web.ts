/** Starts Workers in a page without a bundler: the files of dist/web lie beside each other. */
import { startWebWorker } from './web-worker.ts';
import type { StartWorker, WorkerKind } from './worker-starter.ts';

/** Literally inside `new Worker`, in case that somebody bundles dist/web after all. */
function createWorker(kind: WorkerKind): Worker {
  if (kind === 'kernel') {
    return new Worker(new URL('./kernel-worker.js', import.meta.url), { type: 'module' });
  }
  return new Worker(new URL('./cpu-worker.js', import.meta.url), { type: 'module' });
}

export const startWorker: StartWorker = (kind, onDeath) =>
  startWebWorker(() => createWorker(kind), onDeath);
