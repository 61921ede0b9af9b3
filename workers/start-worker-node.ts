/** Starts Workers on Node: worker_threads. */
import { Worker } from 'node:worker_threads';
import type { TransferListItem, WorkerOptions } from 'node:worker_threads';
import { describeThrown } from './wire/thrown.ts';
import type { StartWorker, WorkerKind } from './worker-starter.ts';

/**
 * A Worker inherits its starter's Node options, and refuses to start with `--input-type`, which
 * `node --input-type=module -e …` has. Naming options anew makes Node reject others; so rarely.
 */
function nodeOptions(): WorkerOptions {
  return process.execArgv.some((arg) => arg.startsWith('--input-type')) ? { execArgv: [] } : {};
}

/**
 * Most memory of a Worker's young objects, dead ones included. Node's own limit is 48 MiB, which a
 * Worker that runs thousands of short programs fills with garbage.
 */
const YOUNG_MB = 12;

/** The URLs stand literally inside `new Worker`, because bundlers recognise only that. */
function createWorker(kind: WorkerKind): Worker {
  const resourceLimits = { maxYoungGenerationSizeMb: YOUNG_MB };
  const options = { ...nodeOptions(), resourceLimits, name: `faultline ${kind}` };
  if (kind === 'kernel') {
    return new Worker(new URL('./kernel-worker.js', import.meta.url), options);
  }
  return new Worker(new URL('./cpu-worker.js', import.meta.url), options);
}

export const startWorker: StartWorker = (kind, onDeath) => {
  const worker = createWorker(kind);
  let isDead = false;
  const die = (reason: string): void => {
    if (isDead) return;
    isDead = true;
    onDeath(reason);
  };
  // 'error' comes before 'exit' and knows the cause; 'exit' alone follows process.exit().
  worker.on('error', (error: unknown) => die(describeThrown(error)));
  worker.on('messageerror', (error) => {
    die(`a message to it could not be read: ${error.message}`);
    void worker.terminate();
  });
  worker.on('exit', (code) => die(`it exited with code ${code}`));
  worker.unref();
  return {
    init: (message, transfer) =>
      worker.postMessage(message, transfer as unknown as readonly TransferListItem[]),
    terminate: async () => void (await worker.terminate()),
  };
};
