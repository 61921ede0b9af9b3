/** One repetition of one benchmark by the threads of one protocol, and what it measured. */
import type { BatchReport } from './batch.ts';
import type { Benchmark, Contention } from './benchmarks.ts';
import type { HotWord } from './contention.ts';
import { prepareRun } from './cortenmm.ts';
import type { AccessCounts } from './meter.ts';
import { REQUESTS } from './offsets.ts';
import { FIRST_FD } from './testbed.ts';
import type { Counters, Testbed } from './testbed.ts';
import type { ThreadGroup } from './thread-group.ts';

/** Requests at the end of a run over which CortenMM's plots take the mean. */
const STEADY_REQUESTS = 16;

/** All protocols are measured in each configuration, in turn. */
export interface Configuration {
  readonly benchmark: Benchmark;
  readonly contention: Contention;
  readonly threads: number;
}

/** A protocol's threads, and the coordinator that locks by the same protocol. */
export interface ReadyCandidate {
  readonly name: string;
  readonly group: ThreadGroup;
  readonly testbed: Testbed;
}

export interface RepetitionOptions {
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

/** `files` has a file for each thread, or none. */
export async function repeat(
  { group, testbed }: ReadyCandidate,
  { benchmark, contention, threads }: Configuration,
  files: readonly number[],
  { audit, ...options }: RepetitionOptions,
): Promise<Repetition> {
  const { iterations, regionBytes, doubledStrides, seed } = options;
  const isCorten = benchmark.suite === 'cortenmm';
  const runs = isCorten ? Math.max(1, Math.floor(options.runs / threads)) : 1;
  const fd = files.length > 0 ? FIRST_FD : -1;
  const machine = testbed.buffer;
  const details = { machine, benchmark, contention, iterations, doubledStrides, regionBytes };
  const work = { kind: 'benchmark', ...details, fd, seed } as const;
  const violations: string[] = [];
  let hottest: readonly HotWord[] = [];
  const before = testbed.counters(threads);
  const begin = (): number => {
    const proc = testbed.begin(files);
    if (isCorten) prepareRun(testbed.main(proc), benchmark, contention, threads, doubledStrides);
    return proc;
  };
  const end = (run: number, reports: readonly BatchReport[]): void => {
    if (run === runs - 1) {
      if (audit) violations.push(...testbed.audit(files));
      const counts = reports.flatMap((report) => report.counts[run] ?? []);
      if (counts.length > 0) hottest = testbed.hottest(counts, operationsOf(reports) / runs);
    }
    testbed.end();
  };
  const reports = await group.run({ threads, runs, work }, { begin, end });
  return {
    ...(isCorten ? requestFigures(reports, runs) : loopFigures(reports)),
    operations: operationsOf(reports),
    counters: difference(testbed.counters(threads), before),
    counts: byRun(reports, runs),
    hottest,
    violations,
  };
}

function operationsOf(reports: readonly BatchReport[]): number {
  return reports.reduce((sum, { operations }) => sum + operations, 0);
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
  const elapsedNs = reports.reduce((sum, report) => sum + report.elapsedNs, 0);
  const throughput = reports.reduce((sum, report) => {
    return sum + (1000 * report.operations) / report.elapsedNs;
  }, 0);
  return { latencyNs: elapsedNs / operationsOf(reports), throughput, requestNs: [] };
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
