/** Which charts a document gets: grids of benchmarks, as the papers have them. */
import type { ChartData, ChartLine } from './page-script.ts';
import type { BenchDocument, BenchResult } from './results.ts';

/** Colours that are told apart without red and green (Okabe and Ito). */
const COLORS = ['#000000', '#e69f00', '#0072b2', '#009e73', '#d55e00', '#cc79a7', '#56b4e9'];

export interface ChartGrid {
  readonly title: string;
  readonly note: string;
  /** Charts of one row. */
  readonly columns: number;
  readonly charts: readonly ChartData[];
}

export function colorOf(protocols: readonly string[], name: string): string {
  return COLORS[protocols.indexOf(name) % COLORS.length] ?? '#888888';
}

/** A row for each contention, a column for each benchmark. */
export function gridsOf(document: BenchDocument): ChartGrid[] {
  const grids: ChartGrid[] = [];
  for (const suite of document.options.suites) {
    const results = document.results.filter((result) => result.suite === suite);
    const columns = new Set(results.map(({ benchmark }) => benchmark)).size;
    const grid = (title: string, note: string, draw: Draw): void => {
      const charts = cellsOf(results).map((cell) => draw(document, cell));
      grids.push({ title: `${suite}: ${title}`, note, columns, charts });
    };
    grid('throughput', 'Lines: median of the repetitions; bars: smallest to largest.', throughput);
    if (suite === 'cortenmm') {
      const most = Math.max(...document.options.cpus);
      const title = `latency of each request, ${most} ${most === 1 ? 'CPU' : 'CPUs'}`;
      grid(
        title,
        'Median of the repetitions, logarithmic; the throughput uses the last 16.',
        latency,
      );
    }
    if (results.some(({ contended }) => contended !== null)) {
      const note = 'Writes to words that another CPU touched in the same run: what cannot scale.';
      grid('shared-word writes per operation', note, sharedWrites);
    }
  }
  return grids;
}

type Draw = (document: BenchDocument, cell: readonly BenchResult[]) => ChartData;

/** The results of one chart: one benchmark and contention; rows of the grid one after the other. */
function cellsOf(results: readonly BenchResult[]): BenchResult[][] {
  const cells = new Map<string, BenchResult[]>();
  for (const contention of ['low', 'high', 'none']) {
    for (const result of results.filter((one) => one.contention === contention)) {
      const key = `${result.contention} ${result.benchmark}`;
      cells.set(key, [...(cells.get(key) ?? []), result]);
    }
  }
  return [...cells.values()];
}

function titleOf(cell: readonly BenchResult[]): string {
  const { benchmark = '', contention = 'none' } = cell[0] ?? {};
  return contention === 'none' ? benchmark : `${benchmark}, ${contention}`;
}

function linesOf(
  { options }: BenchDocument,
  cell: readonly BenchResult[],
  line: (own: readonly BenchResult[]) => Pick<ChartLine, 'values' | 'low' | 'high'>,
): ChartLine[] {
  return options.protocols.map((name) => ({
    name,
    color: colorOf(options.protocols, name),
    ...line(cell.filter(({ protocol }) => protocol === name)),
  }));
}

const byCpus = { xLabel: 'CPUs', sparse: false, logarithmic: false };

function throughput(document: BenchDocument, cell: readonly BenchResult[]): ChartData {
  const lines = linesOf(document, cell, (own) => ({
    values: own.map((result) => result.throughput.median),
    low: own.map((result) => result.throughput.min),
    high: own.map((result) => result.throughput.max),
  }));
  const ticks = document.options.cpus.map(String);
  return { ...byCpus, title: titleOf(cell), yLabel: 'operations/µs', ticks, lines };
}

function sharedWrites(document: BenchDocument, cell: readonly BenchResult[]): ChartData {
  const lines = linesOf(document, cell, (own) => ({
    values: own.map((result) => result.contended?.sharedWrites ?? null),
    low: [],
    high: [],
  }));
  const ticks = document.options.cpus.map(String);
  return { ...byCpus, title: titleOf(cell), yLabel: 'shared writes/op', ticks, lines };
}

function latency(document: BenchDocument, cell: readonly BenchResult[]): ChartData {
  const most = Math.max(...document.options.cpus);
  const at = cell.filter(({ cpus }) => cpus === most);
  const lines = linesOf(document, at, (own) => ({
    values: own[0]?.requestNs ?? [],
    low: [],
    high: [],
  }));
  const ticks = (at[0]?.requestNs ?? []).map((_, request) => String(request + 1));
  const axes = { xLabel: 'request', yLabel: 'ns', sparse: true, logarithmic: true };
  return { ...axes, title: titleOf(cell), ticks, lines };
}
