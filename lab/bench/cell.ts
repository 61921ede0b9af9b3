/** One repetition of one benchmark by one crew, and what it measured. */
import type { BatchReport } from './batch.ts';
import type { Benchmark, Contention } from './benchmarks.ts';
import type { HotWord } from './contention.ts';
import { prepareRun } from './cortenmm.ts';
import type { Crew } from './crew.ts';
import type { AccessCounts } from './meter.ts';
import { REQUESTS } from './offsets.ts';
import { FIRST_FD } from './stage.ts';
import type { Counters, Stage } from './stage.ts';

/** Requests at the end of a run over which CortenMM's plots take the mean. */
const STEADY_REQUESTS = 16;

/** A point of an experiment: all protocols are measured there, in turn. */
export interface Cell {
  readonly benchmark: Benchmark;
  readonly contention: Contention;
  readonly threads: number;
}

export interface CellOptions {
  /** Thread runs of a CortenMM benchmark. */
  readonly runs: number;
  readonly iterations: number;
  readonly regionBytes: number;
  readonly doubledStrides: boolean;
  readonly seed: number;
  /** Whether to audit while the last run's space is alive. */
  readonly audit: boolean;
}

export interface Repetition {
  readonly operations: number;
  readonly latencyNs: number;
  /** Operations per microsecond. */
  readonly throughput: number;
  readonly requestNs: readonly number[];
  readonly counters: Counters;
  /** For each run, the counts of its threads; empty runs outside the counting pass. */
  readonly counts: readonly AccessCounts[][];
  readonly hottest: readonly HotWord[];
  readonly violations: readonly string[];
}

/** `stage` locks by the same protocol as `crew`; `files` has a file for each thread, or none. */
export async function repeatCell(
  crew: Crew,
  stage: Stage,
  cell: Cell,
  files: readonly number[],
  options: CellOptions,
): Promise<Repetition> {
  const { benchmark, contention, threads } = cell;
  const { doubledStrides, iterations, regionBytes, seed } = options;
  const isCorten = benchmark.suite === 'cortenmm';
  const runs = isCorten ? Math.max(1, Math.floor(options.runs / threads)) : 1;
  const violations: string[] = [];
  let hottest: readonly HotWord[] = [];
  const before = stage.counters(threads);
  const reports = await crew.run(
    {
      machine: stage.buffer,
      suite: benchmark.suite,
      benchmark: benchmark.name,
      contention,
      threads,
      runs,
      iterations,
      doubled: doubledStrides,
      regionBytes,
      fd: files.length > 0 ? FIRST_FD : -1,
      seed,
    },
    {
      begin: () => {
        const proc = stage.begin(files);
        if (benchmark.suite === 'cortenmm') {
          prepareRun(stage.main(proc), benchmark, contention, threads, doubledStrides);
        }
        return proc;
      },
      end: (run, finished) => {
        if (run === runs - 1) {
          if (options.audit) violations.push(...stage.audit(files));
          const counts = finished.flatMap((report) => report.counts[run] ?? []);
          const operations = finished.reduce((sum, one) => sum + one.operations, 0) / runs;
          if (counts.length > 0) hottest = stage.hottest(counts, operations);
        }
        stage.end();
      },
    },
  );
  const figures = isCorten ? requestFigures(reports, runs) : loopFigures(reports);
  return {
    ...figures,
    operations: reports.reduce((sum, report) => sum + report.operations, 0),
    counters: difference(stage.counters(threads), before),
    counts: byRun(reports, runs),
    hottest,
    violations,
  };
}

type Figures = Pick<Repetition, 'latencyNs' | 'throughput' | 'requestNs'>;

function requestFigures(reports: readonly BatchReport[], runs: number): Figures {
  const requestNs = Array.from({ length: REQUESTS }, (_, request) => {
    const sum = reports.reduce((total, { latencyNs }) => total + (latencyNs[request] ?? 0), 0);
    return sum / (runs * reports.length);
  });
  const steady = requestNs.slice(-STEADY_REQUESTS);
  const latencyNs = steady.reduce((sum, ns) => sum + ns, 0) / STEADY_REQUESTS;
  return { latencyNs, throughput: (1000 / latencyNs) * reports.length, requestNs };
}

function loopFigures(reports: readonly BatchReport[]): Figures {
  let operations = 0;
  let elapsedNs = 0;
  let throughput = 0;
  for (const report of reports) {
    operations += report.operations;
    elapsedNs += report.elapsedNs;
    throughput += (1000 * report.operations) / report.elapsedNs;
  }
  return { latencyNs: elapsedNs / operations, throughput, requestNs: [] };
}

function difference(after: Counters, before: Counters): Counters {
  const names = Object.keys(after) as (keyof Counters)[];
  return Object.fromEntries(names.map((name) => [name, after[name] - before[name]])) as Counters;
}

function byRun(reports: readonly BatchReport[], runs: number): AccessCounts[][] {
  return Array.from({ length: runs }, (_, run) =>
    reports.flatMap(({ counts }) => counts[run] ?? []),
  );
}
