/** Calls of the kernel worker, beside the bare thing: a mailbox of two words, a comlink echo. */
import { Worker } from 'node:worker_threads';
import { wrap } from 'comlink';
import type { Proc } from '../../../workers/program.ts';
import { load, pause, store, wait } from '../../../shared/atomics.ts';
import type { Words } from '../../../shared/atomics.ts';
import { PAGE_SIZE, TRAP_SPIN_TURNS, WAIT_SLICE_MS } from '../../../shared/limits.ts';
import { ANSWERED, ASKED, DOORBELL, PEER_BYTES, POLLING } from './peer-words.ts';
import type { Echo, PeerInit } from './peer-words.ts';
import { ANONYMOUS, CALLS, ROUNDS, RW, TRAPS } from './sizes.ts';
import { fastest, nanosecondsEach } from './timing.ts';

interface Peer {
  readonly words: Words;
  readonly echo: Echo;
  /** Wakes its event loop. */
  readonly ring: () => void;
}

/** One for the Worker's life: it ends with the Worker. */
let peer: Peer | null = null;

function peerOf(hostCpu: number | null): Peer {
  if (peer !== null) return peer;
  const words = new Int32Array(new SharedArrayBuffer(PEER_BYTES));
  const { port1, port2 } = new MessageChannel();
  const workerData: PeerInit = { words, hostCpu };
  const worker = new Worker(new URL('./bench-peer.js', import.meta.url), { workerData });
  worker.unref();
  worker.postMessage(port2, [port2] as never);
  port1.start();
  // The method's proxy is made once, as in the machine's connections: bare comlink costs even more.
  const { echo } = wrap<{ echo: Echo }>(port1);
  peer = { words, echo: echo as unknown as Echo, ring: () => port1.postMessage(DOORBELL) };
  return peer;
}

/** One word there, one word back, by the waiting policy of a trap. */
function pingPong({ words, ring }: Peer): void {
  for (let i = 0; i < TRAPS; i++) {
    const turn = (load(words, ASKED) + 1) | 0;
    store(words, ASKED, turn);
    if (load(words, POLLING) === 0) ring();
    for (let spin = 0; spin < TRAP_SPIN_TURNS && load(words, ANSWERED) !== turn; spin++) pause();
    while (load(words, ANSWERED) !== turn) wait(words, ANSWERED, (turn - 1) | 0, WAIT_SLICE_MS);
  }
}

function traps({ sync }: Proc): void {
  for (let i = 0; i < TRAPS; i++) sync.getpid();
}

/** Nanoseconds of a call, and of the bare message there and back. */
export type MessageFigures = Readonly<Record<'call' | 'bare', number>>;

export async function trapFigures(proc: Proc, peerCpu: number | null): Promise<MessageFigures> {
  const other = peerOf(peerCpu);
  await other.echo(0, 0, 0, 0, 0, 0);
  const bare = fastest(() => nanosecondsEach(TRAPS, () => pingPong(other)));
  return { bare, call: fastest(() => nanosecondsEach(TRAPS, () => traps(proc))) };
}

async function echoesNs(echo: Echo): Promise<number> {
  const startMs = performance.now();
  for (let i = 0; i < CALLS; i++) await echo(0, PAGE_SIZE, RW, ANONYMOUS, -1, 0);
  return ((performance.now() - startMs) * 1e6) / CALLS;
}

async function mmapsNs(proc: Proc): Promise<number> {
  const mapped: number[] = [];
  const startMs = performance.now();
  for (let i = 0; i < CALLS; i++) mapped.push(await proc.mmap(0, PAGE_SIZE, RW, ANONYMOUS));
  const ns = ((performance.now() - startMs) * 1e6) / CALLS;
  for (const at of mapped) proc.local.munmap(at, PAGE_SIZE);
  return ns;
}

/** Rounds alternate: message latency drifts with what else the host does. */
export async function comlinkFigures(proc: Proc, peerCpu: number | null): Promise<MessageFigures> {
  const { echo } = peerOf(peerCpu);
  let bare = Infinity;
  let call = Infinity;
  for (let round = 0; round <= ROUNDS; round++) {
    bare = Math.min(bare, await echoesNs(echo));
    call = Math.min(call, await mmapsNs(proc));
  }
  return { call, bare };
}
