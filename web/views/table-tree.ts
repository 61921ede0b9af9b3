/** A page table as a tree: each level opens into the next, each entry is in words. */
import { ROOT_LEVEL, pagesAt } from '../../kernel/index.ts';
import type { Machine } from '../../kernel/index.ts';
import * as P from '../../shared/pte.ts';
import type { Pfn, Vpn } from '../../shared/units.ts';
import { el, fill } from '../core/dom.ts';
import { describeEntry, runsOf } from '../read/entries.ts';
import type { EntryRun } from '../read/entries.ts';
import { addressText, sizeText } from './numbers.ts';

/** Lines of one table; a full one has 1024 entries. */
const LINES_MAX = 128;
const levelNames = ['level 0', 'level 1', 'root, level 2'];

export class TableTree {
  readonly element: HTMLElement = el('div', { class: 'tree' });
  /** First pages of the tables that are open, by level: `1:0x3f000`. */
  readonly #open = new Set<string>();
  #text = '';
  #chosenVpn: Vpn = -1;

  /** Opens the tables on the way to a page, and marks its entry. */
  reveal(vpn: Vpn): void {
    this.#chosenVpn = vpn;
    this.#open.clear();
    for (let level = ROOT_LEVEL - 1; level >= 0; level--) {
      const span = pagesAt(level + 1);
      this.#open.add(keyOf(level, Math.floor(vpn / span) * span));
    }
    this.#text = '';
  }

  show(machine: Machine, root: Pfn): void {
    const lines = this.#level(machine, root, ROOT_LEVEL, 0);
    const text = `${root}:${lines.map((line) => line.outerHTML).join('')}`;
    if (text === this.#text) return;
    this.#text = text;
    const focused = [...this.element.querySelectorAll('summary')].findIndex(
      (summary) => summary === document.activeElement,
    );
    fill(
      this.element,
      el('p', { class: 'hint' }, `${levelNames[ROOT_LEVEL]}: frame ${root}`),
      el('ul', {}, ...lines),
    );
    this.element.querySelectorAll('summary')[focused]?.focus();
  }

  #level(machine: Machine, table: Pfn, level: number, baseVpn: Vpn): HTMLElement[] {
    const runs = runsOf(machine, table);
    const span = pagesAt(level);
    const shown = this.#around(runs, level, baseVpn);
    const lines = shown.map((run) => {
      const vpn = baseVpn + run.index * span;
      return run.kind === 'table'
        ? this.#table(machine, run, level, vpn)
        : this.#leaf(run, vpn, span);
    });
    const hidden = runs.length - shown.length;
    if (hidden > 0) lines.push(el('li', { class: 'hint' }, `and ${hidden} more entries`));
    if (runs.length === 0) lines.push(el('li', { class: 'hint' }, 'all entries are empty'));
    return lines;
  }

  /** At most LINES_MAX runs, the chosen page's among them. */
  #around(runs: readonly EntryRun[], level: number, baseVpn: Vpn): readonly EntryRun[] {
    const index = Math.floor((this.#chosenVpn - baseVpn) / pagesAt(level));
    const at = runs.findIndex((run) => index >= run.index && index < run.index + run.count);
    const first = Math.max(0, Math.min(runs.length - LINES_MAX, at - LINES_MAX / 2));
    return runs.slice(first, first + LINES_MAX);
  }

  #table(machine: Machine, run: EntryRun, level: number, vpn: Vpn): HTMLElement {
    const key = keyOf(level - 1, vpn);
    const isOpen = this.#open.has(key);
    const pfn = P.pfnOf(run.entry);
    const details = el(
      'details',
      { open: isOpen },
      el(
        'summary',
        {},
        el('code', {}, `[${run.index}]`),
        ` ${addressText(vpn)}, ${sizeText(pagesAt(level))}: ${describeEntry(run.entry)}, ` +
          `${levelNames[level - 1]}`,
      ),
    );
    if (isOpen) details.append(el('ul', {}, ...this.#level(machine, pfn, level - 1, vpn)));
    details.addEventListener('toggle', () => {
      if (details.open === this.#open.has(key)) return;
      if (details.open) this.#open.add(key);
      else this.#open.delete(key);
      if (details.open && details.childElementCount === 1) {
        details.append(el('ul', {}, ...this.#level(machine, pfn, level - 1, vpn)));
      }
    });
    return el('li', {}, details);
  }

  #leaf(run: EntryRun, vpn: Vpn, span: number): HTMLElement {
    const isChosen = this.#chosenVpn >= vpn && this.#chosenVpn < vpn + run.count * span;
    const index = run.count === 1 ? `${run.index}` : `${run.index}–${run.index + run.count - 1}`;
    return el(
      'li',
      { class: isChosen ? 'chosen' : null, 'aria-current': isChosen ? 'true' : null },
      el('code', {}, `[${index}]`),
      ` ${addressText(vpn)}, ${sizeText(run.count * span)}: ${describeEntry(run.entry)}`,
    );
  }
}

function keyOf(level: number, vpn: Vpn): string {
  return `${level}:${vpn.toString(16)}`;
}
