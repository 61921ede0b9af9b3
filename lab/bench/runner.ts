/**
 * Runs benchmarks: for each benchmark, contention and number of CPUs, repetitions of all protocols
 * in turn; then the counting pass.
 *
 * Protocols are interleaved by repetition, in an order that the seed shuffles, so that a slow
 * moment of the host hits all of them. A repetition before the first warms up and is thrown away.
 * In the last one the machine is audited while the space is alive, at the end for leaked frames.
 */
import type { Machine } from '../../kernel/index.ts';
import { loadProtocol } from '../../workers/boot/load-protocol.ts';
import { BENCHMARKS, contentionsOf } from './benchmarks.ts';
import type { Benchmark } from './benchmarks.ts';
import { repeatCell } from './cell.ts';
import type { Cell, CellOptions, Repetition } from './cell.ts';
import { contended } from './contention.ts';
import type { Contended } from './contention.ts';
import { Crew } from './crew.ts';
import { measureClockNs, measureFloors } from './floor.ts';
import { hostFacts, pinnableCpus } from './host.ts';
import { nextRandom, shuffle } from './offsets.ts';
import type { BenchDocument, BenchOptions, BenchResult, Floor } from './results.ts';
import { Stage, newMachine } from './stage.ts';
import { spreadOf } from './statistics.ts';

/** A protocol to compare: its label, and where each thread finds it. */
export interface Contestant {
  readonly name: string;
  /** A built-in's name or a module's URL. */
  readonly protocol: string;
  /** The same over counting atomics; null when it cannot be counted. */
  readonly countingProtocol: string | null;
}

/** Called with what begins now, and the part of the whole that is done. */
export type OnProgress = (what: string, done: number) => void;

/** Runs of a CortenMM cell, and bounds of loops, in the counting pass: counts hardly vary. */
const COUNTED_RUNS = 4;
const COUNTED_ITERATIONS = 32;
const COUNTED_REGION_BYTES = 2 ** 20;

interface Team {
  readonly crew: Crew;
  readonly stage: Stage;
}

/** The cells of the options, in the suites' order. */
function cellsOf(options: BenchOptions): Cell[] {
  const chosen = BENCHMARKS.filter(
    ({ suite, name }) =>
      options.suites.includes(suite) &&
      (options.benchmarks.length === 0 || options.benchmarks.includes(name)),
  );
  const cells: Cell[] = [];
  for (const benchmark of chosen) {
    for (const contention of contentionsOf(benchmark)) {
      if (contention !== 'none' && !options.contentions.includes(contention)) continue;
      for (const threads of options.cpus) cells.push({ benchmark, contention, threads });
    }
  }
  return cells;
}

export async function runBenchmarks(
  options: BenchOptions,
  contestants: readonly Contestant[],
  onProgress: OnProgress,
): Promise<BenchDocument> {
  const host = hostFacts();
  const startMs = performance.now();
  const cells = cellsOf(options);
  const violations: string[] = [];
  const regionBytes = options.suites.includes('will-it-scale') ? options.regionBytes : 0;
  const timed = await withTeams(
    options,
    contestants,
    regionBytes,
    false,
    async (teams, machine) => {
      const { crew } = teams[0] as Team;
      onProgress('the floor', 0);
      const clockNs = await measureClockNs(crew, machine.buffer);
      const floors = await measureFloors(crew, machine.buffer, options.cpus);
      await warmUp(options, cells, teams, onProgress);
      const repetitions = await timeCells(options, cells, teams, violations, onProgress);
      violations.push(...leaks(teams));
      const pinned = teams.every((team) => team.crew.pinned);
      return { clockNs, floors, repetitions, pinned };
    },
  );
  const countable = contestants.flatMap(({ name, countingProtocol }) =>
    countingProtocol === null ? [] : [{ name, protocol: countingProtocol, countingProtocol }],
  );
  const counts = options.count
    ? await withTeams(options, countable, COUNTED_REGION_BYTES, true, (teams) =>
        countCells(options, cells, teams, onProgress),
      )
    : new Map<string, Contended>();
  const results = cells.flatMap((cell) =>
    contestants.map(({ name }) => {
      const key = keyOf(cell, name);
      const floor = timed.floors.find((one) => one.cpus === cell.threads);
      return resultOf(cell, name, timed.repetitions.get(key) ?? [], floor, counts.get(key));
    }),
  );
  return {
    host,
    options: { ...options, protocols: contestants.map(({ name }) => name) },
    pinned: timed.pinned,
    clockNs: timed.clockNs,
    floors: timed.floors,
    results,
    violations,
    wallMs: performance.now() - startMs,
  };
}

function keyOf({ benchmark, contention, threads }: Cell, protocol: string): string {
  return [benchmark.suite, benchmark.name, contention, threads, protocol].join(' ');
}

/** One machine, and for each protocol a crew and its stage there, dismissed when `work` is done. */
async function withTeams<T>(
  options: BenchOptions,
  contestants: readonly Contestant[],
  regionBytes: number,
  counting: boolean,
  work: (teams: readonly Team[], machine: Machine) => Promise<T>,
): Promise<T> {
  const threads = Math.max(...options.cpus);
  const machine = newMachine(threads, regionBytes);
  const hostCpus = options.pin && !counting ? pinnableCpus() : [];
  const teams: Team[] = [];
  try {
    for (const { name, protocol } of contestants) {
      const stage = new Stage(machine, await loadProtocol(protocol));
      teams.push({
        crew: await Crew.assemble({ name, protocol, threads, hostCpus, counting }),
        stage,
      });
    }
    return await work(teams, machine);
  } finally {
    await Promise.all(teams.map(({ crew }) => crew.dismiss()));
  }
}

function leaks(teams: readonly Team[]): string[] {
  const leaked = teams[0]?.stage.leakedFrames() ?? 0;
  return leaked === 0 ? [] : [`${leaked} frames leaked`];
}

/** Runs every benchmark of the cells a while, so that the first cell finds compiled code too. */
async function warmUp(
  options: BenchOptions,
  cells: readonly Cell[],
  teams: readonly Team[],
  onProgress: OnProgress,
): Promise<void> {
  const last = cells.filter(({ threads }) => threads === Math.max(...options.cpus));
  for (const cell of last) {
    onProgress(`warming up ${cell.benchmark.name}`, 0);
    const files = filesFor(cell.benchmark, cell.threads, teams, options.regionBytes);
    const cellOptions = timedOptions(options, cell.benchmark, false);
    for (const { crew, stage } of teams) {
      const untilMs = performance.now() + options.warmUpMs;
      while (performance.now() < untilMs) {
        await repeatCell(crew, stage, cell, files, cellOptions);
      }
    }
    for (const file of files) teams[0]?.stage.dropFile(file);
  }
}

async function timeCells(
  options: BenchOptions,
  cells: readonly Cell[],
  teams: readonly Team[],
  violations: string[],
  onProgress: OnProgress,
): Promise<Map<string, Repetition[]>> {
  const all = new Map<string, Repetition[]>();
  let state = options.seed;
  for (const [number, cell] of cells.entries()) {
    const { benchmark, contention, threads } = cell;
    onProgress(`${benchmark.name} ${contention}, ${threads} CPUs`, number / cells.length);
    const order = teams.map((_, index) => index);
    const files = filesFor(benchmark, threads, teams, options.regionBytes);
    for (let repetition = 0; repetition <= options.repeat; repetition++) {
      state = nextRandom(state);
      shuffle(order, state);
      for (const index of order) {
        const { crew, stage } = teams[index] as Team;
        const cellOptions = timedOptions(options, benchmark, repetition === options.repeat);
        const measured = await repeatCell(crew, stage, cell, files, cellOptions);
        for (const what of measured.violations)
          violations.push(`${keyOf(cell, crew.name)}: ${what}`);
        const key = keyOf(cell, crew.name);
        if (repetition > 0) all.set(key, [...(all.get(key) ?? []), measured]);
      }
    }
    for (const file of files) teams[0]?.stage.dropFile(file);
  }
  return all;
}

function timedOptions(options: BenchOptions, benchmark: Benchmark, audit: boolean): CellOptions {
  const own = benchmark.suite === 'cortenmm' ? 0 : benchmark.iterations;
  const { runs, regionBytes, doubledStrides, seed } = options;
  return { runs, iterations: options.iterations ?? own, regionBytes, doubledStrides, seed, audit };
}

function filesFor(
  benchmark: Benchmark,
  threads: number,
  teams: readonly Team[],
  regionBytes: number,
): number[] {
  if (benchmark.suite === 'cortenmm' || !benchmark.file) return [];
  const files: number[] = [];
  for (let i = 0; i < threads; i++) {
    const file = teams[0]?.stage.createFile(regionBytes);
    if (file !== undefined) files.push(file);
  }
  return files;
}

async function countCells(
  options: BenchOptions,
  cells: readonly Cell[],
  teams: readonly Team[],
  onProgress: OnProgress,
): Promise<Map<string, Contended>> {
  const all = new Map<string, Contended>();
  for (const [number, cell] of cells.entries()) {
    const { benchmark, threads } = cell;
    onProgress(`counting ${benchmark.name}, ${threads} CPUs`, number / cells.length);
    const timed = timedOptions(options, benchmark, false);
    const regionBytes = COUNTED_REGION_BYTES;
    const iterations = Math.min(timed.iterations, COUNTED_ITERATIONS);
    const cellOptions = { ...timed, runs: COUNTED_RUNS * threads, iterations, regionBytes };
    const files = filesFor(benchmark, threads, teams, regionBytes);
    for (const { crew, stage } of teams) {
      const measured = await repeatCell(crew, stage, cell, files, cellOptions);
      const { counts, operations, hottest } = measured;
      all.set(keyOf(cell, crew.name), contended(counts, operations, hottest));
    }
    for (const file of files) teams[0]?.stage.dropFile(file);
  }
  return all;
}

function resultOf(
  { benchmark, contention, threads }: Cell,
  protocol: string,
  repetitions: readonly Repetition[],
  floor: Floor | undefined,
  counts: Contended | undefined,
): BenchResult {
  const operations = repetitions.reduce((sum, one) => sum + one.operations, 0);
  const each = (name: keyof Repetition['counters']): number =>
    repetitions.reduce((sum, one) => sum + one.counters[name], 0) / operations;
  const latencyNs = spreadOf(repetitions.map((one) => one.latencyNs));
  const requestNs = (repetitions[0]?.requestNs ?? []).map(
    (_, request) => spreadOf(repetitions.map((one) => one.requestNs[request] ?? NaN)).median,
  );
  return {
    suite: benchmark.suite,
    benchmark: benchmark.name,
    contention,
    protocol,
    cpus: threads,
    operations,
    latencyNs,
    throughput: spreadOf(repetitions.map((one) => one.throughput)),
    floorRatio: latencyNs.median / (floor?.privateNs.median ?? NaN),
    requestNs,
    perOperation: {
      lockWaits: each('lockWaits'),
      faultRetries: each('faultRetries'),
      lockFallbacks: each('lockFallbacks'),
      raceLosses: each('raceLosses'),
      shootdowns: each('shootdowns'),
      shootdownTargets: each('shootdownTargets'),
      faults: each('faultsMinor'),
    },
    contended: counts ?? null,
  };
}
