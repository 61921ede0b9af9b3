/**
 * `faultline run`: boots a machine, runs one program in it, and reports.
 *
 * Guarantees: the machine is shut down however the run ends; the program's end, the machine's
 * figures and the audit's verdict are all in one document, from which report, JSON and exit status
 * are made; with --json nothing but that document goes to stdout.
 */
import { statSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { extname, relative, resolve } from 'node:path';
import { boot } from '../workers/index.ts';
import type { BootOptions, ExitStatus, MachineHandle, ProcessHandle } from '../workers/api.ts';
import { largestInstalledTextFile } from './largest-text-file.ts';
import type { LoadedModule } from './load-module.ts';
import { builtinModule, loadModule } from './load-module.ts';
import { startProgress } from './progress.ts';
import { formatReport } from './report.ts';
import type { PrintedLine, RunDocument } from './run-document.ts';
import { findProblems } from './run-document.ts';
import type { RunRequest } from './run-request.ts';
import { parseRun } from './run-request.ts';
import { UsageError } from './usage.ts';
import type { WordCheck } from './wc.ts';
import { compareWithWc, hostWordRule } from './wc.ts';

const memoryDefaultBytes = 64 * 2 ** 20;
/** Lines of output kept for the JSON document; a program may print more. */
const outputLinesMax = 10_000;
/** How long after --timeout the machine may take to stop before the command ends without it. */
const stopGraceMs = 10_000;
const interruptedStatus = 130;
const packageRoot = fileURLToPath(new URL('..', import.meta.url)).replace(/[\\/]$/, '');

/** Returns the exit status. */
export async function run(args: readonly string[]): Promise<number> {
  const parsed = parseRun(args);
  if (typeof parsed === 'string') {
    console.log(parsed);
    return 0;
  }
  const request = withDefaultInput(parsed);
  const interruption = watchForInterruption(request);
  const modules: LoadedModule[] = [];
  try {
    const program = request.isBuiltin
      ? builtinModule(request.program)
      : await loadModule(request.program);
    modules.push(program);
    const isProtocolFile = extname(request.protocol) !== '';
    const protocol = isProtocolFile ? await loadModule(request.protocol) : null;
    if (protocol !== null) modules.push(protocol);

    const document = await runMachine(request, program.url, protocol?.url, interruption.happened);
    if (document === null) return interruptedStatus;
    printDocument(document, request);
    return document.exitStatus;
  } finally {
    interruption.stop();
    for (const module of modules) await module.dispose();
  }
}

/** Chooses a file for a program that reads one, and tells it what this host's wc calls a word. */
function withDefaultInput(request: RunRequest): RunRequest {
  if (request.program !== 'wordcount') return request;
  let { file, files } = request;
  if (file === null) {
    const path = largestInstalledTextFile(packageRoot);
    if (path === null) throw new UsageError('no text file found; give one: run wordcount -- FILE');
    const fromHere = relative('.', path);
    file = fromHere.startsWith('..') ? path : fromHere;
    files = { ...files, [file]: path };
  }
  const options = { file, words: hostWordRule(), ...(request.args[0] as object) };
  return { ...request, file, files, args: [options] };
}

/** Enough for every page of the files to stay in memory beside the rest. */
function defaultMemoryBytes(files: Readonly<Record<string, string>>): number {
  const fileBytes = Object.values(files).reduce((sum, path) => sum + statSync(path).size, 0);
  let bytes = memoryDefaultBytes;
  while (bytes < 2 * fileBytes && bytes < 2 ** 32) bytes *= 2;
  return bytes;
}

interface Interruption {
  /** Resolves when the user or the time limit ends the run early. */
  readonly happened: Promise<'timeout' | 'interrupt'>;
  stop(): void;
}

function watchForInterruption({ timeoutMs, program }: RunRequest): Interruption {
  const timers: NodeJS.Timeout[] = [];
  let onInterrupt = (): void => {};
  const happened = new Promise<'timeout' | 'interrupt'>((resolve) => {
    // Once only: a second Ctrl-C ends the command the hard way.
    onInterrupt = () => resolve('interrupt');
    process.once('SIGINT', onInterrupt);
    if (timeoutMs === null) return;
    timers.push(setTimeout(() => resolve('timeout'), timeoutMs));
    const giveUp = (): void => {
      console.error(`faultline: ${program} did not end in time, and the machine does not stop`);
      process.exit(1);
    };
    timers.push(setTimeout(giveUp, timeoutMs + stopGraceMs));
  });
  return {
    happened,
    stop: () => {
      process.removeListener('SIGINT', onInterrupt);
      for (const timer of timers) clearTimeout(timer);
    },
  };
}

/** null when the user interrupted the run. */
async function runMachine(
  request: RunRequest,
  program: URL,
  protocol: URL | undefined,
  interruption: Interruption['happened'],
): Promise<RunDocument | null> {
  const output: PrintedLine[] = [];
  const onPrint = (line: string, pid: number): void => {
    if (output.length < outputLinesMax) output.push({ pid, line });
    if (request.json) console.error(line);
    else console.log(line);
  };
  const options = {
    memory: request.memoryBytes ?? defaultMemoryBytes(request.files),
    cpus: request.cpus,
    protocol: protocol?.href ?? request.protocol,
    faults: request.faults,
    checked: request.checked,
    seed: request.seed,
  };
  const files = Object.fromEntries(
    Object.entries(request.files).map(([name, path]) => [name, resolve(path)]),
  );
  const startMs = performance.now();
  const bootOptions: BootOptions = { ...options, files, onPrint };
  const machine = await boot(bootOptions);
  try {
    const name = request.isBuiltin ? request.program : nameOf(request.program);
    const { args, dedicated } = request;
    const root = await machine.spawn(program, { args, name, dedicated });
    const progress = await startProgress(name, machine);
    const ended = await Promise.race([root.wait(), interruption]).finally(progress.stop);
    if (ended === 'interrupt') return null;
    const timedOut = ended === 'timeout';
    const status = timedOut ? await killed(root) : ended;
    const wallMs = performance.now() - startMs;
    const check = checkWords(request, output, root.pid, status);
    return await document(machine, request, { options, output, status, timedOut, wallMs, check });
  } finally {
    await machine.shutdown();
  }
}

function nameOf(path: string): string {
  return relative('.', path).startsWith('..') ? pathToFileURL(path).pathname : relative('.', path);
}

async function killed(process: ProcessHandle): Promise<ExitStatus> {
  await process.kill();
  return process.wait();
}

type Observations = Pick<RunDocument, 'options' | 'status' | 'timedOut' | 'wallMs'> & {
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
  const { options, output, status, timedOut, wallMs, check } = observed;
  const { program, args, timeoutMs } = request;
  const problems = findProblems({ program, status, timedOut, audit, check, timeoutMs });
  return {
    program,
    args,
    options,
    exitStatus: problems.length === 0 ? 0 : 1,
    problems,
    status,
    timedOut,
    wallMs,
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
  if (!('code' in status) || status.code !== 0) return null;
  const last = output.filter((printed) => printed.pid === pid).at(-1);
  const words = /^(\d+) /.exec(last?.line ?? '')?.[1];
  return compareWithWc(path, words === undefined ? null : Number(words));
}

function printDocument(document: RunDocument, { json }: RunRequest): void {
  if (json) console.log(JSON.stringify(document, null, 2));
  else {
    const { check } = document.result;
    if (check?.agrees === true) console.log('agrees with wc -w');
    if (check?.agrees === null) console.log('not compared: this host has no wc');
    console.log(`\n${formatReport(document)}`);
  }
  for (const problem of document.problems) console.error(`faultline: ${problem}`);
}
