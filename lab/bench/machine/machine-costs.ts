/** What a machine costs before it does anything: time to boot, processes, memory, the library. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { gzipSync } from 'node:zlib';
import { layOut } from '../../../shared/layout/regions.ts';
import { PAGE_SIZE } from '../../../shared/limits.ts';
import { cpuBlocks } from '../../../workers/boot/boot-options.ts';
import { boot } from '../../../workers/index.ts';
import type { MachineHandle } from '../../../workers/index.ts';
import { PROCESSES } from './sizes.ts';

export type Cost =
  'emptyWorkerMs' | 'bootMs' | 'metadataPercent' | 'processesMs' | 'residentMiB' | 'libraryKiB';
export type MachineCosts = Readonly<Record<Cost, number>>;

const MIB: number = 2 ** 20;
const BOOT_BYTES: number = 64 * MIB;
const BOOT_CPUS = 2;

/** From `new Worker` to its first message; ending it is not measured. */
async function emptyWorkerMs(): Promise<number> {
  const source = "require('node:worker_threads').parentPort.postMessage(0)";
  const startMs = performance.now();
  const worker = new Worker(source, { eval: true });
  await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
  const ms = performance.now() - startMs;
  await worker.terminate();
  return ms;
}

/** Time to boot 64 MiB, and what of the machine is neither frames nor a CPU's own. */
async function bootCosts(): Promise<Pick<MachineCosts, 'bootMs' | 'metadataPercent'>> {
  const startMs = performance.now();
  const machine = await boot({ memory: BOOT_BYTES, cpus: BOOT_CPUS });
  const bootMs = performance.now() - startMs;
  const cpus = cpuBlocks(BOOT_CPUS);
  const { frameBase } = layOut({ frames: BOOT_BYTES / PAGE_SIZE, cpus, swapSlots: 0 });
  const metadataPercent = (100 * frameBase * 4) / BOOT_BYTES;
  await machine.shutdown();
  return { bootMs, metadataPercent };
}

/** Resident bytes of a fresh process that has booted 4 GiB, and does nothing. */
function residentBytes(): number {
  const library = new URL('./index.js', import.meta.url).href;
  const script =
    `const { boot } = await import(${JSON.stringify(library)});` +
    "const machine = await boot({ memory: '4GiB', cpus: 2 });" +
    'console.log(process.memoryUsage.rss()); await machine.shutdown();';
  const args = ['--input-type=module', '-e', script];
  const { status, stdout } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  return status === 0 ? Number(stdout) : NaN;
}

/** Gzipped bytes of the library's files in dist/, each on its own: entries and all they import. */
function libraryBytes(): number {
  const entries = ['index.js', 'program.js', 'kernel-worker.js', 'cpu-worker.js'];
  const files = [...entries, 'platform-node.js'];
  const seen = new Set<string>();
  let bytes = 0;
  for (let file = files.pop(); file !== undefined; file = files.pop()) {
    const url = new URL(`./${file}`, import.meta.url);
    if (seen.has(file) || !existsSync(url)) continue;
    seen.add(file);
    const text = readFileSync(url);
    bytes += gzipSync(text).length;
    for (const [, name = ''] of text.toString().matchAll(/(?:from|import)\s*\(?"\.\/([^"]+)"/g)) {
      files.push(name);
    }
  }
  return bytes;
}

/** Milliseconds of `PROCESSES` processes that return at once. */
async function processesMs(machine: MachineHandle, program: URL): Promise<number> {
  const startMs = performance.now();
  const options = { args: [null, []] };
  const starts = Array.from({ length: PROCESSES }, () => machine.spawn(program, options));
  const handles = await Promise.all(starts);
  await Promise.all(handles.map((handle) => handle.wait()));
  return performance.now() - startMs;
}

/** `machine` has two CPUs. */
export async function machineCosts(machine: MachineHandle, program: URL): Promise<MachineCosts> {
  return {
    emptyWorkerMs: await emptyWorkerMs(),
    ...(await bootCosts()),
    processesMs: await processesMs(machine, program),
    residentMiB: residentBytes() / MIB,
    libraryKiB: libraryBytes() / 1024,
  };
}
