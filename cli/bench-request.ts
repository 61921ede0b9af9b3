/** What the user asked `faultline bench` to do: command line in, checked request out. */
import { availableParallelism } from 'node:os';
import { extname } from 'node:path';
import { PROTOCOL_NAMES } from '../kernel/index.ts';
import { BENCHMARKS, MISSING, SUITES } from '../lab/bench/benchmarks.ts';
import type { Contention, SuiteName } from '../lab/bench/benchmarks.ts';
import { BENCH_CPUS_MAX } from '../lab/bench/control.ts';
import { MISSING_ROWS, ROWS } from '../lab/bench/floors/rows.ts';
import type { BenchOptions } from '../lab/bench/results.ts';
import { framesNeeded } from '../lab/bench/stage.ts';
import { FRAMES_MAX, PAGE_SIZE } from '../shared/limits.ts';
import { requireModule } from './load-module.ts';
import { floorOptions } from './bench-floors-request.ts';
import type { OptionTable, ParsedOptions } from './options.ts';
import { describeOptions, parseOptions } from './options.ts';
import { parseInteger, parseSizeBytes, suggest, UsageError } from './usage-error.ts';

const contentions: readonly Contention[] = ['low', 'high'];
const protocols: readonly string[] = PROTOCOL_NAMES;
const runsDefault = 256;
const repeatDefault = 5;
const warmUpDefaultMs = 400;
const countMax = 1_000_000;
/** CPUs measured by default: powers of two up to the host's cores, and no more than these. */
const cpusDefaultMax = 16;

const benchOptions: OptionTable = {
  suite: { value: 'LIST', help: `of ${SUITES.join(', ')}; or floors, the table` },
  benchmark: { value: 'LIST', help: "of the suites' benchmarks (all)" },
  contention: { value: 'LIST', help: 'low, high: for cortenmm (low,high)' },
  cpus: { value: 'LIST', help: `1 to ${BENCH_CPUS_MAX} (powers of two up to the host's cores)` },
  protocol: { value: 'LIST', help: `of ${protocols.join(', ')}, or modules (all built-in)` },
  runs: {
    value: 'N',
    help: `thread runs of a cortenmm repetition; published: 4096 (${runsDefault})`,
  },
  iterations: { value: 'N', help: "iterations of other suites' loops (each benchmark's own)" },
  region: { value: 'SIZE', help: 'region of will-it-scale (128MiB, as published)' },
  'double-strides': { help: 'keep threads in leaf tables of their own, as with 512 entries' },
  repeat: { value: 'N', help: `repetitions, interleaved between protocols (${repeatDefault})` },
  'warm-up': { value: 'MS', help: `for each protocol and benchmark first (${warmUpDefaultMs})` },
  'no-count': { help: 'leave out the pass that counts shared-word writes' },
  'no-pin': { help: 'do not pin threads to host CPUs with taskset' },
  seed: { value: 'N', help: 'seed of all randomness, 0 to 4294967295 (1)' },
  csv: { value: 'FILE', help: 'write a line for each result' },
  html: { value: 'FILE', help: 'write charts; opens without a network' },
  json: { help: 'print one JSON document on stdout, all else on stderr' },
  list: { help: 'print the benchmarks, and what is missing and why' },
  help: { short: 'h', help: 'print this' },
};

export interface BenchRequest {
  readonly options: BenchOptions;
  /** Built-in names and module files, in the order to show them. */
  readonly protocols: readonly string[];
  readonly csv: string | null;
  readonly html: string | null;
  readonly json: boolean;
}

/** Options that both kinds have, so that they alone do not ask for a published suite. */
const commonOptions: readonly string[] = ['repeat', 'no-pin', 'json', 'help', 'list'];

/**
 * Whether the table of floors is meant: `--suite floors`, or nothing that only the published suites
 * have. Help and list are one text for both.
 */
export function asksForFloors(args: readonly string[]): boolean {
  const names = args.map((arg) => /^--([a-z-]+)/.exec(arg)?.[1] ?? '');
  if (args.includes('-h') || names.includes('help') || names.includes('list')) return false;
  const suite = args[names.lastIndexOf('suite') + 1];
  if (names.includes('suite')) return suite === 'floors' || args.includes('--suite=floors');
  return !Object.keys(benchOptions).some(
    (name) => !commonOptions.includes(name) && names.includes(name),
  );
}

/** The request, or the text that was asked for instead. Throws UsageError. */
export function parseBench(args: readonly string[]): BenchRequest | string {
  const parsed = parseOptions(args, benchOptions, 'faultline bench');
  if (parsed.switches.has('help')) return benchHelp();
  if (parsed.switches.has('list')) return benchList();
  const [extra] = [...parsed.positionals, ...(parsed.rest ?? [])];
  if (extra !== undefined) {
    throw new UsageError(`bench takes options only, not '${extra}'; see faultline bench --help`);
  }
  const options = parseBenchOptions(parsed);
  const last = (name: string): string | null => parsed.values.get(name)?.at(-1) ?? null;
  return {
    options,
    protocols: listOf(parsed, 'protocol')?.map(parseProtocol) ?? protocols,
    csv: last('csv'),
    html: last('html'),
    json: parsed.switches.has('json'),
  };
}

function parseBenchOptions(parsed: ParsedOptions): BenchOptions {
  const integer = (name: string, absent: number, min: number, max: number): number => {
    const text = parsed.values.get(name)?.at(-1);
    return text === undefined ? absent : parseInteger(`--${name}`, text, min, max);
  };
  const suites = chosen<SuiteName>(parsed, 'suite', SUITES) ?? ['cortenmm'];
  const names = BENCHMARKS.filter(({ suite }) => suites.includes(suite)).map(({ name }) => name);
  const cpus = listOf(parsed, 'cpus')?.map((text) =>
    parseInteger('--cpus', text, 1, BENCH_CPUS_MAX),
  );
  const iterations = integer('iterations', 0, 1, countMax);
  const region = parsed.values.get('region')?.at(-1) ?? '128MiB';
  const options: BenchOptions = {
    suites,
    benchmarks: chosen(parsed, 'benchmark', names) ?? [],
    contentions: chosen<Contention>(parsed, 'contention', contentions) ?? contentions,
    cpus: [...new Set(cpus ?? defaultCpus())].sort((a, b) => a - b),
    runs: integer('runs', runsDefault, 1, countMax),
    repeat: integer('repeat', repeatDefault, 1, countMax),
    warmUpMs: integer('warm-up', warmUpDefaultMs, 0, countMax),
    iterations: iterations === 0 ? null : iterations,
    regionBytes: parseSizeBytes('--region', region, PAGE_SIZE, FRAMES_MAX * PAGE_SIZE),
    doubledStrides: parsed.switches.has('double-strides'),
    count: !parsed.switches.has('no-count'),
    pin: !parsed.switches.has('no-pin'),
    seed: integer('seed', 1, 0, 2 ** 32 - 1),
  };
  requireMemory(options);
  return options;
}

function requireMemory({ suites, cpus, regionBytes }: BenchOptions): void {
  if (regionBytes % PAGE_SIZE !== 0) throw new UsageError('--region must be whole pages of 4KiB');
  const threads = Math.max(...cpus);
  if (!suites.includes('will-it-scale') || framesNeeded(threads, regionBytes) <= FRAMES_MAX) return;
  throw new UsageError(
    `${threads} CPUs with a region and a file each exceed 4GiB; choose a smaller --region`,
  );
}

function defaultCpus(): number[] {
  const cpus: number[] = [];
  const limit = Math.min(availableParallelism(), cpusDefaultMax);
  for (let count = 1; count <= limit; count *= 2) cpus.push(count);
  return cpus;
}

/** The words of a comma-separated option that may be repeated; undefined when it is absent. */
function listOf(parsed: ParsedOptions, name: string): string[] | undefined {
  const values = parsed.values.get(name);
  if (values === undefined) return undefined;
  const words = values.flatMap((value) => value.split(',')).map((word) => word.trim());
  return [...new Set(words.filter((word) => word !== ''))];
}

function chosen<T extends string>(
  parsed: ParsedOptions,
  name: string,
  known: readonly T[],
): T[] | undefined {
  const words = listOf(parsed, name);
  const isKnown = (word: string): word is T => (known as readonly string[]).includes(word);
  if (words?.length === 0) throw new UsageError(`--${name} needs one of ${known.join(', ')}`);
  const wrong = words?.find((word) => !isKnown(word));
  if (wrong !== undefined) {
    const hint = suggest(wrong, known) || `; known: ${known.join(', ')}`;
    throw new UsageError(`no ${name} is called '${wrong}'${hint}`);
  }
  return words?.filter(isKnown);
}

function parseProtocol(text: string): string {
  if (protocols.includes(text)) return text;
  if (!/[\\/]/.test(text) && extname(text) === '') {
    const hint = suggest(text, protocols) || `; built-in: ${protocols.join(', ')}`;
    throw new UsageError(`no protocol is called '${text}'${hint}`);
  }
  requireModule(text);
  return text;
}

function benchHelp(): string {
  return `Usage: faultline bench [options]                  the table: each figure over its floor
       faultline bench --suite LIST [options]     published microbenchmarks

The table measures what Faultline exists for, as ratios against floors of the same run: the host's
own faults, raw typed arrays, a bare mailbox, a bare comlink echo.
${describeOptions(floorOptions)}

The suites run published microbenchmarks of memory management on every locking protocol and report
latency, throughput and what the threads shared. Each CPU is a Worker; all run in one address space.
Without --suite, any option that only they have chooses cortenmm. A LIST is separated by commas.
${describeOptions(benchOptions)}

Exit status: 0 success, 1 an audit found a violation, 2 bad usage. docs/bench.md says what each
benchmark measures and what a result of this host can tell.`;
}

function benchList(): string {
  const table = ROWS.map(({ name, what, floor }) => `  ${name.padEnd(18)}  ${what} / ${floor}`);
  const planned = MISSING_ROWS.map(({ name, why }) => `  ${name}: ${why}`);
  const suites = SUITES.map((suite) => {
    const own = BENCHMARKS.filter((benchmark) => benchmark.suite === suite);
    const lines = own.map(({ name, summary }) => `  ${name.padEnd(14)}  ${summary}`);
    return [suite, ...lines].join('\n');
  });
  const missing = [...planned, ...MISSING.map(({ names, why }) => `  ${names}: ${why}`)];
  const groups = [['floors (rows)', ...table].join('\n'), ...suites];
  return [...groups, ['Missing', ...missing].join('\n')].join('\n\n');
}
