/** The pages of one area as cells, coloured by what their entries are. */
import type { Machine } from '../../kernel/index.ts';
import type { Pfn, Vpn } from '../../shared/units.ts';
import { button, el, fill, say } from '../core/dom.ts';
import type { AreaView } from '../read/areas.ts';
import { describeEntry, kindOfEntry, walkSteps } from '../read/entries.ts';
import type { EntryKind } from '../read/entries.ts';
import { addressText } from './numbers.ts';

/** Cells at a time; an area may have millions of pages. */
const CELLS_MAX = 256;

export class PageCells {
  readonly element: HTMLElement;
  readonly #title = el('h3', {}, 'Pages');
  readonly #cells = el('div', { class: 'cells', role: 'group', 'aria-label': 'Pages of the area' });
  readonly #legend = el('ul', { class: 'legend' });
  readonly #onChoose: (vpn: Vpn) => void;

  constructor(onChoose: (vpn: Vpn) => void) {
    this.#onChoose = onChoose;
    this.element = el('div', {}, this.#title, this.#cells, this.#legend);
  }

  show(machine: Machine, root: Pfn, area: AreaView | null, chosenVpn: Vpn): void {
    if (area === null) {
      say(this.#title, 'No area is mapped yet');
      this.#cells.dataset['text'] = '';
      fill(this.#cells);
      return fill(this.#legend);
    }
    const { startVpn, endVpn } = area;
    const middle = Math.max(startVpn, chosenVpn - CELLS_MAX / 2);
    const first = Math.max(startVpn, Math.min(middle, endVpn - CELLS_MAX));
    const count = Math.min(CELLS_MAX, endVpn - first);
    const of = endVpn - startVpn > count ? `${count} of ${endVpn - startVpn} pages` : 'Pages';
    say(this.#title, `${of} from ${addressText(first)}`);
    const entries = Array.from(
      { length: count },
      (_, i) => walkSteps(machine, root, first + i).at(-1)?.entry ?? 0,
    );
    const text = `${first} ${chosenVpn} ${entries.join()}`;
    if (this.#cells.dataset['text'] === text) return;
    const focused = [...this.#cells.children].indexOf(document.activeElement as Element);
    this.#cells.dataset['text'] = text;
    const kinds = new Set<EntryKind>();
    const cells = entries.map((entry, i) => {
      const kind = kindOfEntry(entry);
      kinds.add(kind);
      const label = `${addressText(first + i)}: ${describeEntry(entry)}`;
      return button('', () => this.#onChoose(first + i), {
        class: `cell kind-${className(kind)}`,
        title: label,
        'aria-label': label,
        'aria-pressed': String(first + i === chosenVpn),
      });
    });
    fill(this.#cells, ...cells);
    (this.#cells.children[focused] as HTMLElement | undefined)?.focus();
    const items = [...kinds].map((kind) => {
      const swatch = el('span', {
        class: `swatch kind-${className(kind)}`,
        'aria-hidden': 'true',
      });
      return el('li', {}, swatch, kind);
    });
    fill(this.#legend, ...items);
  }
}

function className(kind: EntryKind): string {
  return kind.replaceAll(' ', '-');
}
