/** What the user asked `faultline run` to do: command line in, checked request out. */
import {
  FLUSH_POLICIES,
  INJECT_KINDS,
  PROTOCOL_NAMES,
  RECLAIM_POLICY_NAMES,
  parseInjection,
} from '../kernel/index.ts';
import type { FlushPolicy } from '../kernel/index.ts';
import { FRAMES_MAX, FRAMES_MIN, PAGE_SIZE, SWAP_SLOTS_MAX } from '../shared/limits.ts';
import type { FaultMode } from '../workers/api/machine-api.ts';
import {
  builtinProgram,
  builtinPrograms,
  optionTable,
  parseBuiltinArguments,
} from './builtin-programs.ts';
import { requireModule, requireReadable, unreadableReason } from './load-module.ts';
import type { OptionTable, ParsedOptions } from './options.ts';
import { describeOptions, parseOptions } from './options.ts';
import { parseInteger, parseSecondsMs, parseSizeBytes, suggest, UsageError } from './usage.ts';

/** CPUs that a user may ask for; the machine keeps more for dedicated Workers. */
const poolCpusMax = 32;
const timeoutSecondsMax = 86_400;
const protocols: readonly string[] = PROTOCOL_NAMES;
const policies: readonly string[] = FLUSH_POLICIES;
const reclaims: readonly string[] = RECLAIM_POLICY_NAMES;

const runOptions: OptionTable = {
  cpus: { value: 'N', help: 'CPU Workers, 1 to 32 (2)' },
  memory: { value: 'SIZE', help: 'simulated memory, 1MiB to 4GiB (64MiB)' },
  protocol: { value: 'NAME|FILE', help: `locking: ${protocols.join(', ')}, or a module (rcu)` },
  faults: { value: 'MODE', help: 'where page faults are resolved: local or remote (local)' },
  shootdown: { value: 'POLICY', help: `TLB flushes: ${policies.join(', ')} (batched)` },
  swap: { value: 'SIZE', help: 'swap store, 0 to 16GiB (four times the files, 64MiB at least)' },
  limit: { value: 'SIZE', help: 'memory that the program and its children may have (no limit)' },
  reclaim: { value: 'NAME|FILE', help: `who is swapped out: ${reclaims.join(', ')} (clock)` },
  inject: { value: 'KIND=N|P%', help: `make it fail: ${INJECT_KINDS.join(', ')}; repeatable` },
  seed: { value: 'N', help: 'seed of all randomness, 0 to 4294967295 (1)' },
  timeout: { value: 'SECONDS', help: 'give up after this long (never)' },
  processes: { value: 'N', help: 'child processes of wordcount, matmul and grind (4)' },
  file: { value: 'NAME=PATH', help: 'let programs open PATH as NAME; may be repeated' },
  dedicated: { help: 'run the program in a Worker of its own' },
  checked: { help: 'poison freed frames and check more invariants' },
  dmesg: { help: 'print the boot and fault log' },
  json: { help: 'print one JSON document on stdout, all else on stderr' },
  help: { short: 'h', help: 'print this' },
};

export interface RunRequest {
  readonly program: string;
  readonly isBuiltin: boolean;
  /** Handed to a user's program as they are; a built-in gets one object of options. */
  readonly args: readonly unknown[];
  /** The file of a program that takes one; null lets `run` choose. */
  readonly file: string | null;
  readonly files: Readonly<Record<string, string>>;
  /** null lets `run` choose by the file's size. */
  readonly memoryBytes: number | null;
  readonly cpus: number;
  readonly protocol: string;
  readonly faults: FaultMode;
  readonly shootdown: FlushPolicy;
  /** null lets `run` choose by the files' size. */
  readonly swapBytes: number | null;
  /** Of the program's memory group; null for none. */
  readonly limitBytes: number | null;
  readonly reclaim: string;
  /** Kind to the operation, or the share of all, that fails. */
  readonly inject: Readonly<Record<string, string>>;
  readonly seed: number;
  readonly timeoutMs: number | null;
  readonly dedicated: boolean;
  readonly checked: boolean;
  readonly dmesg: boolean;
  readonly json: boolean;
}

function runHelp(): string {
  const programs = Object.entries(builtinPrograms).map(([name, { summary }]) => {
    return `  ${name.padEnd(9)}  ${summary}`;
  });
  return `Usage: faultline run PROGRAM [options] [-- arguments]

Runs a built-in program, or a module file (.js .mjs .ts .mts) whose default export is a program.

Built-in programs (faultline run NAME --help lists what each takes after --):
${programs.join('\n')}

Options (default):
${describeOptions(runOptions)}

Exit status: 0 success, 1 the program failed or the audit found a violation, 2 bad usage.`;
}

function builtinHelp(name: string): string {
  const program = builtinProgram(name);
  if (program === undefined) return runHelp();
  const { takes } = program;
  const file = program.takesFile
    ? ' [FILE]'
    : takes === undefined
      ? ''
      : ` [${takes.toUpperCase()}]`;
  const options = describeOptions(optionTable(program));
  const usage = `Usage: faultline run ${name} [options] -- [its options]${file}`;
  return `${usage}\n\n${name}: ${program.summary}.${options === '' ? '' : `\n\n${options}`}`;
}

/** The request, or the help text that was asked for instead. Throws UsageError. */
export function parseRun(args: readonly string[]): RunRequest | string {
  const parsed = parseOptions(args, runOptions, 'faultline run');
  const [program, ...others] = parsed.positionals;
  if (parsed.switches.has('help')) return program === undefined ? runHelp() : builtinHelp(program);
  if (program === undefined) {
    throw new UsageError('run needs a program, such as: faultline run hello');
  }
  // A built-in's file may stand without `--`, so that `npm start -- FILE` works.
  if (others.length > 0 && builtinProgram(program) === undefined) {
    throw new UsageError(`arguments of the program go after --: faultline run ${program} -- …`);
  }
  const last = (name: string): string | undefined => parsed.values.get(name)?.at(-1);
  const read = <T>(name: string, absent: T, parse: (text: string) => T): T => {
    const text = last(name);
    return text === undefined ? absent : parse(text);
  };
  const memory = (text: string): number =>
    parseSizeBytes('--memory', text, FRAMES_MIN * PAGE_SIZE, FRAMES_MAX * PAGE_SIZE);
  return {
    program,
    ...parseProgram(program, parsed),
    memoryBytes: read('memory', null, memory),
    cpus: read('cpus', 2, (text) => parseInteger('--cpus', text, 1, poolCpusMax)),
    protocol: read('protocol', 'rcu', parseProtocol),
    shootdown: read('shootdown', 'batched', parsePolicy),
    inject: parseInject(parsed.values.get('inject') ?? []),
    swapBytes: read('swap', null, (text) =>
      parseSizeBytes('--swap', text, 0, SWAP_SLOTS_MAX * PAGE_SIZE),
    ),
    limitBytes: read('limit', null, (text) =>
      parseSizeBytes('--limit', text, PAGE_SIZE, FRAMES_MAX * PAGE_SIZE),
    ),
    reclaim: read('reclaim', 'clock', (text) => parsePart('reclaim policy', text, reclaims)),
    faults: read('faults', 'local', parseFaults),
    seed: read('seed', 1, (text) => parseInteger('--seed', text, 0, 2 ** 32 - 1)),
    timeoutMs: read<number | null>('timeout', null, (text) =>
      parseSecondsMs('--timeout', text, timeoutSecondsMax),
    ),
    dedicated: parsed.switches.has('dedicated'),
    checked: parsed.switches.has('checked'),
    dmesg: parsed.switches.has('dmesg'),
    json: parsed.switches.has('json'),
  };
}

function parseProgram(
  program: string,
  parsed: ParsedOptions,
): Pick<RunRequest, 'isBuiltin' | 'args' | 'file' | 'files'> {
  const rest = [...parsed.positionals.slice(1), ...(parsed.rest ?? [])];
  const files = parseFiles(parsed.values.get('file') ?? []);
  const processes = parsed.values.get('processes')?.at(-1);
  const builtin = builtinProgram(program);
  if (builtin === undefined) {
    requireModule(program);
    if (processes !== undefined) {
      throw new UsageError('--processes is for built-in programs; give yours arguments after --');
    }
    // So that a program can open what its arguments name, as in a shell.
    for (const word of rest) if (unreadableReason(word) === null) files[word] ??= word;
    return { isBuiltin: false, args: rest, file: null, files };
  }
  if (processes !== undefined && !Object.hasOwn(builtin.options, 'processes')) {
    throw new UsageError(`${program} takes no --processes; see faultline run ${program} --help`);
  }
  const words = processes === undefined ? rest : ['--processes', processes, ...rest];
  const { options, file } = parseBuiltinArguments(program, builtin, words);
  if (file !== null && !Object.hasOwn(files, file)) {
    requireReadable(file);
    files[file] = file;
  }
  return { isBuiltin: true, args: [options], file, files };
}

function parseFiles(given: readonly string[]): Record<string, string> {
  const files: Record<string, string> = {};
  for (const text of given) {
    const [, name, path] = /^([^=]+)=(.+)$/.exec(text) ?? [];
    if (name === undefined || path === undefined) {
      throw new UsageError(`--file must look like NAME=PATH, got '${text}'`);
    }
    requireReadable(path);
    files[name] = path;
  }
  return files;
}

function parseInject(given: readonly string[]): Record<string, string> {
  const inject: Record<string, string> = {};
  for (const text of given) {
    const [, name, value = ''] = /^([^=]+)=(.+)$/.exec(text) ?? [];
    const kind = INJECT_KINDS.find((known) => known === name);
    if (kind === undefined || parseInjection(kind, value) === null) {
      const kinds = INJECT_KINDS.join(', ');
      throw new UsageError(
        `--inject must look like frame=100 or read=2%, with one of ${kinds}, got '${text}'`,
      );
    }
    inject[kind] = value;
  }
  return inject;
}

export function parseProtocol(text: string): string {
  return parsePart('protocol', text, protocols);
}

/** The name of a built-in part of the machine, or the path of a module that exists. */
function parsePart(what: string, text: string, builtIn: readonly string[]): string {
  if (builtIn.includes(text)) return text;
  if (!/[\\/]|\.m?[jt]s$/.test(text)) {
    const hint = suggest(text, builtIn) || `; built-in: ${builtIn.join(', ')}`;
    throw new UsageError(`no ${what} is called '${text}'${hint}`);
  }
  requireModule(text);
  return text;
}

function parseFaults(text: string): FaultMode {
  if (text === 'local' || text === 'remote') return text;
  throw new UsageError(`--faults must be local or remote, got '${text}'`);
}

function parsePolicy(text: string): FlushPolicy {
  const policy = FLUSH_POLICIES.find((name) => name === text);
  if (policy !== undefined) return policy;
  throw new UsageError(`--shootdown must be ${policies.join(', ')}, got '${text}'`);
}
