/** A small chart as SVG: lines over labelled points, with the spread of the repetitions. */

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

const WIDTH = 300;
const HEIGHT = 190;
const LEFT = 46;
const RIGHT: number = WIDTH - 6;
const TOP = 8;
const BOTTOM: number = HEIGHT - 34;
/** Points that are marked; more would hide the line. */
const MARKS_MAX = 20;

/** Where a point and a value lie. */
interface Scales {
  readonly x: (point: number) => number;
  readonly y: (value: number) => number;
  /** Values with a line across the chart. */
  readonly splits: readonly number[];
}

export function formatChart(chart: ChartData): string {
  const scales = scalesOf(chart);
  const parts = [
    axes(chart, scales),
    ...chart.lines.map((line) => path(line, scales)),
    ...chart.lines.map((line, index) => whiskers(line, index, chart.lines.length, scales)),
  ];
  const size = `viewBox="0 0 ${WIDTH} ${HEIGHT}"`;
  return `<svg ${size} role="img">${parts.join('')}</svg>`;
}

function scalesOf({ lines, ticks, logarithmic }: ChartData): Scales {
  const values = lines.flatMap(({ values, low, high }) => [...values, ...low, ...high]);
  const known = values.filter((value) => value !== null && value > 0) as number[];
  const top = Math.max(1e-9, ...known) * 1.08;
  const bottom = logarithmic ? Math.min(top / 10, ...known) : 0;
  const position = (value: number): number =>
    logarithmic ? Math.log(value / bottom) / Math.log(top / bottom) : value / top;
  return {
    x: (point) => LEFT + ((point + 0.25) / (ticks.length - 0.5)) * (RIGHT - LEFT),
    y: (value) => BOTTOM - position(value) * (BOTTOM - TOP),
    splits: logarithmic ? decades(bottom, top) : steps(top),
  };
}

/** 1, 2 and 5 times the powers of ten. */
function decades(bottom: number, top: number): number[] {
  const splits: number[] = [];
  for (let decade = 10 ** Math.floor(Math.log10(bottom)); decade <= top; decade *= 10) {
    splits.push(decade, 2 * decade, 5 * decade);
  }
  return splits.filter((split) => split >= bottom && split <= top);
}

/** Multiples of 1, 2 or 5 times a power of ten: at most six of them. */
function steps(top: number): number[] {
  const decade = 10 ** Math.floor(Math.log10(top / 5));
  const step = [1, 2, 5, 10].map((digit) => digit * decade).find((one) => top / one <= 6) ?? top;
  return Array.from({ length: Math.floor(top / step) + 1 }, (_, index) => index * step);
}

function shortNumber(value: number): string {
  if (value > 0 && value < 0.01) return value.toExponential(0);
  const [scaled, unit] =
    value >= 1e6 ? [value / 1e6, 'M'] : value >= 1e4 ? [value / 1e3, 'k'] : [value, ''];
  return `${Number(scaled.toPrecision(3))}${unit}`;
}

function axes({ ticks, sparse, xLabel, yLabel }: ChartData, { x, y, splits }: Scales): string {
  const across = splits.map((split) => {
    const at = y(split).toFixed(1);
    const label = `<text x="${LEFT - 4}" y="${at}" class="y">${shortNumber(split)}</text>`;
    return `<path d="M${LEFT} ${at}H${RIGHT}" class="grid"/>${label}`;
  });
  const labels = ticks.map((tick, point) =>
    sparse && point % 8 !== 7 && point !== 0
      ? ''
      : `<text x="${x(point).toFixed(1)}" y="${BOTTOM + 13}">${tick}</text>`,
  );
  const middle = (TOP + BOTTOM) / 2;
  const names =
    `<text x="${(LEFT + RIGHT) / 2}" y="${HEIGHT - 6}">${xLabel}</text>` +
    `<text transform="translate(10 ${middle}) rotate(-90)">${yLabel}</text>`;
  return [...across, ...labels, names].join('');
}

function path({ color, values }: ChartLine, { x, y }: Scales): string {
  const points = values.flatMap((value, point) =>
    value === null ? [] : [[x(point).toFixed(1), y(value).toFixed(1)] as const],
  );
  const line = points.map(([left, top]) => `${left},${top}`).join(' ');
  const marks = points.map(([left, top]) => `<circle cx="${left}" cy="${top}" r="2.5"/>`);
  const shown = points.length < MARKS_MAX ? marks.join('') : '';
  return `<g stroke="${color}" fill="${color}"><polyline points="${line}"/>${shown}</g>`;
}

/** A thin bar at each point, set off so that bars do not overlap. */
function whiskers(line: ChartLine, index: number, lines: number, { x, y }: Scales): string {
  const aside = (index - (lines - 1) / 2) * 3;
  const bars = line.low.map((low, point) => {
    const high = line.high[point] ?? low;
    return `M${(x(point) + aside).toFixed(1)} ${y(low).toFixed(1)}V${y(high).toFixed(1)}`;
  });
  return bars.length === 0 ? '' : `<path d="${bars.join('')}" stroke="${line.color}" class="bar"/>`;
}
