/**
 * A CPU of a benchmark: the entry of its Worker. A group of Workers serves one protocol, so that
 * the engine sees one protocol's methods at each call, as it does in a machine.
 *
 * Receives batches; runs each to its end without looking at its event loop.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { attachCpu, attachMachine } from '../../../kernel/index.ts';
import type { LockingProtocol } from '../../../kernel/index.ts';
import { compareExchange, load, peek } from '../../../shared/atomics.ts';
import type { Words } from '../../../shared/atomics.ts';
import { loadProtocol } from '../../../workers/boot/load-protocol.ts';
import { pinThread } from '../host.ts';
import type {
  Batch,
  BatchReport,
  BenchmarkWork,
  ThreadInit,
  ThreadMessage,
  Work,
} from './batch.ts';
import * as C from './control-words.ts';
import { requestAddresses, runRequests } from './cortenmm.ts';
import { LOOPS } from './loops.ts';
import { METERED, startCounting, stopCounting } from './meter.ts';
import type { AccessCounts } from './meter.ts';
import { REQUESTS } from './offsets.ts';
import { BenchThread } from './thread.ts';

const init = workerData as ThreadInit;
const control: Words = new Int32Array(init.control);
let thread: BenchThread | null = null;

function send(message: ThreadMessage): void {
  parentPort?.postMessage(message);
}

/** The view of this CPU, kept while batches use the same machine. */
function threadOf(machine: SharedArrayBuffer, protocol: LockingProtocol): BenchThread {
  if (thread?.cpu.machine.buffer !== machine) {
    thread = new BenchThread(attachCpu(attachMachine(machine, protocol), init.cpu));
  }
  return thread;
}

interface Tally {
  readonly latencyNs: Float64Array;
  readonly counts: AccessCounts[];
  operations: number;
  elapsedNs: number;
}

/** The part of a run that is measured, which adds to the tally. */
type Body = (tally: Tally) => void;

function runBatch({ threads, runs, work, round }: Batch, protocol: LockingProtocol): BatchReport {
  const latencyNs = new Float64Array(REQUESTS);
  const tally: Tally = { latencyNs, counts: [], operations: 0, elapsedNs: 0 };
  const one = work.kind === 'benchmark' ? threadOf(work.machine, protocol) : null;
  const body =
    work.kind === 'benchmark' && one !== null ? benchmarkBody(work, threads, one) : bareBody(work);
  for (let run = 0; run < runs; run++) {
    C.awaitRound(control, round + run);
    one?.adopt(load(control, C.PROCESS));
    // Outside user mode, so that shootdowns do not wait for a thread that still sleeps.
    C.startTogether(control, threads * (run + 1));
    if (one !== null) startCounting(one.cpu.words);
    one?.enter();
    const startMs = performance.now();
    body(tally);
    tally.elapsedNs += (performance.now() - startMs) * 1e6;
    const counts = stopCounting();
    if (counts !== null) tally.counts.push(counts);
    one?.leave();
    if (C.finish(control, threads * (run + 1))) send({ kind: 'finished' });
  }
  return { kind: 'report', ...tally };
}

function benchmarkBody(work: BenchmarkWork, threads: number, one: BenchThread): Body {
  const { benchmark, contention, doubledStrides } = work;
  const index = init.cpu - 1;
  if (benchmark.suite === 'cortenmm') {
    const all = requestAddresses(benchmark, contention, threads, doubledStrides);
    const mine = all?.slice(index * REQUESTS, (index + 1) * REQUESTS) ?? null;
    return (tally) => {
      runRequests(one, benchmark, mine, tally.latencyNs);
      tally.operations += REQUESTS;
    };
  }
  const { iterations, regionBytes, seed } = work;
  const fd = work.fd < 0 ? -1 : work.fd + index;
  const context = { thread: one, control, index, threads, iterations, regionBytes, fd, seed };
  const loop = LOOPS[benchmark.name];
  return (tally) => {
    tally.operations += loop(context);
  };
}

/** What the host itself needs for one compare-exchange, or for reading the clock. */
function bareBody(work: Work): Body {
  const isShared = work.kind === 'exchange' && work.word === 'shared';
  const at = isShared ? C.EXCHANGE_SHARED : C.exchangeWordOf(init.cpu);
  return (tally) => {
    tally.operations = work.iterations;
    if (work.kind === 'clock') {
      for (let i = 0; i < work.iterations; i++) performance.now();
      return;
    }
    for (let i = 0; i < work.iterations; i++) {
      const seen = peek(control, at);
      compareExchange(control, at, seen, seen + 1);
    }
  };
}

async function main(): Promise<void> {
  const protocol = await loadProtocol(init.protocol);
  parentPort?.on('message', (batch: Batch) => {
    try {
      send(runBatch(batch, protocol));
    } catch (error) {
      send({ kind: 'error', message: String((error as Error).stack) });
    }
  });
  send({ kind: 'ready', pinned: pinThread(init.hostCpu), metered: METERED });
}

await main();
