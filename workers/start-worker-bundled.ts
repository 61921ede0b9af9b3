/**
 * Starts Workers in a page that a bundler has made. The Workers are those of dist/web, which import
 * nothing from outside. They are named by package, not relative to this file: Vite's development
 * server moves this file elsewhere, and leaves the Workers where they are.
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
