/**
 * A Worker that answers and does nothing else: the other end of the floors of traps and messages.
 * Like the kernel worker, it polls for a while after each answer; after that it must be notified.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { expose } from 'comlink';
import { load, notify, pause, store } from '../../../shared/atomics.ts';
import { TRAP_POLL_TURNS } from '../../../shared/limits.ts';
import { pinThread } from '../host.ts';
import { ANSWERED, ASKED, DOORBELL, POLLING } from './peer-words.ts';
import type { PeerInit } from './peer-words.ts';

const { words, hostCpu } = workerData as PeerInit;

function answer(): void {
  for (let idle = 0; idle < TRAP_POLL_TURNS; idle++) {
    const asked = load(words, ASKED);
    if (asked === load(words, ANSWERED)) {
      pause();
      continue;
    }
    store(words, ANSWERED, asked);
    notify(words, ANSWERED, 1);
    idle = 0;
  }
}

/** Answers until there are no more requests; the partner notifies it if the flag is clear. */
function serve(): void {
  store(words, POLLING, 1);
  answer();
  store(words, POLLING, 0);
  // No notify was sent for a request made before the flag was cleared.
  if (load(words, ASKED) !== load(words, ANSWERED)) serve();
}

pinThread(hostCpu);
parentPort?.once('message', (port: MessagePort) => {
  expose({ echo: (address: number) => address }, port);
  port.addEventListener('message', ({ data }) => {
    if (data === DOORBELL) serve();
  });
  port.start();
});
