/**
 * A CPU of a benchmark: the entry of its Worker. One crew of Workers serves one protocol, so that
 * the engine sees one protocol's methods at each call, as it does in a machine.
 *
 * Receives batches; runs each to its end without looking at its event loop.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { attachCpu, attachMachine } from '../../kernel/index.ts';
import type { LockingProtocol } from '../../kernel/index.ts';
import { compareExchange, load, peek } from '../../shared/atomics.ts';
import type { Words } from '../../shared/atomics.ts';
import { loadProtocol } from '../../workers/boot/load-protocol.ts';
import type { Batch, BatchReport, CrewInit, CrewMessage } from './batch.ts';
import { benchmarkNamed } from './benchmarks.ts';
import * as C from './control.ts';
import { requestAddresses, runRequests } from './cortenmm.ts';
import { runLoop } from './loops.ts';
import { METERED, startCounting, stopCounting } from './meter.ts';
import type { AccessCounts } from './meter.ts';
import { REQUESTS } from './offsets.ts';
import { pinThread } from './pin.ts';
import { BenchThread } from './thread.ts';

const init = workerData as CrewInit;
const control: Words = new Int32Array(init.control);
let thread: BenchThread | null = null;

function send(message: CrewMessage): void {
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

function runBatch(batch: Batch, protocol: LockingProtocol): BatchReport {
  const latencyNs = new Float64Array(REQUESTS);
  const tally: Tally = { latencyNs, counts: [], operations: 0, elapsedNs: 0 };
  const { threads } = batch;
  if (batch.suite === 'floor') {
    runRound(batch, 0, () => C.startTogether(control, threads), floorBody(batch), tally);
    return { kind: 'report', ...tally };
  }
  const one = threadOf(batch.machine, protocol);
  const body = kernelBody(batch, one);
  for (let run = 0; run < batch.runs; run++) {
    const start = (): void => {
      one.adopt(load(control, C.PROCESS));
      // A thread that still sleeps must not be one that others' shootdowns wait for.
      C.startTogether(control, threads * (run + 1));
      startCounting(one.cpu.words);
      one.enter();
    };
    runRound(batch, run, start, body, tally);
  }
  return { kind: 'report', ...tally };
}

function runRound(batch: Batch, run: number, start: () => void, body: Body, tally: Tally): void {
  C.awaitRound(control, batch.round + run);
  start();
  const startMs = performance.now();
  body(tally);
  tally.elapsedNs += (performance.now() - startMs) * 1e6;
  const counts = stopCounting();
  if (counts !== null) tally.counts.push(counts);
  if (batch.suite !== 'floor') thread?.leave();
  if (C.finish(control, batch.threads * (run + 1))) send({ kind: 'finished' });
}

function kernelBody(batch: Batch, one: BenchThread): Body {
  const { suite, threads, contention, doubled } = batch;
  const benchmark = suite === 'floor' ? undefined : benchmarkNamed(suite, batch.benchmark);
  if (benchmark === undefined) throw new Error(`no such benchmark: ${batch.benchmark}`);
  const index = init.cpu - 1;
  if (benchmark.suite === 'cortenmm') {
    const all = requestAddresses(benchmark, contention, threads, doubled);
    const mine = all?.slice(index * REQUESTS, (index + 1) * REQUESTS) ?? null;
    return (tally) => {
      runRequests(one, benchmark, mine, tally.latencyNs);
      tally.operations += REQUESTS;
    };
  }
  const { iterations, regionBytes, seed } = batch;
  const fd = batch.fd < 0 ? -1 : batch.fd + index;
  const context = { thread: one, control, index, threads, iterations, regionBytes, fd, seed };
  return (tally) => {
    tally.operations += runLoop(benchmark, context);
  };
}

/** What the host itself needs for one compare-exchange, or for reading the clock. */
function floorBody(batch: Batch): Body {
  const at = batch.contention === 'high' ? C.FLOOR_SHARED : C.floorWordOf(init.cpu);
  return (tally) => {
    tally.operations = batch.iterations;
    if (batch.benchmark === 'clock') {
      for (let i = 0; i < batch.iterations; i++) performance.now();
      return;
    }
    for (let i = 0; i < batch.iterations; i++) {
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
