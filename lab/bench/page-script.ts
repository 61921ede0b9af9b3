/**
 * What runs in the HTML report's page: charts from the inlined results, with the inlined uPlot.
 * html.ts takes these functions as text, so they use nothing but each other and their arguments.
 */

/** One small chart: a line for each protocol. */
export interface ChartData {
  readonly title: string;
  readonly xLabel: string;
  readonly yLabel: string;
  /** Labels under the axis; points lie at 0, 1, 2, … */
  readonly ticks: readonly string[];
  /** Whether to label only some of the ticks: there are many. */
  readonly sparse: boolean;
  readonly logarithmic: boolean;
  readonly lines: readonly ChartLine[];
}

export interface ChartLine {
  readonly name: string;
  readonly color: string;
  readonly values: readonly (number | null)[];
  /** Smallest and largest of the repetitions at each point; empty for none. */
  readonly low: readonly number[];
  readonly high: readonly number[];
}

/** The parts of uPlot that are used; the page has the real one. */
interface Plot {
  readonly ctx: CanvasRenderingContext2D;
  valToPos(value: number, scale: string, canvas: boolean): number;
  setSize(size: { width: number; height: number }): void;
}
type PlotClass = new (options: object, data: object, target: Element) => Plot;

/** Draws every chart into the element whose data-chart is its number. */
export function drawCharts(charts: readonly ChartData[], uPlot: PlotClass): void {
  document.querySelectorAll<HTMLElement>('[data-chart]').forEach((target) => {
    const chart = charts[Number(target.dataset['chart'])];
    if (chart === undefined) return;
    const xs = chart.ticks.map((_, index) => index);
    const data = [xs, ...chart.lines.map((line) => line.values)];
    const size = { width: target.clientWidth, height: 190 };
    const plot = new uPlot(chartOptions(chart, size), data, target);
    new ResizeObserver(() => plot.setSize({ ...size, width: target.clientWidth })).observe(target);
  });
}

function chartOptions(chart: ChartData, size: object): object {
  const { ticks, lines, logarithmic, sparse } = chart;
  const last = ticks.length - 1;
  const label = { labelSize: 16, labelFont: '11px system-ui, sans-serif', labelGap: 0 };
  const axis = { ...label, font: '11px system-ui, sans-serif', stroke: '#444', gap: 3 };
  const grid = { stroke: '#e8e8e8', width: 1 };
  const shown = ticks.map((_, index) => index).filter((i) => !sparse || i % 8 === 7 || i === 0);
  const values = lines.flatMap((line) => [...line.values, ...line.high]).map((value) => value ?? 0);
  const top = Math.max(1e-9, ...values) * 1.08;
  const x = { time: false, range: [-0.25, last + 0.25] };
  const y = logarithmic ? { distr: 3 } : { range: [0, top] };
  const yTicks = { size: 3, stroke: '#999' };
  return {
    ...size,
    padding: [8, 6, 0, 0],
    legend: { show: false },
    cursor: { show: false },
    scales: { x, y },
    axes: [
      {
        ...axis,
        label: chart.xLabel,
        size: 22,
        grid: { show: false },
        ticks: yTicks,
        splits: () => shown,
        values: () => shown.map((index) => ticks[index]),
      },
      {
        ...axis,
        label: chart.yLabel,
        size: 40,
        grid,
        ticks: yTicks,
        ...(logarithmic && { splits: decadeSplits }),
        values: (_: unknown, splits: readonly (number | null)[]) => splits.map(shortNumber),
      },
    ],
    series: [{}, ...lines.map((line) => seriesOf(line, ticks.length))],
    hooks: { draw: [(plot: Plot) => drawWhiskers(plot, lines)] },
  };
}

function seriesOf(line: ChartLine, count: number): object {
  const points = { show: count < 20, size: 5, fill: line.color };
  return { label: line.name, stroke: line.color, width: 1.5, points };
}

/** 1, 2 and 5 times the powers of ten. */
function decadeSplits(_plot: unknown, _axis: number, min: number, max: number): number[] {
  const splits: number[] = [];
  for (let decade = 10 ** Math.floor(Math.log10(min)); decade <= max; decade *= 10) {
    splits.push(...[1, 2, 5].map((digit) => digit * decade));
  }
  return splits.filter((split) => split >= min && split <= max);
}

function shortNumber(value: number | null): string {
  if (value === null) return '';
  if (value > 0 && value < 0.01) return value.toExponential(0);
  const [scaled, unit] =
    value >= 1e6 ? [value / 1e6, 'M'] : value >= 1e4 ? [value / 1e3, 'k'] : [value, ''];
  return `${Number(scaled.toPrecision(3))}${unit}`;
}

/** The spread of the repetitions: a thin bar at each point, set off so that bars do not overlap. */
function drawWhiskers(plot: Plot, lines: readonly ChartLine[]): void {
  const { ctx } = plot;
  ctx.save();
  ctx.lineWidth = devicePixelRatio;
  ctx.globalAlpha = 0.6;
  lines.forEach((line, index) => {
    const aside = (index - (lines.length - 1) / 2) * 3 * devicePixelRatio;
    ctx.strokeStyle = line.color;
    line.low.forEach((low, point) => {
      const at = plot.valToPos(point, 'x', true) + aside;
      ctx.beginPath();
      ctx.moveTo(at, plot.valToPos(low, 'y', true));
      ctx.lineTo(at, plot.valToPos(line.high[point] ?? low, 'y', true));
      ctx.stroke();
    });
  });
  ctx.restore();
}

/** The functions' texts, in one scope. */
export const PAGE_FUNCTIONS: readonly string[] = [
  drawCharts,
  chartOptions,
  seriesOf,
  decadeSplits,
  shortNumber,
  drawWhiskers,
].map(String);
