/**
 * A track for each CPU: what it did, as seen each time the browser draws. A mode that lasts shorter
 * than a sixtieth of a second is seen only by chance; the record of a machine has them all.
 */
import { el } from '../core/dom.ts';
import type { Session } from '../core/session.ts';
import { cpuRow } from '../read/processes.ts';

const SPAN_MS = 10_000;
const TRACK_PX = 22;
const LABEL_PX = 64;

interface Sample {
  readonly timeMs: number;
  readonly modes: readonly string[];
}

const MODES = ['user', 'kernel', 'waits', 'idle', 'stopped'];

export class CpuTimeline {
  readonly element: HTMLElement;
  readonly #canvas = el('canvas', { role: 'img', 'aria-label': 'What each CPU did' });
  #session: Session | null = null;
  #samples: Sample[] = [];

  constructor() {
    const items = MODES.map((mode) =>
      el('li', {}, el('span', { class: `swatch mode-${mode}`, 'aria-hidden': 'true' }), mode),
    );
    const legend = el('ul', { class: 'legend' }, ...items);
    this.element = el('div', { class: 'timeline' }, this.#canvas, legend);
  }

  attach(session: Session | null): void {
    this.#session = session;
    this.#samples = [];
  }

  /** Notes what the CPUs do now. */
  sample(nowMs: number): void {
    const session = this.#session;
    if (session === null) return;
    const cpus = Number(session.settings.cpus) + 1;
    const modes = Array.from({ length: cpus }, (_, id) => cpuRow(session.machine, id).mode);
    this.#samples.push({ timeMs: nowMs, modes });
    while ((this.#samples[0]?.timeMs ?? nowMs) < nowMs - SPAN_MS) this.#samples.shift();
  }

  draw(nowMs: number): void {
    const cpus = this.#samples.at(-1)?.modes.length ?? 0;
    const ratio = Math.max(1, Math.round(devicePixelRatio));
    const width = this.element.clientWidth;
    const height = cpus * TRACK_PX;
    const canvas = this.#canvas;
    if (canvas.width !== width * ratio || canvas.height !== height * ratio) {
      canvas.width = width * ratio;
      canvas.height = height * ratio;
      canvas.style.width = `${width}px`;
    }
    const context = canvas.getContext('2d') as CanvasRenderingContext2D;
    const styles = getComputedStyle(canvas);
    const colour = (name: string): string => styles.getPropertyValue(name).trim();
    const colours = new Map(MODES.map((mode) => [mode, colour(`--mode-${mode}`)]));
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    context.font = '12px system-ui, sans-serif';
    context.textBaseline = 'middle';
    const scale = (width - LABEL_PX) / SPAN_MS;
    for (let id = 0; id < cpus; id++) {
      const y = id * TRACK_PX;
      context.fillStyle = colour('--text');
      context.fillText(id === 0 ? 'kernel w.' : `CPU ${id}`, 2, y + TRACK_PX / 2);
      this.#samples.forEach(({ timeMs, modes }, i) => {
        const endMs = this.#samples[i + 1]?.timeMs ?? nowMs;
        context.fillStyle = colours.get(modes[id] ?? '') ?? 'transparent';
        const x = LABEL_PX + (SPAN_MS - (nowMs - timeMs)) * scale;
        context.fillRect(x, y + 3, Math.max(1, (endMs - timeMs) * scale + 0.5), TRACK_PX - 6);
      });
    }
  }
}
