/**
 * One program in one machine, from boot to shutdown.
 *
 * Guarantees: the machine is shut down however the run ends; the program's end, the machine's
 * figures and the audit's verdict are all in one document, from which report, JSON and exit status
 * are made.
 */
import { statSync } from 'node:fs';
import { availableParallelism, loadavg } from 'node:os';
import { basename, resolve } from 'node:path';
import { boot } from '../workers/index.ts';
import type {
  BootOptions,
  ExitStatus,
  MachineHandle,
  ProcessHandle,
} from '../workers/api/machine-api.ts';
import { PAGE_SIZE, SWAP_SLOTS_MAX } from '../shared/limits.ts';
import { requireAddressSpace } from './address-space.ts';
import { INTERRUPTED_STATUS } from './interruption.ts';
import { startProgress } from './run-progress.ts';
import type { PrintedLine, RunDocument } from './run-document.ts';
import { findProblems } from './run-document.ts';
import type { RunRequest } from './run-request.ts';
import type { WordCheck } from './wc.ts';
import { compareWithWc } from './wc.ts';

const memoryDefaultBytes = 64 * 2 ** 20;
const memoryMaxBytes = 2 ** 32;
const swapDefaultBytes = 64 * 2 ** 20;
const swapMaxBytes = SWAP_SLOTS_MAX * PAGE_SIZE;
/** Lines of output kept for the document; a program may print more. */
const outputLinesMax = 10_000;

export interface RunModules {
  readonly program: URL;
  /** Names of built-in parts, or URLs of modules. */
  readonly protocol: string;
  readonly reclaim: string;
}

function sizeOf(files: Readonly<Record<string, string>>): number {
  return Object.values(files).reduce((sum, path) => sum + statSync(path).size, 0);
}

/** Enough for several copies of what the files hold. */
function defaultSwapBytes(files: Readonly<Record<string, string>>): number {
  return Math.min(swapMaxBytes, Math.max(swapDefaultBytes, 4 * sizeOf(files)));
}

/** Enough for every page of the files to stay in memory beside the rest. */
function defaultMemoryBytes(files: Readonly<Record<string, string>>): number {
  const fileBytes = sizeOf(files);
  let bytes = memoryDefaultBytes;
  while (bytes < 2 * fileBytes && bytes < memoryMaxBytes) bytes *= 2;
  return bytes;
}

export async function runMachine(
  request: RunRequest,
  modules: RunModules,
  cut: Promise<'timeout' | 'interrupt'>,
): Promise<RunDocument> {
  const output: PrintedLine[] = [];
  const onPrint = (line: string, pid: number): void => {
    if (output.length < outputLinesMax) output.push({ pid, line });
    if (request.json) console.error(line);
    else console.log(line);
  };
  const options = {
    memory: request.memoryBytes ?? defaultMemoryBytes(request.files),
    cpus: request.cpus,
    protocol: modules.protocol,
    faults: request.faults,
    shootdown: request.shootdown,
    swap: Math.min(swapMaxBytes, request.swapBytes ?? defaultSwapBytes(request.files)),
    reclaim: modules.reclaim,
    inject: request.inject,
    checked: request.checked,
    ...(request.unprivileged && { capabilities: [] }),
    seed: request.seed,
  };
  const files = Object.fromEntries(
    Object.entries(request.files).map(([name, path]) => [name, resolve(path)]),
  );
  const startMs = performance.now();
  // With --json, stdout carries only the document.
  const onOutput = (bytes: Uint8Array): void => void process.stderr.write(bytes);
  const sinks = request.json ? { onPrint, onOutput } : { onPrint };
  const bootOptions: BootOptions = { ...options, files, ...sinks };
  requireAddressSpace(options.cpus, options.memory);
  const machine = await boot(bootOptions);
  try {
    const name = basename(request.program);
    const { args, dedicated, limitBytes } = request;
    const limit = limitBytes === null ? {} : { memoryMax: limitBytes };
    const spawned = machine.spawn(modules.program, { args, name, dedicated, ...limit });
    const root = await spawned.catch(sayInjected(machine));
    const progress = await startProgress(name, machine);
    const ended = await Promise.race([root.wait(), cut]).finally(progress.stop);
    const timedOut = ended === 'timeout';
    const interrupted = ended === 'interrupt';
    const status = typeof ended === 'string' ? await killed(root) : ended;
    const wallMs = performance.now() - startMs;
    const check = checkWords(request, output, root.pid, status);
    return await document(machine, request, {
      ...{ options, output, status, timedOut, interrupted, wallMs, check },
    });
  } finally {
    await machine.shutdown();
  }
}

/** A program that could not even be started: whether that was asked for. */
function sayInjected(machine: MachineHandle): (error: unknown) => Promise<never> {
  return async (error) => {
    const counts = Object.entries((await machine.stats()).injected)
      .filter(([, { failed }]) => failed > 0)
      .map(([kind, { seen, failed }]) => `${kind} ${failed} of ${seen}`);
    const { message } = error as Error;
    if (counts.length === 0) throw error;
    throw new Error(`${message}: injected, ${counts.join(', ')} failed on purpose`, {
      cause: error,
    });
  };
}

async function killed(process: ProcessHandle): Promise<ExitStatus> {
  await process.kill();
  return process.wait();
}

type Observations = Pick<
  RunDocument,
  'options' | 'status' | 'timedOut' | 'interrupted' | 'wallMs'
> & {
  readonly output: readonly PrintedLine[];
  readonly check: WordCheck | null;
};

async function document(
  machine: MachineHandle,
  request: RunRequest,
  observed: Observations,
): Promise<RunDocument> {
  const { processes, syscalls, ...figures } = await machine.stats();
  const audit = await machine.audit();
  const { options, output, status, timedOut, interrupted, wallMs, check } = observed;
  const { program, args, timeoutMs } = request;
  const problems = findProblems({
    ...{ program, status, timedOut, interrupted, audit, check, timeoutMs },
  });
  return {
    program,
    args,
    options,
    exitStatus: interrupted && audit.clean ? INTERRUPTED_STATUS : problems.length === 0 ? 0 : 1,
    problems,
    status,
    timedOut,
    interrupted,
    wallMs,
    host: { cores: availableParallelism(), load: loadavg()[0] ?? 0 },
    result: { output, check },
    processes,
    machine: figures,
    syscalls,
    audit,
    ...(request.dmesg && { dmesg: await machine.dmesg() }),
  };
}

/** wordcount ends with `COUNT FILE`, as wc does; the count is compared with the host's wc. */
function checkWords(
  { program, file, files }: RunRequest,
  output: readonly PrintedLine[],
  pid: number,
  status: ExitStatus,
): WordCheck | null {
  const path = file === null ? undefined : files[file];
  if (program !== 'wordcount' || path === undefined) return null;
  if (status.code !== 0) return null;
  const last = output.filter((printed) => printed.pid === pid).at(-1);
  const words = /^(\d+) /.exec(last?.line ?? '')?.[1];
  return compareWithWc(path, words === undefined ? null : Number(words));
}
