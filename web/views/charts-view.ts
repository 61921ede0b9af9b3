/** Charts of the last minute, and what each CPU did in the last seconds. */
import type Plot from 'uplot';
import { el, fill } from '../core/dom.ts';
import type { Session } from '../core/session.ts';
import { throttle } from '../core/view.ts';
import type { View } from '../core/view.ts';
import { CHARTS, ChartHistory } from './chart-history.ts';
import { CpuTimeline } from './cpu-timeline.ts';

const DRAW_MS = 250;
const HEIGHT = 150;

export class ChartsView implements View {
  readonly name = 'charts';
  readonly title = 'Charts';
  readonly element: HTMLElement;
  readonly #timeline = new CpuTimeline();
  readonly #charts = el('div', { class: 'charts' });
  readonly #draw: (nowMs: number) => void;
  readonly #history = new ChartHistory();
  #plots: Plot[] | null = null;
  #isLoading = false;

  constructor() {
    this.#draw = throttle(DRAW_MS, () => void this.#refresh());
    this.element = el(
      'section',
      { 'aria-label': 'Charts' },
      ...[el('h2', {}, 'CPUs, the last ten seconds'), this.#timeline.element],
      ...[el('h2', {}, 'The last minute'), this.#charts],
    );
    // Also while another view is shown: a chart that begins when it is looked at tells nothing.
    setInterval(() => this.#history.sample(), DRAW_MS);
  }

  attach(session: Session | null): void {
    this.#history.attach(session);
    this.#timeline.attach(session);
  }

  tick(nowMs: number): void {
    this.#timeline.sample(nowMs);
  }

  update(nowMs: number): void {
    this.#timeline.draw(nowMs);
    this.#draw(nowMs);
  }

  async #refresh(): Promise<void> {
    if (this.#plots === null) return this.#load();
    this.#plots.forEach((plot, i) => {
      const data = this.#history.data(i);
      plot.setData(data);
      // The legend tells the present values, unless a moment is pointed at.
      if (data[0].length > 0 && typeof plot.cursor.idx !== 'number') {
        plot.setLegend({ idx: data[0].length - 1 });
      }
      const width = this.#charts.children[i]?.clientWidth ?? 0;
      if (width > 0 && width !== plot.width) plot.setSize({ width, height: HEIGHT });
    });
  }

  /** uPlot is loaded when the first chart is looked at. */
  async #load(): Promise<void> {
    if (this.#isLoading) return;
    this.#isLoading = true;
    const UPlot = await loadUPlot();
    const boxes = CHARTS.map(({ title }) => el('figure', {}, el('figcaption', {}, title)));
    fill(this.#charts, ...boxes);
    const styles = getComputedStyle(this.element);
    const colour = (name: string): string => styles.getPropertyValue(name).trim();
    const axis = { stroke: colour('--muted'), grid: { stroke: colour('--line'), width: 1 } };
    const colours = [colour('--accent'), colour('--warm')];
    this.#plots = CHARTS.map(({ series, unit }, i) => {
      const box = boxes[i] as HTMLElement;
      const options = {
        width: box.clientWidth,
        height: HEIGHT,
        cursor: { show: true, y: false },
        scales: { x: { time: false } },
        axes: [
          {
            ...axis,
            size: 32,
            values: (_plot: Plot, ticks: number[]) => ticks.map((tick) => `${tick} s`),
          },
          { ...axis, size: 64 },
        ],
        series: [
          {
            label: 'time',
            value: (_plot: Plot, value?: number | null) =>
              typeof value === 'number' ? `${value.toFixed(1)} s` : '',
          },
          ...series.map((label, n) => ({
            label,
            stroke: colours[n] ?? 'currentColor',
            width: 1.5,
            points: { show: false },
            value: (_plot: Plot, value?: number | null) =>
              typeof value === 'number' ? `${Math.round(value * 10) / 10} ${unit}` : '',
          })),
        ],
      };
      return new UPlot(options, this.#history.data(i), box);
    });
  }
}

/** uPlot's script, which makes a global of itself. */
function loadUPlot(): Promise<typeof Plot> {
  return new Promise((resolve, reject) => {
    const script = el('script', { src: './uplot.js' });
    const loaded = globalThis as unknown as { readonly uPlot: typeof Plot };
    script.addEventListener('load', () => resolve(loaded.uPlot));
    script.addEventListener('error', () => reject(new Error('uplot.js could not be loaded')));
    document.head.append(script);
  });
}
