/** Physical memory: every frame a cell, drawn from the shared machine as often as the screen is. */
import { frameUsage } from '../../kernel/index.ts';
import { button, el, fill, newId, say } from '../core/dom.ts';
import type { Session } from '../core/session.ts';
import { TEXT_MS, throttle } from '../core/view.ts';
import type { Page, View } from '../core/view.ts';
import { describeFrame } from '../read/frame-facts.ts';
import { processRows } from '../read/processes.ts';
import { DARK, FramePainter, LIGHT, cssColour, ownerColour, pixel } from './frame-colours.ts';
import type { Palette } from './frame-colours.ts';

const CELL_MAX = 20;
const HEIGHT_MAX = 640;
/** Owners in the legend; more share its colours anyway. */
const LEGEND_MAX = 12;
const RATE_FRAMES = 60;

const steps: Readonly<Record<string, (columns: number) => number>> = {
  ArrowLeft: () => -1,
  ArrowRight: () => 1,
  ArrowUp: (columns) => -columns,
  ArrowDown: (columns) => columns,
  PageUp: (columns) => -8 * columns,
  PageDown: (columns) => 8 * columns,
  Home: () => -Infinity,
  End: () => Infinity,
};

export class MemoryView implements View {
  readonly name = 'memory';
  readonly title = 'Memory';
  readonly element: HTMLElement;
  readonly #page: Page;
  readonly #canvas: HTMLCanvasElement;
  readonly #context: CanvasRenderingContext2D;
  readonly #small = document.createElement('canvas');
  readonly #facts = el('div', { class: 'facts', role: 'status' });
  readonly #legend = el('ul', { class: 'legend' });
  readonly #rate = el('p', { class: 'hint', id: 'frame-rate' });
  readonly #dark = matchMedia('(prefers-color-scheme: dark)');
  readonly #everyText: (nowMs: number) => void;
  #session: Session | null = null;
  #image: ImageData | null = null;
  #pixels = new Uint32Array(0);
  #palette: Palette = LIGHT;
  #painter: FramePainter = new FramePainter(LIGHT);
  #columns = 1;
  #cell = 1;
  #chosen = 0;
  #drawnMs: number[] = [];
  #costMs = 0;

  constructor(page: Page) {
    this.#page = page;
    const help = newId();
    this.#canvas = el('canvas', {
      tabindex: 0,
      role: 'application',
      'aria-label': 'Map of all frames',
      'aria-describedby': help,
    });
    this.#context = this.#canvas.getContext('2d', { alpha: false }) as CanvasRenderingContext2D;
    this.#everyText = throttle(TEXT_MS, () => this.#refreshText());
    this.#listen();
    this.element = el(
      'section',
      { 'aria-label': 'Memory' },
      el('h2', {}, 'Physical memory, a cell for each frame of 4 KiB'),
      el(
        'p',
        { class: 'hint', id: help },
        'Point at a frame, or use the arrow keys, to see what it is; click it or press Enter to ' +
          'see the page that maps it.',
      ),
      el('div', { class: 'map' }, this.#canvas),
      this.#facts,
      this.#legend,
      this.#rate,
    );
  }

  attach(session: Session | null): void {
    this.#session = session;
    this.#image = null;
    this.#chosen = 0;
    fill(this.#facts, 'No frame is chosen.');
  }

  update(nowMs: number): void {
    const session = this.#session;
    if (session === null) return;
    this.#everyText(nowMs);
    this.#resize(session);
    const startedMs = performance.now();
    this.#painter.paint(session.machine, session.owners, this.#pixels);
    const small = this.#small.getContext('2d') as CanvasRenderingContext2D;
    small.putImageData(this.#image as ImageData, 0, 0);
    this.#draw();
    this.#costMs = performance.now() - startedMs;
    this.#drawnMs.push(nowMs);
    if (this.#drawnMs.length > RATE_FRAMES) this.#drawnMs.shift();
  }

  #draw(): void {
    const context = this.#context;
    const { width, height } = this.#canvas;
    const scale = width / this.#columns;
    context.imageSmoothingEnabled = false;
    context.drawImage(this.#small, 0, 0, width, (this.#small.height * width) / this.#small.width);
    if (this.#cell >= 5) this.#drawGrid(context, scale, width, height);
    if (this.#chosen === 0) return;
    context.strokeStyle = this.#dark.matches ? '#ffffff' : '#000000';
    context.lineWidth = 2;
    const x = (this.#chosen % this.#columns) * scale;
    const y = Math.floor(this.#chosen / this.#columns) * scale;
    context.strokeRect(x - 1, y - 1, scale + 2, scale + 2);
  }

  #drawGrid(context: CanvasRenderingContext2D, scale: number, width: number, height: number): void {
    context.fillStyle = cssColour(this.#palette.hole);
    for (let x = 0; x < width; x += scale) context.fillRect(Math.round(x), 0, 1, height);
    for (let y = 0; y < height; y += scale) context.fillRect(0, Math.round(y), width, 1);
  }

  /** Cells as large as they fit, and a pixel of the small picture for each. */
  #resize({ machine }: Session): void {
    const width = Math.floor(this.#canvas.parentElement?.clientWidth ?? 0);
    if (width <= 0) return;
    const fitting = Math.floor(Math.sqrt((width * HEIGHT_MAX) / machine.frames));
    const cell = Math.max(1, Math.min(CELL_MAX, fitting));
    const columns = Math.floor(width / cell);
    const palette = this.#dark.matches ? DARK : LIGHT;
    const isSame = columns === this.#columns && this.#image !== null;
    if (isSame && palette === this.#palette) return;
    if (palette !== this.#palette) this.#painter = new FramePainter(palette);
    this.#palette = palette;
    const rows = Math.ceil(machine.frames / columns);
    const ratio = Math.max(1, Math.round(devicePixelRatio));
    [this.#columns, this.#cell] = [columns, cell];
    [this.#small.width, this.#small.height] = [columns, rows];
    this.#image = new ImageData(columns, rows);
    this.#pixels = new Uint32Array(this.#image.data.buffer);
    this.#pixels.fill(pixel(palette.hole));
    this.#canvas.width = columns * cell * ratio;
    this.#canvas.height = rows * cell * ratio;
    this.#canvas.style.width = `${columns * cell}px`;
  }

  #listen(): void {
    const frameAt = ({ offsetX, offsetY }: MouseEvent): number =>
      Math.floor(offsetY / this.#cell) * this.#columns + Math.floor(offsetX / this.#cell);
    this.#canvas.addEventListener('mousemove', (event) => this.#choose(frameAt(event)));
    this.#canvas.addEventListener('click', (event) => {
      this.#choose(frameAt(event));
      this.#follow();
    });
    this.#canvas.addEventListener('keydown', (event) => {
      if (event.key === 'Enter') return this.#follow();
      const step = steps[event.key]?.(this.#columns);
      if (step === undefined) return;
      event.preventDefault();
      const last = (this.#session?.machine.frames ?? 1) - 1;
      this.#choose(Math.max(1, Math.min(last, this.#chosen + step)));
    });
  }

  #choose(pfn: number): void {
    const frames = this.#session?.machine.frames ?? 0;
    if (pfn < 0 || pfn >= frames) return;
    this.#chosen = pfn;
    this.#refreshFacts();
  }

  #refreshFacts(): void {
    const session = this.#session;
    if (session === null || this.#chosen === 0) return;
    const { text, uses } = describeFrame(session, this.#chosen);
    const links = uses.slice(0, 8).map(({ pid, vpn }) =>
      button(`process ${pid}, page 0x${vpn.toString(16)}`, () => this.#page.showPage(pid, vpn), {
        class: 'link',
      }),
    );
    if (this.#facts.dataset['text'] === text) return;
    this.#facts.dataset['text'] = text;
    fill(this.#facts, text, ...links.flatMap((link) => [' ', link]));
  }

  /** To the first page that maps the frame. */
  #follow(): void {
    const session = this.#session;
    if (session === null) return;
    const use = session.owners.usesOf(this.#chosen)[0];
    if (use === undefined) this.#page.announce('No process maps this frame.');
    else this.#page.showPage(use.pid, use.vpn);
  }

  #refreshText(): void {
    const session = this.#session;
    if (session === null) return;
    session.owners.refresh();
    this.#refreshFacts();
    this.#refreshLegend(session);
    const [first = 0] = this.#drawnMs;
    const last = this.#drawnMs.at(-1) ?? 0;
    const rate = last > first ? ((this.#drawnMs.length - 1) * 1000) / (last - first) : 0;
    say(
      this.#rate,
      `${session.machine.frames.toLocaleString('en')} frames, drawn ${rate.toFixed(0)} times a ` +
        `second in ${this.#costMs.toFixed(1)} ms each.`,
    );
  }

  #refreshLegend({ machine }: Session): void {
    const palette = this.#palette;
    const processes = processRows(machine).filter(({ space }) => space !== 0);
    const { total, used } = frameUsage(machine);
    const entries: (readonly [string, number])[] = [
      [`free (${(total - used).toLocaleString('en')})`, palette.free],
      ['in a CPU’s cache', palette.cached],
      ['page table', palette.table],
      ['kernel', palette.kernel],
      ['page of a file or object', palette.object],
      ['mapped by several', palette.shared],
      ...processes
        .slice(0, LEGEND_MAX)
        .map(({ pid, name }) => [`${name} (${pid})`, ownerColour(palette, pid)] as const),
    ];
    if (processes.length > LEGEND_MAX) entries.push([`${processes.length} processes in all`, 0]);
    const text = entries.join();
    if (this.#legend.dataset['text'] === text) return;
    this.#legend.dataset['text'] = text;
    const items = entries.map(([label, colour]) => {
      const swatch = el('span', { class: 'swatch', 'aria-hidden': 'true' });
      swatch.style.background = cssColour(colour);
      return el('li', {}, swatch, label);
    });
    fill(this.#legend, ...items);
  }
}
