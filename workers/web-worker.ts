/** A browser's Worker as a `WorkerHandle`. */
import type { WorkerHandle } from './worker-starter.ts';

/**
 * Starts a Worker by `start`, which calls `new Worker` once. The URL is what a bundler has made of
 * it; only the constructor gets to know it, so it listens there while `start` runs.
 */
export function startWebWorker(
  start: () => Worker,
  onDeath: (reason: string) => void,
): WorkerHandle {
  let script = '';
  const original = globalThis.Worker;
  globalThis.Worker = class extends original {
    constructor(url: string | URL, options?: WorkerOptions) {
      super(url, options);
      script = new URL(url, globalThis.location.href).href;
    }
  };
  let worker: Worker;
  try {
    worker = start();
  } finally {
    globalThis.Worker = original;
  }
  let isDead = false;
  // A browser's Worker survives an uncaught error. Here it ends, as it does on Node.
  const die = (reason: string): void => {
    if (isDead) return;
    isDead = true;
    worker.terminate();
    onDeath(reason);
  };
  worker.addEventListener('error', (event) => {
    event.preventDefault();
    // A script that could not be loaded is a plain Event, without a message.
    const message = (event as Partial<ErrorEvent>).message ?? '';
    // As on Node, which does not prefix 'Uncaught'.
    die(message.replace(/^Uncaught /, '') || `its script could not be loaded: ${script}`);
  });
  worker.addEventListener('messageerror', () => die('a message from it could not be read'));
  return {
    init: (message, transfer) => worker.postMessage(message, [...transfer]),
    terminate: async () => die('it was terminated'),
  };
}
