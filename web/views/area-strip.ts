/** The areas of an address space to scale, on a line that can be zoomed and moved. */
import { USER_PAGES } from '../../shared/limits.ts';
import type { Vpn } from '../../shared/units.ts';
import { button, el, fill, say } from '../core/dom.ts';
import type { AreaView } from '../read/areas.ts';
import { addressText, counted, sizeText } from './numbers.ts';

const ZOOM = 4;
/** Narrowest range that is shown. */
const PAGES_MIN = 16;
/** An area is at least this wide, so that it can be seen and hit. */
const PERCENT_MIN = 0.6;

export class AreaStrip {
  readonly element: HTMLElement;
  readonly #line = el('div', { class: 'strip' });
  readonly #scale = el('p', { class: 'hint', role: 'status' });
  readonly #onChoose: (area: AreaView) => void;
  #areas: readonly AreaView[] = [];
  #chosenVpn: Vpn = 0;
  #start: Vpn = 0;
  #pages = USER_PAGES;
  /** Fitted to the areas until the user zooms. */
  #isFitted = true;

  constructor(onChoose: (area: AreaView) => void) {
    this.#onChoose = onChoose;
    const act = (work: () => void) => () => {
      this.#isFitted = false;
      work();
      this.#draw();
    };
    const buttons = [
      button(
        'All 4 TiB',
        act(() => this.#look(0, USER_PAGES)),
      ),
      button('Fit', () => {
        this.#isFitted = true;
        this.show(this.#areas, this.#chosenVpn);
      }),
      button(
        'Zoom in',
        act(() => this.#zoom(1 / ZOOM)),
      ),
      button(
        'Zoom out',
        act(() => this.#zoom(ZOOM)),
      ),
      button(
        '←',
        act(() => this.#look(this.#start - this.#pages / 4, this.#pages)),
        {
          'aria-label': 'Lower addresses',
        },
      ),
      button(
        '→',
        act(() => this.#look(this.#start + this.#pages / 4, this.#pages)),
        {
          'aria-label': 'Higher addresses',
        },
      ),
    ];
    const group = el('div', { class: 'buttons', role: 'group', 'aria-label': 'Zoom' }, ...buttons);
    this.element = el('div', {}, group, this.#line, this.#scale);
  }

  show(areas: readonly AreaView[], chosenVpn: Vpn): void {
    this.#areas = areas;
    this.#chosenVpn = chosenVpn;
    if (this.#isFitted) this.#fit();
    this.#draw();
  }

  #fit(): void {
    const first = this.#areas[0]?.startVpn ?? 0;
    const last = this.#areas.at(-1)?.endVpn ?? USER_PAGES;
    const margin = Math.max(4, (last - first) / 20);
    this.#look(first - margin, last - first + 2 * margin);
  }

  /** Around the chosen page if it is in sight, else around the middle. */
  #zoom(factor: number): void {
    const inSight = this.#chosenVpn >= this.#start && this.#chosenVpn < this.#start + this.#pages;
    const centre = inSight ? this.#chosenVpn : this.#start + this.#pages / 2;
    const pages = this.#pages * factor;
    this.#look(centre - pages / 2, pages);
  }

  #look(start: Vpn, pages: number): void {
    this.#pages = Math.min(USER_PAGES, Math.max(PAGES_MIN, Math.round(pages)));
    this.#start = Math.max(0, Math.min(USER_PAGES - this.#pages, Math.round(start)));
  }

  #draw(): void {
    const end = this.#start + this.#pages;
    const percent = (vpn: Vpn): number => (100 * (vpn - this.#start)) / this.#pages;
    const shown = this.#areas.filter(
      ({ startVpn, endVpn }) => startVpn < end && endVpn > this.#start,
    );
    const boxes = shown.map((area) => {
      const from = Math.max(0, percent(area.startVpn));
      const to = Math.min(100, percent(area.endVpn));
      const isChosen = this.#chosenVpn >= area.startVpn && this.#chosenVpn < area.endVpn;
      const label = `${addressText(area.startVpn)}, ${sizeText(area.endVpn - area.startVpn)}, ${
        area.permissions
      }, ${area.backend}`;
      const box = button('', () => this.#onChoose(area), {
        class: `area area-${area.backend}`,
        title: label,
        'aria-label': `Area ${label}`,
        'aria-pressed': String(isChosen),
      });
      box.style.left = `${Math.min(from, 100 - PERCENT_MIN)}%`;
      box.style.width = `${Math.max(PERCENT_MIN, to - from)}%`;
      return box;
    });
    // Buttons that are replaced under the pointer or the keyboard's focus are lost to the user.
    const text = boxes.map((box) => box.outerHTML).join();
    if (this.#line.dataset['text'] !== text) {
      const focused = [...this.#line.children].indexOf(document.activeElement as Element);
      this.#line.dataset['text'] = text;
      fill(this.#line, ...boxes);
      (this.#line.children[focused] as HTMLElement | undefined)?.focus();
    }
    say(
      this.#scale,
      `${addressText(this.#start)} to ${addressText(end)}: ${sizeText(this.#pages)}, ` +
        `${shown.length} of ${counted(this.#areas.length, 'area')}`,
    );
  }
}
