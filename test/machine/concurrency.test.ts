/*
 * Goal: on real threads, no protocol lets an access through an outdated translation, loses a store
 * or a frame, or breaks an invariant. Method: threads that are CPUs share one address space and
 * map, unmap, protect and touch the same few pages, which straddle a 4 MiB border; each judges its
 * own accesses (fixtures/concurrency/cpu.ts), and the test audits the machine again and again.
 */
import { fileURLToPath } from 'node:url';
import * as RECORD from '../../shared/layout/record.ts';
import * as OBJECT from '../../shared/layout/object.ts';
import { Worker } from 'node:worker_threads';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { audit } from '../../kernel/audit/audit.ts';
import { attachCpu } from '../../kernel/machine/cpu.ts';
import type { Cpu } from '../../kernel/machine/cpu.ts';
import { condemnCpu, leaveKernel, startCpu } from '../../kernel/machine/cpu-mode.ts';
import { enterKernel } from '../../kernel/mmu/kernel-entry.ts';
import { beginPageIn, finishPageIn } from '../../kernel/faults/page-in.ts';
import { formatMachine } from '../../kernel/format.ts';
import { PROTOCOLS, PROTOCOL_NAMES } from '../../kernel/locking/protocols.ts';
import type { LockingProtocolName } from '../../kernel/locking/protocols.ts';
import type { Machine } from '../../kernel/machine/machine.ts';
import { openFd } from '../../kernel/objects/fd.ts';
import { createObject, putObject } from '../../kernel/objects/object.ts';
import { reapLimbo } from '../../kernel/frames/grace.ts';
import { createProcess } from '../../kernel/lifecycle/create.ts';
import { exitProcess, releaseProcess } from '../../kernel/lifecycle/exit.ts';
import { processOf } from '../../kernel/processes/pid-table.ts';
import { startProcess } from '../../kernel/processes/process.ts';
import { reapCpu } from '../../kernel/lifecycle/reap-cpu.ts';
import { cpuCounters, frameUsage } from '../../kernel/reports/usage.ts';
import { load } from '../../shared/atomics.ts';
import * as CPU from '../../shared/layout/cpu.ts';
import { PAGE_SIZE, SPAN_PAGES } from '../../shared/limits.ts';
import { O_RDWR } from '../../shared/abi/mman.ts';
import { PAGE_WORDS } from '../fixtures/concurrency/oracle.ts';
import type { CpuReport, CpuTask } from '../fixtures/concurrency/oracle.ts';
import { bundleWorker } from '../support/worker-bundle.ts';
import type { WorkerBundle } from '../support/worker-bundle.ts';

/** Another run: CONCURRENCY_SEED=7 CONCURRENCY_MS=20000 npx vitest run <this file>. */
const SEED = Number(process.env['CONCURRENCY_SEED'] ?? 1);
const DURATION_MS = Number(process.env['CONCURRENCY_MS'] ?? 800);
const PAGES = 12;
const FIRST_VPN = 3 * SPAN_PAGES - PAGES / 2;
/** Milliseconds between two audits, and after the end until a thread counts as stuck. */
const AUDIT_MS = 60;
const PATIENCE_MS = 10_000;

let bundle: WorkerBundle;
beforeAll(async () => {
  const cpu = fileURLToPath(new URL('../fixtures/concurrency/cpu.ts', import.meta.url));
  bundle = await bundleWorker(`import { main } from ${JSON.stringify(cpu)}; main();`);
});
afterAll(() => bundle.remove());

/** Also after a failure no thread runs on. */
const running: Worker[] = [];
afterEach(async () => {
  for (const worker of running.splice(0)) await worker.terminate();
});

interface Scene {
  readonly machine: Machine;
  readonly cpu: Cpu;
  readonly pid: number;
  readonly proc: number;
  readonly fd: number;
  readonly workers: Worker[];
  readonly reports: Promise<CpuReport>[];
  readonly errors: string[];
}

function newScene(protocol: LockingProtocolName, threads: number): Scene {
  const options = { frames: 2048, cpus: threads + 1, checked: true };
  const machine = formatMachine({ ...options, protocol: PROTOCOLS[protocol] });
  const cpu = attachCpu(machine, 0);
  startCpu(cpu);
  enterKernel(cpu);
  const pid = createProcess(cpu, { name: 'shared', cpu: 1, parent: 0 });
  startProcess(cpu, pid);
  const proc = processOf(machine, pid);
  const spec = { kind: OBJECT.FILE, size: PAGES * PAGE_SIZE, host: 1, writable: true };
  const object = createObject(cpu, spec);
  for (let page = 0; page < PAGES; page++) {
    expect(finishPageIn(cpu, object, page, beginPageIn(cpu))).toBe(true);
  }
  const fd = openFd(cpu, proc, object, O_RDWR);
  putObject(cpu, object);
  leaveKernel(cpu);
  return { machine, cpu, pid, proc, fd, workers: [], reports: [], errors: [] };
}

function startThreads(scene: Scene, task: Partial<CpuTask>, protocol: LockingProtocolName): void {
  const oracle = new SharedArrayBuffer(PAGES * PAGE_WORDS * 4);
  for (let id = 1; id < scene.machine.cpus; id++) {
    const workerData: CpuTask = {
      machine: scene.machine.buffer,
      oracle,
      protocol,
      cpu: id,
      cpus: scene.machine.cpus - 1,
      proc: scene.proc,
      fd: scene.fd,
      firstVpn: FIRST_VPN,
      pages: PAGES,
      seed: SEED,
      durationMs: DURATION_MS,
      operationsPercent: 60,
      ...task,
    };
    const worker = new Worker(bundle.url, { workerData });
    scene.workers.push(worker);
    running.push(worker);
    worker.on('error', (error) => scene.errors.push(`CPU ${id}: ${error.stack}`));
    scene.reports.push(
      new Promise((resolve) => {
        worker.on('message', resolve);
        worker.on('exit', () => resolve({ violations: [], counts: NOTHING }));
      }),
    );
  }
}

const NOTHING = { operations: 0, accesses: 0, judged: 0, faults: 0 };

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Audits until all threads have reported; whether they did in time. */
async function auditUntilEnd(scene: Scene, violations: string[]): Promise<CpuReport[] | null> {
  let reports: CpuReport[] | null = null;
  void Promise.all(scene.reports).then((all) => (reports = all));
  const limit = performance.now() + DURATION_MS + PATIENCE_MS;
  while (reports === null && scene.errors.length === 0 && performance.now() < limit) {
    await sleep(AUDIT_MS);
    if (reports !== null || scene.errors.length > 0) break;
    enterKernel(scene.cpu);
    violations.push(...audit(scene.cpu).violations);
    leaveKernel(scene.cpu);
  }
  return reports;
}

/** Ends the process and takes over the CPUs: every frame must have come back. */
function tearDown(scene: Scene): void {
  const { cpu, machine, pid } = scene;
  enterKernel(cpu);
  exitProcess(cpu, pid, 0, 0, 0);
  releaseProcess(cpu, pid);
  for (let id = 1; id < machine.cpus; id++) {
    expect(condemnCpu(cpu, id)).toBe(true);
    reapCpu(cpu, id);
  }
  expectNothingLeft(scene);
}

/** After a grace period all frames are free, but for the mapping records that stay. */
function expectNothingLeft({ cpu, machine }: Scene): void {
  leaveKernel(cpu);
  enterKernel(cpu);
  reapLimbo(cpu);
  expect(audit(cpu).violations).toEqual([]);
  const records = machine.words.subarray(
    machine.recordDir,
    machine.recordDir + RECORD.DIRECTORY_WORDS,
  );
  expect(frameUsage(machine).used).toBe(records.filter((pfn) => pfn !== 0).length);
  leaveKernel(cpu);
}

describe.each(PROTOCOL_NAMES)('CPUs that share a space under %s', (protocol) => {
  it.each([2, 4])('%d threads', { timeout: 60_000 + DURATION_MS }, async (threads) => {
    const scene = newScene(protocol, threads);
    const again = `CONCURRENCY_SEED=${SEED} npx vitest run concurrency -t ${protocol}`;
    startThreads(scene, {}, protocol);
    const violations: string[] = [];
    const reports = await auditUntilEnd(scene, violations);
    for (const worker of scene.workers) await worker.terminate();
    expect(scene.errors, again).toEqual([]);
    expect(violations, again).toEqual([]);
    expect(reports, `a CPU is stuck: ${again}`).not.toBeNull();
    for (const report of reports ?? []) {
      expect(report.violations, again).toEqual([]);
      expect(report.counts.judged, again).toBeGreaterThan(100);
      expect(report.counts.operations, again).toBeGreaterThan(20);
      if (process.env['CONCURRENCY_SHOW'] !== undefined) console.log(protocol, report.counts);
    }
    const counters = cpuCounters(scene.machine);
    expect(counters['shootdownTargets'], again).toBeGreaterThan(0);
    tearDown(scene);
  });
});

it('takes over from a CPU that was ended in user mode', { timeout: 60_000 }, async () => {
  const scene = newScene('rcu', 2);
  const { machine, cpu, pid } = scene;
  startThreads(scene, { durationMs: 1e9, operationsPercent: 5 }, 'rcu');
  const mode = (id: number) => load(machine.words, machine.cpuBase + id * CPU.WORDS + CPU.MODE);
  const limit = performance.now() + PATIENCE_MS;
  while (
    (mode(1) & CPU.MODE_MASK) !== CPU.MODE_USER ||
    (mode(2) & CPU.MODE_MASK) !== CPU.MODE_USER
  ) {
    expect(performance.now()).toBeLessThan(limit);
    await sleep(5);
  }
  await sleep(200);
  // All of them first: the process ends with the first, and no CPU may run it then.
  for (const [index, worker] of scene.workers.entries()) {
    enterKernel(cpu);
    while (!condemnCpu(cpu, index + 1)) expect(performance.now()).toBeLessThan(limit);
    leaveKernel(cpu);
    expect(mode(index + 1) & CPU.MODE_MASK).toBe(CPU.MODE_DEAD);
    await worker.terminate();
  }
  expect(scene.errors).toEqual([]);
  enterKernel(cpu);
  expect(audit(cpu).violations).toEqual([]);
  // It runs on CPU 1 as far as the kernel knows.
  expect(reapCpu(cpu, 2)).toEqual([]);
  expect(reapCpu(cpu, 1)).toEqual([pid]);
  releaseProcess(cpu, pid);
  expectNothingLeft(scene);
});
