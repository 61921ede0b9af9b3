/** What the user asked `faultline run` to do: command line in, checked request out. */
import {
  FLUSH_POLICIES,
  INJECT_KINDS,
  RECLAIM_POLICY_NAMES,
  parseInjection,
} from '../kernel/index.ts';
import type { FlushPolicy } from '../kernel/index.ts';
import { FRAMES_MAX, FRAMES_MIN, PAGE_SIZE } from '../shared/limits.ts';
import { FAULT_MODES } from '../shared/wire.ts';
import type { FaultMode } from '../shared/wire.ts';
import {
  builtinProgram,
  builtinPrograms,
  optionTable,
  parseBuiltinArguments,
} from './builtin-programs.ts';
import { INTERRUPTED_HELP } from './interruption.ts';
import { requireModule, requireReadable, unreadableReason } from './load-module.ts';
import { parsePart, parseProtocol, protocolOption, shootdownOption } from './machine-options.ts';
import {
  HELP_OPTION,
  JSON_OPTION,
  cpusOption,
  seedOption,
  describeOptions,
  parseOptions,
} from './options.ts';
import type { OptionTable, ParsedOptions } from './options.ts';
import { PROCESS_ROWS_MAX } from './process-table.ts';
import { UsageError } from './usage-error.ts';

const cpusDefault = 2;
const timeoutSecondsMax = 86_400;
/** A page more than the store can hold: a round figure, of which `run` takes what there is. */
const swapMaxBytes = 16 * 2 ** 30;
const reclaims: readonly string[] = RECLAIM_POLICY_NAMES;
const faultModes: string = FAULT_MODES.join(' or ');

const runOptions: OptionTable = {
  cpus: cpusOption(cpusDefault),
  memory: { value: 'SIZE', help: 'simulated memory, 1MiB to 4GiB (64MiB)' },
  protocol: protocolOption('NAME|FILE', 'or a module'),
  shootdown: shootdownOption(''),
  faults: { value: 'MODE', help: `where page faults are resolved: ${faultModes} (local)` },
  swap: { value: 'SIZE', help: 'swap store, 0 to 16GiB (four times the files, 64MiB at least)' },
  limit: { value: 'SIZE', help: 'memory that the program and its children may have (no limit)' },
  reclaim: { value: 'NAME|FILE', help: `who is swapped out: ${reclaims.join(', ')} (clock)` },
  inject: {
    value: 'KIND=N|P%',
    help: `make it fail: ${INJECT_KINDS.join(', ')}; each once`,
    repeatable: true,
  },
  seed: seedOption('all randomness'),
  timeout: { value: 'SECONDS', help: 'give up after this long (never)' },
  processes: { value: 'N', help: 'child processes of wordcount, matmul and grind (4)' },
  file: {
    value: 'NAME=PATH',
    help: 'let programs open PATH as NAME; may be repeated',
    repeatable: true,
  },
  dedicated: { help: 'run the program in a Worker of its own' },
  unprivileged: { help: 'without capabilities: limits on locked memory count (as root)' },
  checked: { help: 'poison freed frames and check more invariants' },
  dmesg: { help: 'print the boot and fault log' },
  all: { help: `all processes in the report, not just ${PROCESS_ROWS_MAX}` },
  quiet: { help: 'print no report: only what the program prints, and what failed' },
  json: JSON_OPTION,
  help: HELP_OPTION,
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
  /** Without capabilities. */
  readonly unprivileged: boolean;
  readonly checked: boolean;
  readonly dmesg: boolean;
  /** Every process has its row in the report. */
  readonly all: boolean;
  readonly quiet: boolean;
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

Exit status: 0 success, 1 the program failed or the audit found a violation, 2 bad usage.
${INTERRUPTED_HELP}`;
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
  const its = options === '' ? file : ` -- [its options]${file}`;
  const usage = `Usage: faultline run ${name} [options]${its}`;
  return `${usage}\n\n${name}: ${program.summary}.${options === '' ? '' : `\n\n${options}`}`;
}

/** The request, or the help text that was asked for instead. Throws UsageError. */
export function parseRun(args: readonly string[]): RunRequest | string {
  const parsed = parseOptions(args, runOptions, 'faultline run');
  const [program, ...others] = parsed.positionals;
  const isBuiltin = program !== undefined && builtinProgram(program) !== undefined;
  const asksProgram = isBuiltin && parsed.rest?.some((word) => /^(--help|-h)$/.test(word)) === true;
  if (parsed.has('help') || asksProgram) {
    return program === undefined ? runHelp() : builtinHelp(program);
  }
  if (program === undefined) {
    throw new UsageError('run needs a program, such as: faultline run hello');
  }
  // A built-in's file may stand without `--`, so that `npm start -- FILE` works.
  if (others.length > 0 && !isBuiltin) {
    throw new UsageError(`arguments of the program go after --: faultline run ${program} -- …`);
  }
  return {
    program,
    ...parseProgram(program, parsed),
    memoryBytes: parsed.bytes('memory', null, FRAMES_MIN * PAGE_SIZE, FRAMES_MAX * PAGE_SIZE),
    cpus: parsed.cpus(cpusDefault),
    protocol: parsed.read('protocol', 'rcu', parseProtocol),
    shootdown: parsed.choice('shootdown', 'batched', FLUSH_POLICIES),
    inject: parseInject(parsed.all('inject')),
    swapBytes: parsed.bytes('swap', null, 0, swapMaxBytes),
    limitBytes: parsed.bytes('limit', null, PAGE_SIZE, FRAMES_MAX * PAGE_SIZE),
    reclaim: parsed.read('reclaim', 'clock', (text) => parsePart('reclaim policy', text, reclaims)),
    faults: parsed.choice('faults', 'local', FAULT_MODES, faultModes),
    seed: parsed.seed(),
    timeoutMs: parsed.milliseconds('timeout', null, timeoutSecondsMax),
    dedicated: parsed.has('dedicated'),
    unprivileged: parsed.has('unprivileged'),
    checked: parsed.has('checked'),
    dmesg: parsed.has('dmesg'),
    all: parsed.has('all'),
    quiet: parsed.has('quiet'),
    json: parsed.has('json'),
  };
}

function parseProgram(
  program: string,
  parsed: ParsedOptions,
): Pick<RunRequest, 'isBuiltin' | 'args' | 'file' | 'files'> {
  const rest = [...parsed.positionals.slice(1), ...(parsed.rest ?? [])];
  const files = parseFiles(parsed.all('file'));
  const processes = parsed.one('processes');
  const builtin = builtinProgram(program);
  if (builtin === undefined) {
    requireModule(program);
    if (processes !== null) {
      throw new UsageError('--processes is for built-in programs; give yours arguments after --');
    }
    // So that a program can open what its arguments name, as in a shell.
    for (const word of rest) if (unreadableReason(word) === null) files[word] ??= word;
    return { isBuiltin: false, args: rest, file: null, files };
  }
  if (processes !== null && !Object.hasOwn(builtin.options, 'processes')) {
    throw new UsageError(`${program} takes no --processes; see faultline run ${program} --help`);
  }
  const words = processes === null ? rest : ['--processes', processes, ...rest];
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
    if (Object.hasOwn(files, name)) throw new UsageError(`--file gives '${name}' twice`);
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
    if (inject[kind] !== undefined) throw new UsageError(`--inject gives '${kind}' twice`);
    inject[kind] = value;
  }
  return inject;
}
