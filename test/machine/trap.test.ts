/** Goal: traps from real Workers are each answered once, whatever the order and the timing. */
import { Worker } from 'node:worker_threads';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { store } from '../../shared/atomics.ts';
import { EINTR } from '../../shared/abi/errno.ts';
import * as BOOT from '../../shared/layout/boot.ts';
import * as CPU from '../../shared/layout/cpu.ts';
import { TrapServer } from '../../workers/wire/trap.ts';
import type { TrapRequest } from '../../workers/wire/trap.ts';
import { bundleWorker } from '../support/worker-bundle.ts';
import type { WorkerBundle } from '../support/worker-bundle.ts';

const CPUS = 4;
const INTERRUPT = 0;

/** Makes the calls that it is given, and reports their results. An interrupt ends one call. */
const callerSource = `
import { parentPort, workerData } from 'node:worker_threads';
import { exchange } from '../../shared/atomics.ts';
import { TrapCaller } from '../../workers/wire/trap.ts';
const { buffer, base, cpu, calls } = workerData;
const words = new Int32Array(buffer);
const caller = new TrapCaller(words, base, () => parentPort.postMessage('ring'));
const results = [];
for (const { op, args } of calls) {
  results.push(caller.call(op, 100 + cpu, args, () => exchange(words, ${INTERRUPT}, 0) !== 0));
}
parentPort.postMessage(results);
`;

const OP_ADD = 1;
const OP_LATER = 2;
const OP_NEVER = 3;

interface Call {
  readonly op: number;
  readonly args: readonly number[];
}

let bundle: WorkerBundle;
const workers: Worker[] = [];

beforeAll(async () => {
  bundle = await bundleWorker(callerSource);
});
afterAll(() => bundle.remove());
afterEach(async () => {
  await Promise.all(workers.splice(0).map((worker) => worker.terminate()));
});

function startMachine() {
  const words = new Int32Array(new SharedArrayBuffer((BOOT.WORDS + CPUS * CPU.WORDS) * 4));
  const requests: TrapRequest[] = [];
  const parked: ((value: number) => void)[] = [];
  let rings = 0;
  const server = new TrapServer(words, BOOT.WORDS, (request) => {
    requests.push(request);
    const sum = request.args.reduce((a, b) => a + b, 0);
    if (request.op === OP_ADD) return sum;
    if (request.op === OP_LATER) {
      return new Promise((resolve) => setTimeout(() => resolve(sum), request.args[0]));
    }
    return new Promise((resolve) => parked.push(resolve));
  });
  const run = (cpu: number, calls: readonly Call[]): Promise<number[]> => {
    server.addCpu(cpu);
    const base = BOOT.WORDS + cpu * CPU.WORDS;
    const worker = new Worker(bundle.url, {
      workerData: { buffer: words.buffer, base, cpu, calls },
    });
    workers.push(worker);
    return new Promise((resolve, reject) => {
      worker.on('error', reject);
      worker.on('message', (message: 'ring' | number[]) => {
        if (message !== 'ring') resolve(message);
        else {
          rings++;
          server.poll();
        }
      });
    });
  };
  return { words, requests, parked, run, rings: () => rings };
}

describe('the trap mailbox', () => {
  it('answers each call of several CPUs with its own result', async () => {
    const { run, requests, rings } = startMachine();
    const count = 3000;
    const calls = (cpu: number): Call[] =>
      Array.from({ length: count }, (_, i) => ({ op: OP_ADD, args: [cpu, i, 2 ** 41, 0, 0, 0.5] }));
    const cpus = [1, 2, 3];
    const results = await Promise.all(cpus.map((cpu) => run(cpu, calls(cpu))));
    for (const [index, cpu] of cpus.entries()) {
      expect(results[index]).toEqual(
        Array.from({ length: count }, (_, i) => cpu + i + 2 ** 41 + 0.5),
      );
    }
    expect(requests.length).toBe(3 * count);
    expect(requests.every(({ cpu, pid }) => pid === 100 + cpu)).toBe(true);
    // Polling spares most of the doorbells, or the mailbox would be a slow postMessage.
    expect(rings()).toBeLessThan(3 * count);
  });

  it('answers later, out of order, without holding up other CPUs', async () => {
    const { run, parked } = startMachine();
    const slow = run(1, [{ op: OP_NEVER, args: [] }]);
    while (parked.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    const fast = run(2, [
      { op: OP_ADD, args: [1, 2] },
      { op: OP_LATER, args: [1] },
      { op: OP_ADD, args: [3, 4] },
    ]);
    expect(await fast).toEqual([3, 1, 7]);
    parked[0]?.(150);
    expect(await slow).toEqual([150]);
  });

  it('lets an interrupted caller go, and drops the answer that comes too late', async () => {
    const { run, words, parked } = startMachine();
    const calls = [
      { op: OP_NEVER, args: [] },
      { op: OP_NEVER, args: [] },
      { op: OP_ADD, args: [5] },
    ];
    const done = run(1, calls);
    while (parked.length < 1) await new Promise((resolve) => setTimeout(resolve, 1));
    store(words, INTERRUPT, 1);
    while (parked.length < 2) await new Promise((resolve) => setTimeout(resolve, 1));
    // The caller waits for its second answer by now: the first must not be taken for it.
    parked[0]?.(777);
    parked[1]?.(60);
    expect(await done).toEqual([-EINTR, 60, 5]);
  });

  it('does not answer what a dead predecessor asked', async () => {
    const { run, requests, parked, words } = startMachine();
    void run(1, [{ op: OP_NEVER, args: [] }]);
    while (parked.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    await workers.splice(0)[0]?.terminate();
    // As the reaper does: the next Worker's first request has the very number of the lost one.
    words.fill(0, BOOT.WORDS + CPU.WORDS + CPU.EPOCH, BOOT.WORDS + CPU.WORDS + CPU.STATS);
    const next = run(1, [{ op: OP_LATER, args: [40] }]);
    while (requests.length < 2) await new Promise((resolve) => setTimeout(resolve, 1));
    parked[0]?.(777);
    expect(await next).toEqual([40]);
    expect(requests.map(({ op }) => op)).toEqual([OP_NEVER, OP_LATER]);
  });
});
