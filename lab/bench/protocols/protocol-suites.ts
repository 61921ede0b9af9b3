/**
 * Published benchmarks on every locking protocol: for each benchmark, contention and number of
 * CPUs, repetitions of all protocols in turn, in an order that the seed shuffles; then the counting
 * pass. In the last repetition the machine is audited while the space is alive, at the end for
 * leaked frames.
 */
import { loadProtocol } from '../../../workers/boot/load-protocol.ts';
import type { BenchOptions, Measured, OnProgress } from '../document.ts';
import { pinnableCpus } from '../host.ts';
import { resultOf } from '../row.ts';
import type { RowResult } from '../row.ts';
import { measureInTurns } from '../turns.ts';
import { measureBareCosts } from './bare-costs.ts';
import type { BareCosts } from './bare-costs.ts';
import { BENCHMARKS, contentionsOf } from './benchmarks.ts';
import { contended } from './contention.ts';
import type { Contended } from './contention.ts';
import { nextRandom, shuffle } from './offsets.ts';
import { protocolRun } from './protocol-run.ts';
import { repeat } from './repetition.ts';
import type { Configuration, ReadyCandidate, Repetition, RepetitionOptions } from './repetition.ts';
import { Testbed, newMachine } from './testbed.ts';
import { ThreadGroup } from './thread-group.ts';

/** A protocol to compare: its label, and where each thread finds it. */
export interface Candidate {
  readonly name: string;
  /** A built-in's name or a module's URL. */
  readonly protocol: string;
  /** The same over counting atomics; null when it cannot be counted. */
  readonly countingProtocol: string | null;
}

/** Runs of a CortenMM benchmark, and bounds of loops, in the counting pass: counts hardly vary. */
const COUNTED_RUNS = 4;
const COUNTED_ITERATIONS = 32;
const COUNTED_REGION_BYTES = 2 ** 20;

/** The configurations of the options, in the suites' order. */
function configurationsOf(options: BenchOptions): Configuration[] {
  const chosen = BENCHMARKS.filter(
    ({ suite, name }) =>
      options.suites.includes(suite) &&
      (options.benchmarks.length === 0 || options.benchmarks.includes(name)),
  );
  return chosen.flatMap((benchmark) =>
    contentionsOf(benchmark)
      .filter((contention) => contention === 'none' || options.contentions.includes(contention))
      .flatMap((contention) => options.cpus.map((threads) => ({ benchmark, contention, threads }))),
  );
}

export async function measureProtocols(
  options: BenchOptions,
  candidates: readonly Candidate[],
  onProgress: OnProgress,
  signal: AbortSignal,
): Promise<Measured & { readonly bare: BareCosts }> {
  const configurations = configurationsOf(options);
  const violations: string[] = [];
  const regionBytes = options.suites.includes('will-it-scale') ? options.regionBytes : 0;
  const timing = { candidates, regionBytes, counting: false };
  const timed = await withCandidates(options, timing, async (ready) => {
    const [first] = ready as [ReadyCandidate];
    onProgress('the bare costs', 0);
    const bare = await measureBareCosts(first.group, options.cpus);
    const pass = { options, configurations, ready, onProgress, signal };
    await warmUp(pass);
    const repetitions = await timeAll(pass, violations);
    const leaked = first.testbed.leakedFrames();
    if (leaked !== 0) violations.push(`${leaked} frames leaked`);
    return { bare, repetitions, pinned: ready.every(({ group }) => group.pinned) };
  });
  const countable = candidates.flatMap(({ name, countingProtocol }) =>
    countingProtocol === null ? [] : [{ name, protocol: countingProtocol }],
  );
  const counting = { candidates: countable, regionBytes: COUNTED_REGION_BYTES, counting: true };
  const counts =
    options.count && !signal.aborted
      ? await withCandidates(options, counting, (ready) =>
          countAll({ options, configurations, ready, onProgress, signal }),
        )
      : [];
  const { bare, pinned } = timed;
  const rows = configurations.flatMap((configuration, number) =>
    candidates.flatMap(({ name }, index) => {
      const own = (timed.repetitions[number] ?? []).map((all) => all[index] as Repetition);
      if (own.length === 0) return [];
      return [rowOf(configuration, name, own, bare, counts[number]?.get(name) ?? null)];
    }),
  );
  return { rows, skipped: [], violations, pinned, bare };
}

/** What the three parts of a measurement work on; `signal` ends each early. */
interface Work {
  readonly options: BenchOptions;
  readonly configurations: readonly Configuration[];
  readonly ready: readonly ReadyCandidate[];
  readonly onProgress: OnProgress;
  readonly signal: AbortSignal;
}

interface Pass {
  readonly candidates: readonly Pick<Candidate, 'name' | 'protocol'>[];
  readonly regionBytes: number;
  readonly counting: boolean;
}

/** One machine, and for each protocol its threads there, ended when `work` is done. */
async function withCandidates<T>(
  options: BenchOptions,
  { candidates, regionBytes, counting }: Pass,
  work: (ready: readonly ReadyCandidate[]) => Promise<T>,
): Promise<T> {
  const threads = Math.max(...options.cpus);
  const machine = newMachine(threads, regionBytes);
  const hostCpus = options.pin && !counting ? pinnableCpus() : [];
  const ready: ReadyCandidate[] = [];
  try {
    for (const { name, protocol } of candidates) {
      const testbed = new Testbed(machine, await loadProtocol(protocol));
      const group = await ThreadGroup.start({ name, protocol, threads, hostCpus, counting });
      ready.push({ name, group, testbed });
    }
    return await work(ready);
  } finally {
    await Promise.all(ready.map(({ group }) => group.end()));
  }
}

/** Runs every benchmark a while, so that the first one measured finds compiled code too. */
async function warmUp({ options, configurations, ready, onProgress, signal }: Work): Promise<void> {
  const most = Math.max(...options.cpus);
  for (const configuration of configurations.filter(({ threads }) => threads === most)) {
    onProgress(`warming up ${configuration.benchmark.name}`, 0);
    const settings = settingsOf(options, configuration);
    await withFiles(configuration, ready, options.regionBytes, async (files) => {
      for (const candidate of ready) {
        if (signal.aborted) return;
        const untilMs = performance.now() + options.warmUpMs;
        while (performance.now() < untilMs) await repeat(candidate, configuration, files, settings);
      }
    });
  }
}

/** For each configuration and repetition, what each candidate did. */
async function timeAll(
  { options, configurations, ready, onProgress, signal }: Work,
  violations: string[],
): Promise<Repetition[][][]> {
  const all: Repetition[][][] = [];
  let state = options.seed;
  for (const [number, configuration] of configurations.entries()) {
    if (signal.aborted) break;
    const { benchmark, contention, threads } = configuration;
    const title = `${benchmark.name} ${contention}, ${threads} CPUs`;
    onProgress(title, number / configurations.length);
    const order = [...ready.keys()];
    const nextOrder = (): readonly number[] => {
      state = nextRandom(state);
      shuffle(order, state);
      return order;
    };
    await withFiles(configuration, ready, options.regionBytes, async (files) => {
      const sources = ready.map((candidate) => ({
        name: candidate.name,
        measure: async (repetition: number): Promise<Repetition> => {
          const audit = repetition === options.repeat;
          const settings = { ...settingsOf(options, configuration), audit };
          const measured = await repeat(candidate, configuration, files, settings);
          const found = measured.violations.map((what) => `${title}, ${candidate.name}: ${what}`);
          violations.push(...found);
          return measured;
        },
      }));
      all.push(await measureInTurns(sources, { repeat: options.repeat, nextOrder, signal }));
    });
  }
  return all;
}

/** For each configuration, what the candidates' threads shared. */
async function countAll({
  options,
  configurations,
  ready,
  onProgress,
  signal,
}: Work): Promise<Map<string, Contended>[]> {
  const all: Map<string, Contended>[] = [];
  const regionBytes = COUNTED_REGION_BYTES;
  for (const [number, configuration] of configurations.entries()) {
    if (signal.aborted) break;
    const { benchmark, threads } = configuration;
    onProgress(`counting ${benchmark.name}, ${threads} CPUs`, number / configurations.length);
    const timed = settingsOf(options, configuration);
    const iterations = Math.min(timed.iterations, COUNTED_ITERATIONS);
    const settings = { ...timed, runs: COUNTED_RUNS * threads, iterations, regionBytes };
    const found = new Map<string, Contended>();
    await withFiles(configuration, ready, regionBytes, async (files) => {
      for (const candidate of ready) {
        const measured = await repeat(candidate, configuration, files, settings);
        const { counts, operations, hottest } = measured;
        found.set(candidate.name, contended(counts, operations, hottest));
      }
    });
    all.push(found);
  }
  return all;
}

function settingsOf(options: BenchOptions, { benchmark }: Configuration): RepetitionOptions {
  const own = benchmark.suite === 'cortenmm' ? 0 : benchmark.iterations;
  const { runs, regionBytes, doubledStrides, seed } = options;
  const iterations = options.iterations ?? own;
  return { runs, iterations, regionBytes, doubledStrides, seed, audit: false };
}

/** Calls `work` with a file for each thread, if the benchmark maps one. */
async function withFiles(
  { benchmark, threads }: Configuration,
  [first]: readonly ReadyCandidate[],
  regionBytes: number,
  work: (files: readonly number[]) => Promise<void>,
): Promise<void> {
  const files: number[] = [];
  if (benchmark.suite !== 'cortenmm' && benchmark.file && first !== undefined) {
    for (let i = 0; i < threads; i++) files.push(first.testbed.createFile(regionBytes));
  }
  await work(files);
  for (const file of files) first?.testbed.dropFile(file);
}

function rowOf(
  configuration: Configuration,
  protocol: string,
  repetitions: readonly Repetition[],
  { exchanges }: BareCosts,
  counts: Contended | null,
): RowResult {
  const { suite, name, summary } = configuration.benchmark;
  const exchange = exchanges.find(({ cpus }) => cpus === configuration.threads);
  const head = { suite, name, what: summary, floor: 'bare compare-exchange', unit: 'ns' } as const;
  return resultOf(
    {
      ...head,
      target: null,
      better: 'less',
      value: ({ latencyNs }) => latencyNs,
      floorOf: () => exchange?.privateNs.median ?? NaN,
    },
    repetitions,
    protocolRun(configuration, protocol, repetitions, counts),
  );
}
