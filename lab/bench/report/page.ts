/**
 * The script of the HTML report: draws the page's charts with uPlot. Every report contains it, as
 * dist/bench-page.js, after uPlot itself.
 */
import uPlot from 'uplot';
import type { ChartData, ChartLine } from './charts.ts';

const HEIGHT = 190;
/** Points that are marked; more would hide the line. */
const MARKS_MAX = 20;
const FONT = '11px system-ui, sans-serif';
const NUMBERS = new Intl.NumberFormat('en', { notation: 'compact', maximumSignificantDigits: 3 });

/** The value of a custom property, which the colour scheme decides. */
function color(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name);
}

function draw(chart: ChartData, target: HTMLElement): uPlot {
  const size = (): { width: number; height: number } => ({
    width: target.clientWidth,
    height: HEIGHT,
  });
  const options = { ...optionsOf(chart), ...size() };
  const data = [chart.xs, ...chart.lines.map(({ values }) => values)] as uPlot.AlignedData;
  const plot = new uPlot(options, data, target);
  new ResizeObserver(() => plot.setSize(size())).observe(target);
  return plot;
}

function optionsOf({ xs, xLabel, yLabel, lines, logarithmic }: ChartData) {
  const rule = (): string => color('--rule');
  const axis = {
    ...{ font: FONT, labelFont: FONT, labelSize: 16, labelGap: 0, gap: 3 },
    ...{ stroke: () => color('--soft'), ticks: { size: 3, stroke: rule } },
  };
  const values = lines.flatMap(({ values, high }) => [...values, ...high]);
  const top = Math.max(1e-9, ...values.map(Number)) * 1.08;
  // Evenly spaced, whatever the numbers are.
  const x: uPlot.Scale = { time: false, distr: 2, range: [-0.25, xs.length - 0.75] };
  const y: uPlot.Scale = logarithmic ? { distr: 3 } : { range: [0, top] };
  const splits = (_plot: uPlot, _axis: number, _min: number, _max: number, step: number) =>
    [...xs.keys()].filter((point) => point === 0 || (point + 1) % step === 0);
  const short = (_: uPlot, splits: readonly (number | null)[]): string[] =>
    splits.map((split) => (split === null ? '' : NUMBERS.format(split)));
  return {
    padding: [8, 6, 0, 0] as uPlot.Padding,
    legend: { show: false },
    cursor: { show: false },
    scales: { x, y },
    axes: [
      { ...axis, label: xLabel, size: 22, grid: { show: false }, space: 20, splits },
      { ...axis, label: yLabel, size: 40, grid: { stroke: rule, width: 1 }, values: short },
    ],
    series: [{}, ...lines.map((line) => seriesOf(line, xs.length))],
    hooks: { draw: [(plot: uPlot) => drawWhiskers(plot, lines)] },
  };
}

function seriesOf(line: ChartLine, count: number): uPlot.Series {
  const stroke = (): string => color(line.color);
  const points = { show: count < MARKS_MAX, size: 5, fill: stroke };
  return { label: line.name, stroke, width: 1.5, points };
}

/** The spread of the repetitions: a thin bar at each point, set off so that bars do not overlap. */
function drawWhiskers(plot: uPlot, lines: readonly ChartLine[]): void {
  const { ctx } = plot;
  ctx.save();
  ctx.lineWidth = devicePixelRatio;
  ctx.globalAlpha = 0.6;
  for (const [index, { color: name, low, high }] of lines.entries()) {
    const aside = (index - (lines.length - 1) / 2) * 3 * devicePixelRatio;
    ctx.strokeStyle = color(name);
    ctx.beginPath();
    for (const [point, bottom] of low.entries()) {
      const x = plot.valToPos(point, 'x', true) + aside;
      ctx.moveTo(x, plot.valToPos(bottom, 'y', true));
      ctx.lineTo(x, plot.valToPos(high[point] ?? bottom, 'y', true));
    }
    ctx.stroke();
  }
  ctx.restore();
}

const charts = JSON.parse(document.querySelector('#charts')?.textContent ?? '[]') as ChartData[];
const targets = [...document.querySelectorAll<HTMLElement>('[role=img]')];
const plots = targets.map((target, index) => draw(charts[index] as ChartData, target));
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
  for (const plot of plots) plot.redraw();
});
