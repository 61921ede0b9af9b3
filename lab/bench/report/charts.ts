/** Which charts a document gets: grids of benchmarks, as the papers have them. */
import type { BenchDocument } from '../document.ts';
import { groupRows, protocolRows } from '../row.ts';
import type { ProtocolRow } from '../row.ts';
import { countCpus } from './describe.ts';

/** More charts than these beside each other could not be read. */
const COLUMNS_MAX = 5;
/** Colours of lines in page.css. */
const COLORS = 7;

/** A small chart: a line for each protocol. page.ts draws it. */
export interface ChartData {
  readonly title: string;
  readonly xLabel: string;
  readonly yLabel: string;
  /** Where the points lie; they are evenly spaced. */
  readonly xs: readonly number[];
  readonly logarithmic: boolean;
  readonly lines: readonly ChartLine[];
}

export interface ChartLine {
  readonly name: string;
  /** A custom property of page.css. */
  readonly color: string;
  readonly values: readonly (number | null)[];
  /** Smallest and largest of the repetitions at each point; empty for none. */
  readonly low: readonly number[];
  readonly high: readonly number[];
}

export interface ChartGrid {
  readonly title: string;
  readonly note: string;
  /** Charts of one row. */
  readonly columns: number;
  readonly charts: readonly ChartData[];
}

export function colorOf(protocols: readonly string[], name: string): string {
  return `--line-${protocols.indexOf(name) % COLORS}`;
}

/** A row for each contention, a column for each benchmark. */
export function gridsOf(document: BenchDocument): ChartGrid[] {
  const grids: ChartGrid[] = [];
  for (const suite of document.options.suites) {
    const rows = protocolRows(document.rows).filter((row) => row.suite === suite);
    if (rows.length === 0) continue;
    const columns = Math.min(COLUMNS_MAX, new Set(rows.map(({ name }) => name)).size);
    const grid = (title: string, note: string, draw: Draw): void => {
      const charts = chartRows(rows).map((own) => draw(document, own));
      grids.push({ title: `${suite}: ${title}`, note, columns, charts });
    };
    grid('throughput', 'Lines: median of the repetitions; bars: smallest to largest.', throughput);
    if (suite === 'cortenmm') {
      const most = Math.max(...document.options.cpus);
      const title = `latency of each request, ${countCpus(most)}`;
      const note = 'Median of the repetitions, logarithmic; the throughput uses the last 16.';
      grid(title, note, latency);
    }
    if (rows.some(({ run }) => run.contended !== null)) {
      const note = 'Writes to words that another CPU touched in the same run: what cannot scale.';
      grid('shared-word writes per operation', note, sharedWrites);
    }
  }
  return grids;
}

type Draw = (document: BenchDocument, rows: readonly ProtocolRow[]) => ChartData;

/** The rows of each chart: one benchmark and contention; those of one contention come together. */
function chartRows(rows: readonly ProtocolRow[]): ProtocolRow[][] {
  const sorted = ['low', 'high', 'none'].flatMap((contention) =>
    rows.filter(({ run }) => run.contention === contention),
  );
  return [...groupRows(sorted, titleOf).values()];
}

function titleOf({ name, run }: ProtocolRow): string {
  return run.contention === 'none' ? name : `${name}, ${run.contention}`;
}

/** A chart with a line for each protocol, drawn from its rows. */
function chartOf(
  { options }: BenchDocument,
  rows: readonly ProtocolRow[],
  rest: Omit<ChartData, 'title' | 'lines'>,
  line: (own: readonly ProtocolRow[]) => Partial<ChartLine>,
): ChartData {
  const lines = options.protocols.map((name) => ({
    ...{ name, color: colorOf(options.protocols, name), values: [], low: [], high: [] },
    ...line(rows.filter(({ run }) => run.protocol === name)),
  }));
  return { title: rows[0] === undefined ? '' : titleOf(rows[0]), lines, ...rest };
}

function byCpus({ options }: BenchDocument, yLabel: string): Omit<ChartData, 'title' | 'lines'> {
  return { xLabel: 'CPUs', yLabel, xs: options.cpus, logarithmic: false };
}

function throughput(document: BenchDocument, rows: readonly ProtocolRow[]): ChartData {
  return chartOf(document, rows, byCpus(document, 'operations/µs'), (own) => ({
    values: own.map(({ run }) => run.throughput.median),
    low: own.map(({ run }) => run.throughput.min),
    high: own.map(({ run }) => run.throughput.max),
  }));
}

function sharedWrites(document: BenchDocument, rows: readonly ProtocolRow[]): ChartData {
  return chartOf(document, rows, byCpus(document, 'shared writes/op'), (own) => ({
    values: own.map(({ run }) => run.contended?.sharedWrites ?? null),
  }));
}

function latency(document: BenchDocument, rows: readonly ProtocolRow[]): ChartData {
  const most = Math.max(...document.options.cpus);
  const at = rows.filter(({ run }) => run.cpus === most);
  const xs = (at[0]?.run.requestNs ?? []).map((_, request) => request + 1);
  const rest = { xLabel: 'request', yLabel: 'ns', xs, logarithmic: true };
  return chartOf(document, at, rest, (own) => ({ values: own[0]?.run.requestNs ?? [] }));
}
