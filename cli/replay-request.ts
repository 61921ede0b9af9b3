/** What the user asked `faultline replay` to do: command line in, checked request out. */
import { readFileSync, statSync } from 'node:fs';
import { PROTOCOL_NAMES } from '../kernel/index.ts';
import type { LockingProtocolName } from '../kernel/index.ts';
import { FRAMES_MAX, PAGE_SIZE } from '../shared/limits.ts';
import { parseMaps } from '../lab/difftest/maps-text.ts';
import type { MapsLine } from '../lab/difftest/maps-text.ts';
import { isMapsLine } from '../lab/replay/strace/recording-marks.ts';
import { INTERRUPTED_HELP } from './interruption.ts';
import { HELP_OPTION, JSON_OPTION, describeOptions, parseOptions } from './options.ts';
import type { OptionTable } from './options.ts';
import { UsageError, parseInteger } from './usage-error.ts';

const memoryDefault = 2 ** 30;
const memoryMin = 2 ** 20;

const replayOptions: OptionTable = {
  native: { help: 'let the machine choose addresses, and compare the choice' },
  touch: { help: 'touch the pages that reads and writes of the recording show' },
  maps: { help: 'print the areas of each process at its end' },
  'check-maps': { value: 'FILE', help: 'what /proc/PID/maps of the first process was at its end' },
  'stop-at': { value: 'LINE', help: 'replay to this line, and report' },
  memory: { value: 'SIZE', help: 'simulated memory, 1MiB to 4GiB (1GiB)' },
  protocol: { value: 'NAME', help: `locking: ${PROTOCOL_NAMES.join(', ')} (rcu)` },
  checked: { help: 'poison freed frames and assert more; slower' },
  all: { help: 'print all differences and processes that are kept, not the first 20' },
  json: JSON_OPTION,
  help: HELP_OPTION,
};

export interface ReplayRequest {
  readonly files: readonly string[];
  readonly native: boolean;
  readonly touch: boolean;
  readonly maps: boolean;
  readonly checkMaps: readonly MapsLine[] | null;
  readonly stopAt: number;
  readonly memoryBytes: number;
  readonly protocol: LockingProtocolName;
  readonly checked: boolean;
  readonly all: boolean;
  readonly json: boolean;
}

function replayHelp(): string {
  return `Usage: faultline replay FILE… [options]

Replays recordings of real programs: what strace has printed (by faultline record, or by hand, with
or without -f, -ttt, -T and -y), valgrind's lackey, or perf about page faults; compressed by gzip or
not. Each memory call is carried out on a simulated machine and its result compared.

Options (default):
${describeOptions(replayOptions)}

Examples:
  faultline replay python.strace.gz --native
  strace -f -o ls.txt ls; faultline replay ls.txt
  valgrind --tool=lackey --trace-mem=yes --log-file=ls.lk ls; faultline replay ls.lk

Exit status: 0 all is equal, 1 a difference or a violation, 2 bad usage or no recording.
${INTERRUPTED_HELP}`;
}

/** The request, or the help text that was asked for instead. Throws UsageError. */
export function parseReplay(args: readonly string[]): ReplayRequest | string {
  const parsed = parseOptions(args, replayOptions, 'faultline replay');
  if (parsed.has('help')) return replayHelp();
  const files = [...parsed.positionals, ...(parsed.rest ?? [])];
  if (files.length === 0) {
    throw new UsageError('replay what? faultline replay FILE; faultline record makes one');
  }
  for (const file of files) requireFile(file);
  return {
    files,
    native: parsed.has('native'),
    touch: parsed.has('touch'),
    maps: parsed.has('maps'),
    checkMaps: parsed.read('check-maps', null, readMaps),
    stopAt: parsed.read('stop-at', Infinity, (text) => {
      return parseInteger('--stop-at', text, 1, Number.MAX_SAFE_INTEGER);
    }),
    memoryBytes: parsed.bytes('memory', memoryDefault, memoryMin, FRAMES_MAX * PAGE_SIZE),
    protocol: parsed.choice('protocol', 'rcu', PROTOCOL_NAMES),
    checked: parsed.has('checked'),
    all: parsed.has('all'),
    json: parsed.has('json'),
  };
}

function requireFile(path: string): void {
  let isFile: boolean;
  try {
    isFile = !statSync(path).isDirectory();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new UsageError(`'${path}' cannot be read (${code ?? String(error)})`);
  }
  if (!isFile) throw new UsageError(`'${path}' is a directory`);
}

/** Areas as /proc/PID/maps has them. */
function readMaps(path: string): readonly MapsLine[] {
  requireFile(path);
  const lines = readFileSync(path, 'utf8').split('\n').filter(isMapsLine);
  if (lines.length === 0) throw new UsageError(`--check-maps: '${path}' has no line of areas`);
  return parseMaps(`${lines.join('\n')}\n`);
}
