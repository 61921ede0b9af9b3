/**
 * `faultline run`: what the user asked for, done and reported. With --json one document and nothing
 * else goes to stdout, also when the program could not be started.
 */
import { extname, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { largestInstalledTextFile } from './largest-text-file.ts';
import type { LoadedModule } from './bundle-module.ts';
import { watchInterruption } from './interruption.ts';
import { builtinModule, loadModule } from './load-module.ts';
import { loadPart } from './load-part.ts';
import type { PartKind } from './load-part.ts';
import { formatReport } from './run-report.ts';
import type { RunDocument } from './run-document.ts';
import { runMachine } from './run-machine.ts';
import type { RunRequest } from './run-request.ts';
import { parseRun } from './run-request.ts';
import { UsageError } from './usage-error.ts';
import { hostWordRule } from './wc.ts';

/** How long after --timeout the machine may take to stop before the command ends without it. */
const stopGraceMs = 10_000;
const packageRoot = fileURLToPath(new URL('..', import.meta.url)).replace(/[\\/]$/, '');

/** Returns the exit status. */
export async function run(args: readonly string[]): Promise<number> {
  const parsed = parseRun(args);
  if (typeof parsed === 'string') {
    console.log(parsed);
    return 0;
  }
  const request = withDefaultInput(parsed);
  const cut = watchForCut(request);
  try {
    const document = await runModules(request, cut.happened);
    printDocument(document, request);
    return document.exitStatus;
  } catch (error) {
    // Nothing ran: the line on stderr says why, and --json must not leave stdout empty.
    const problems = [error instanceof Error ? error.message : String(error)];
    const { program } = request;
    if (request.json) console.log(JSON.stringify({ program, exitStatus: 1, problems }, null, 2));
    throw error;
  } finally {
    cut.stop();
  }
}

async function runModules(request: RunRequest, cut: Cut['happened']): Promise<RunDocument> {
  const loaded: LoadedModule[] = [];
  const load = async (loading: Promise<LoadedModule>): Promise<URL> => {
    const module = await loading;
    loaded.push(module);
    return module.url;
  };
  try {
    const program = request.isBuiltin
      ? builtinModule(request.program)
      : await load(loadModule(request.program));
    const part = async (what: PartKind, name: string): Promise<string> =>
      extname(name) === '' ? name : (await load(loadPart(what, name))).href;
    const protocol = await part('protocol', request.protocol);
    const reclaim = await part('reclaim policy', request.reclaim);
    return await runMachine(request, { program, protocol, reclaim }, cut);
  } finally {
    for (const module of loaded) await module.dispose();
  }
}

/** Chooses a file for a program that reads one, and tells it what this host's wc calls a word. */
function withDefaultInput(request: RunRequest): RunRequest {
  if (request.program === 'sort') return withSortInput(request);
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

/** Its output is the sorted file, so choosing a file for the user would surprise. */
function withSortInput(request: RunRequest): RunRequest {
  const { file } = request;
  if (file === null) throw new UsageError('sort needs a file: faultline run sort -- FILE');
  return { ...request, args: [{ file, ...(request.args[0] as object) }] };
}

interface Cut {
  /** Resolves when the user or the time limit ends the run early. */
  readonly happened: Promise<'timeout' | 'interrupt'>;
  stop(): void;
}

function watchForCut({ timeoutMs, program }: RunRequest): Cut {
  const timers: NodeJS.Timeout[] = [];
  const interruption = watchInterruption();
  const happened = new Promise<'timeout' | 'interrupt'>((resolve) => {
    interruption.signal.addEventListener('abort', () => resolve('interrupt'));
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
      interruption.stop();
      for (const timer of timers) clearTimeout(timer);
    },
  };
}

function printDocument(document: RunDocument, { json, all, quiet }: RunRequest): void {
  if (json) console.log(JSON.stringify(document, null, 2));
  else {
    const { check } = document.result;
    if (check?.agrees === true) console.log('agrees with wc -w');
    if (check?.agrees === null) console.log('not compared: this host has no wc');
    // What sort writes is data, so the report goes elsewhere.
    const report = document.program === 'sort' ? console.error : console.log;
    if (!quiet) report(`\n${formatReport(document, { all })}`);
  }
  for (const problem of document.problems) console.error(`faultline: ${problem}`);
}
