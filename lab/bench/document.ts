/** What a run yields: the document that --json prints and all other outputs show. */
import type { HostFacts } from './host.ts';
import type { BareCosts } from './protocols/bare-costs.ts';
import type { Contention } from './protocols/benchmarks.ts';
import { keyOf } from './row.ts';
import type { RowResult, SuiteName } from './row.ts';
import type { Spread } from './statistics.ts';

export interface BenchOptions {
  readonly suites: readonly SuiteName[];
  /** Names of benchmarks to run; empty for all of the suites. */
  readonly benchmarks: readonly string[];
  readonly repeat: number;
  readonly pin: boolean;
  readonly contentions: readonly Contention[];
  readonly cpus: readonly number[];
  /** Thread runs of a CortenMM benchmark in one repetition; the paper has 4096. */
  readonly runs: number;
  /**
   * Warm-up of each protocol and benchmark before the measurements, beside one repetition of each.
   */
  readonly warmUpMs: number;
  /** Iterations of loops; null for each benchmark's own. */
  readonly iterations: number | null;
  readonly regionBytes: number;
  readonly doubledStrides: boolean;
  readonly count: boolean;
  readonly seed: number;
}

/** What the suites of one kind contribute. */
export interface Measured {
  readonly rows: readonly RowResult[];
  /** Rows that were not measured, and why. */
  readonly skipped: readonly { readonly name: string; readonly why: string }[];
  /** What audits found; anything here makes the figures worthless. */
  readonly violations: readonly string[];
  /** Whether every thread was kept on one host CPU. */
  readonly pinned: boolean;
}

export interface BenchDocument extends Measured {
  readonly host: HostFacts;
  readonly options: BenchOptions & { readonly protocols: readonly string[] };
  /** What bare operations of the host take; null where no protocol was measured. */
  readonly bare: BareCosts | null;
  /** What changed since the document that --compare named; null without one. */
  readonly changes: readonly Change[] | null;
  /** The user ended it early: rows are missing, or have fewer repetitions. */
  readonly interrupted: boolean;
  readonly wallMs: number;
}

/** Called with what begins now, and the part of the whole that is done. */
export type OnProgress = (what: string, done: number) => void;

/** How a row's ratio differs between two documents. */
export interface Change {
  readonly name: string;
  readonly before: Spread;
  readonly after: Spread;
  /** after / before of the medians. */
  readonly factor: number;
  /** Better or worse only where the two ranges of repetitions do not touch. */
  readonly verdict: 'better' | 'worse' | 'noise';
}

type Compared = Pick<BenchDocument, 'rows'>;

/** The rows that both documents have. */
export function compareDocuments(before: Compared, after: Compared): Change[] {
  const old = new Map(before.rows.map((row) => [keyOf(row), row.ratio]));
  return after.rows.flatMap((row) => {
    const ratio = old.get(keyOf(row));
    return ratio === undefined ? [] : [changeOf(ratio, row)];
  });
}

function changeOf(before: Spread, row: RowResult): Change {
  const after = row.ratio;
  const isLess = after.max < before.min;
  const isMore = after.min > before.max;
  const verdict =
    !isLess && !isMore ? 'noise' : isLess === (row.better === 'less') ? 'better' : 'worse';
  return { name: keyOf(row), before, after, factor: after.median / before.median, verdict };
}
