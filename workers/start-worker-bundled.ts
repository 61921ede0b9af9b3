/**
 * Starts Workers in a page that a bundler has made. The Workers are those of dist/web, which import
 * nothing from outside. Bundlers disagree about what the name is relative to: Vite 7's development
 * server moves this file elsewhere, so for it this is the package's `./web/*`; for Vite 8's it is a
 * file below this one, which build.mjs makes.
 */
import { startWebWorker } from './web-worker.ts';
import type { StartWorker, WorkerKind } from './worker-starter.ts';

/** The URLs stand literally inside `new Worker`, because bundlers recognise only that. */
function createWorker(kind: WorkerKind): Worker {
  if (kind === 'kernel') {
    return new Worker(new URL('faultline/web/kernel-worker.js', import.meta.url), {
      type: 'module',
    });
  }
  return new Worker(new URL('faultline/web/cpu-worker.js', import.meta.url), { type: 'module' });
}

export const startWorker: StartWorker = (kind, onDeath) =>
  startWebWorker(() => createWorker(kind), onDeath);
