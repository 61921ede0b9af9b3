/** What the user asked `faultline bench` to do: command line in, checked request out. */
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { PROTOCOL_NAMES } from '../kernel/index.ts';
import type { BenchDocument, BenchOptions } from '../lab/bench/document.ts';
import { MISSING } from '../lab/bench/protocols/benchmarks.ts';
import type { Contention } from '../lab/bench/protocols/benchmarks.ts';
import { BENCH_CPUS_MAX } from '../lab/bench/protocols/control-words.ts';
import { framesNeeded } from '../lab/bench/protocols/testbed.ts';
import type { SuiteName } from '../lab/bench/row.ts';
import { LISTED, SUITES, isProtocolSuite } from '../lab/bench/suites.ts';
import { FRAMES_MAX, PAGE_SIZE } from '../shared/limits.ts';
import type { OptionTable, ParsedOptions } from './options.ts';
import { HELP_OPTION, JSON_OPTION, describeOptions, parseOptions, seedOption } from './options.ts';
import { INTERRUPTED_HELP } from './interruption.ts';
import { parseProtocol } from './machine-options.ts';
import { requireWritable } from './output-file.ts';
import { parseInteger, suggest, UsageError } from './usage-error.ts';

const contentions: readonly Contention[] = ['low', 'high'];
const protocols: readonly string[] = PROTOCOL_NAMES;
const runsDefault = 256;
/** Repetitions when suites on protocols run, and when others run as well. */
const repeatDefault = 5;
const repeatDefaultOnMachines = 7;
const warmUpDefaultMs = 400;
const countMax = 1_000_000;
/** As published. */
const regionDefaultBytes: number = 128 * 2 ** 20;
/** The most CPUs measured by default: powers of two up to the host's cores and this. */
const cpusDefaultMax = 16;

const commonOptions: OptionTable = {
  suite: { value: 'LIST', help: `of ${SUITES.join(', ')} (floors)`, repeatable: true },
  benchmark: { value: 'LIST', help: "of the suites' benchmarks (all)", repeatable: true },
  row: { value: 'LIST', help: 'the same as --benchmark', repeatable: true },
  repeat: {
    value: 'N',
    help: `repetitions (${repeatDefaultOnMachines}; ${repeatDefault} for protocols alone)`,
  },
  compare: { value: 'FILE', help: 'say what changed since an earlier --json, beyond the noise' },
  'no-pin': { help: 'do not pin threads to host CPUs with taskset' },
  csv: { value: 'FILE', help: 'write a line for each row' },
  html: { value: 'FILE', help: 'write tables and charts; opens without a network' },
  json: JSON_OPTION,
  list: { help: 'print every benchmark, and what is missing and why' },
  help: HELP_OPTION,
};

/** Any of these without --suite asks for cortenmm. */
const protocolOptions: OptionTable = {
  contention: { value: 'LIST', help: 'low, high: for cortenmm (low,high)', repeatable: true },
  cpus: {
    value: 'LIST',
    help: `1 to ${BENCH_CPUS_MAX} (powers of two up to the host's cores)`,
    repeatable: true,
  },
  protocol: {
    value: 'LIST',
    help: `of ${protocols.join(', ')}, or modules (all built-in)`,
    repeatable: true,
  },
  runs: {
    value: 'N',
    help: `thread runs of a cortenmm repetition; published: 4096 (${runsDefault})`,
  },
  iterations: { value: 'N', help: "iterations of other suites' loops (each benchmark's own)" },
  region: { value: 'SIZE', help: 'region of will-it-scale (128MiB, as published)' },
  'double-strides': { help: 'keep threads in leaf tables of their own, as with 512 entries' },
  'warm-up': { value: 'MS', help: `for each protocol and benchmark first (${warmUpDefaultMs})` },
  'no-count': { help: 'leave out the pass that counts shared-word writes' },
  seed: seedOption('all randomness'),
};

export interface BenchRequest {
  readonly options: BenchOptions;
  /** Built-in names and module files, in the order to show them. */
  readonly protocols: readonly string[];
  readonly compare: Pick<BenchDocument, 'rows'> | null;
  readonly csv: string | null;
  readonly html: string | null;
  readonly json: boolean;
}

/** The request, or the text that was asked for instead. Throws UsageError. */
export function parseBench(args: readonly string[]): BenchRequest | string {
  const parsed = parseOptions(args, { ...commonOptions, ...protocolOptions }, 'faultline bench');
  if (parsed.has('help')) return benchHelp();
  if (parsed.has('list')) return benchList();
  const [extra] = [...parsed.positionals, ...(parsed.rest ?? [])];
  if (extra !== undefined) {
    throw new UsageError(`bench takes options only, not '${extra}'; see faultline bench --help`);
  }
  const [csv, html] = [parsed.one('csv'), parsed.one('html')];
  if (csv !== null) requireWritable('csv', csv);
  if (html !== null) requireWritable('html', html);
  return {
    options: parseBenchOptions(parsed),
    protocols: listOf(parsed, 'protocol')?.map(parseProtocol) ?? protocols,
    compare: parsed.read('compare', null, readDocument),
    csv,
    html,
    json: parsed.has('json'),
  };
}

function parseBenchOptions(parsed: ParsedOptions): BenchOptions {
  const { suites, benchmarks } = parseBenchmarks(parsed);
  const repeat = suites.every(isProtocolSuite) ? repeatDefault : repeatDefaultOnMachines;
  const cpus = listOf(parsed, 'cpus')?.map((text) =>
    parseInteger('--cpus', text, 1, BENCH_CPUS_MAX),
  );
  const iterations = parsed.integer('iterations', 0, 1, countMax);
  const options: BenchOptions = {
    suites,
    benchmarks,
    contentions: chosen<Contention>(parsed, 'contention', contentions) ?? contentions,
    cpus: [...new Set(cpus ?? defaultCpus())].sort((a, b) => a - b),
    runs: parsed.integer('runs', runsDefault, 1, countMax),
    repeat: parsed.integer('repeat', repeat, 1, countMax),
    warmUpMs: parsed.integer('warm-up', warmUpDefaultMs, 0, countMax),
    iterations: iterations === 0 ? null : iterations,
    regionBytes: parsed.bytes('region', regionDefaultBytes, PAGE_SIZE, FRAMES_MAX * PAGE_SIZE),
    doubledStrides: parsed.has('double-strides'),
    count: !parsed.has('no-count'),
    pin: !parsed.has('no-pin'),
    seed: parsed.seed(),
  };
  requireMemory(options);
  return options;
}

/** Without --suite, the benchmarks named choose the suites; if none is named, other options do. */
function parseBenchmarks(parsed: ParsedOptions): Pick<BenchOptions, 'suites' | 'benchmarks'> {
  const given = chosen<SuiteName>(parsed, 'suite', SUITES);
  const protocolOption = Object.keys(protocolOptions).find(
    (name) => parsed.values.has(name) || parsed.has(name),
  );
  const known = LISTED.filter(({ suite }) => given?.includes(suite) ?? true);
  const names = known.map(({ name }) => name);
  const benchmarks = ['benchmark', 'row'].flatMap((option) => chosen(parsed, option, names) ?? []);
  const named = SUITES.filter((one) =>
    known.some(({ suite, name }) => suite === one && benchmarks.includes(name)),
  );
  const fallback: SuiteName = protocolOption === undefined ? 'floors' : 'cortenmm';
  const suites = benchmarks.length > 0 ? named : (given ?? [fallback]);
  if (protocolOption !== undefined && !suites.some(isProtocolSuite)) {
    const fitting = SUITES.filter(isProtocolSuite).join(', ');
    throw new UsageError(`--${protocolOption} is for the suites ${fitting}`);
  }
  return { suites, benchmarks };
}

function requireMemory({ suites, cpus, regionBytes }: BenchOptions): void {
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
  const all = known.length > 12 ? '; see faultline bench --list' : `; known: ${known.join(', ')}`;
  if (words?.length === 0) throw new UsageError(`--${name} needs a name${all}`);
  const wrong = words?.find((word) => !isKnown(word));
  if (wrong !== undefined) {
    throw new UsageError(`no ${name} is called '${wrong}'${suggest(wrong, known) || all}`);
  }
  return words?.filter(isKnown);
}

function readDocument(path: string): Pick<BenchDocument, 'rows'> {
  let document: Partial<BenchDocument> | null;
  try {
    document = JSON.parse(readFileSync(path, 'utf8')) as Partial<BenchDocument> | null;
  } catch (error) {
    throw new UsageError(`--compare ${path}: ${(error as Error).message}`);
  }
  if (Array.isArray(document?.rows)) return { rows: document.rows };
  throw new UsageError(`--compare ${path}: is no document of faultline bench --json`);
}

function benchHelp(): string {
  return `Usage: faultline bench [options]                  the table: each figure over its floor
       faultline bench --suite LIST [options]     that, published microbenchmarks, or both

The table (floors) measures what Faultline exists for, as ratios against floors of the same run: the
host's own faults, raw typed arrays, a bare mailbox, a bare comlink echo. The suite engine has the
parts of an access and of a zeroed frame. A LIST is separated by commas.
${describeOptions(commonOptions)}

The other suites run published microbenchmarks of memory management on every locking protocol and
report latency, throughput and what the threads shared. Each CPU is a Worker; all run in one address
space. Only these suites have the following options; without --suite, any of them asks for cortenmm.
${describeOptions(protocolOptions)}

Exit status: 0 success, 1 an audit found a violation, 2 bad usage.
${INTERRUPTED_HELP}
docs/bench.md says what each benchmark measures and what a result of this host can tell.`;
}

function benchList(): string {
  const suites = SUITES.map((suite) => {
    const own = LISTED.filter((one) => one.suite === suite);
    const width = Math.max(...own.map(({ name }) => name.length));
    const lines = own.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`);
    return [suite, ...lines].join('\n');
  });
  const missing = MISSING.map(({ names, why }) => `  ${names}: ${why}`);
  return [...suites, ['Missing', ...missing].join('\n')].join('\n\n');
}
