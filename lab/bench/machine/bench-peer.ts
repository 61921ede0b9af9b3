/**
 * A Worker that answers and does nothing else: the other end of the floors of traps and messages.
 * It polls as the kernel worker does: after each answer for a while; then it has to be rung for.
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

/** Answers until there is nothing more to answer; the partner rings when it finds the flag down. */
function serve(): void {
  store(words, POLLING, 1);
  answer();
  store(words, POLLING, 0);
  // What was asked before the flag went down was not rung for.
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
