/** An address space: its areas to scale, its pages, its page table, and calls by hand. */
import type { Pid, Vpn } from '../../shared/units.ts';
import { el, fill, row, say, table } from '../core/dom.ts';
import type { Session } from '../core/session.ts';
import { TEXT_MS, throttle } from '../core/view.ts';
import type { View } from '../core/view.ts';
import { areasIn } from '../read/areas.ts';
import type { AreaView } from '../read/areas.ts';
import { processRow, processRows } from '../read/processes.ts';
import type { ProcessRow } from '../read/processes.ts';
import { AreaStrip } from './area-strip.ts';
import { HandPanel } from './hand-panel.ts';
import { addressText, counted, sizeText } from './numbers.ts';
import { PageCells } from './page-cells.ts';
import { TableTree } from './table-tree.ts';

export class SpaceView implements View {
  readonly name = 'space';
  readonly title = 'Address space';
  readonly element: HTMLElement;
  readonly update: (nowMs: number) => void;
  readonly #select = el('select', { 'aria-label': 'Process' });
  readonly #summary = el('p', { class: 'hint' });
  readonly #strip = new AreaStrip(({ startVpn }) => this.#choose(startVpn));
  readonly #areas = table('Areas', [
    ...['from', 'size', 'permission', 'backend', 'resident', 'swapped', 'pages by entry'],
  ]);
  readonly #cells = new PageCells((vpn) => this.#choose(vpn));
  readonly #tree = new TableTree();
  readonly #hand: HandPanel;
  readonly #handHint = el('p', { class: 'hint' });
  #session: Session | null = null;
  #pid: Pid = 0;
  #vpn: Vpn = -1;

  constructor() {
    this.update = throttle(TEXT_MS, () => this.#refresh());
    this.#hand = new HandPanel({
      session: () => this.#session,
      pid: () => this.#pid,
      onDone: (vpn) => {
        if (vpn >= 0) this.#choose(vpn);
        this.#refresh();
      },
    });
    this.#select.addEventListener('change', () => this.#open(Number(this.#select.value)));
    this.element = el(
      'section',
      { 'aria-label': 'Address space' },
      el('label', { class: 'inline' }, el('span', {}, 'Process'), this.#select),
      ...[this.#summary, this.#strip.element],
      el(
        'div',
        { class: 'columns' },
        el(
          'div',
          { class: 'wide' },
          el('h2', {}, 'Areas'),
          this.#areas.element,
          this.#cells.element,
        ),
        el('div', { class: 'wide' }, el('h2', {}, 'By hand'), this.#handHint, this.#hand.element),
      ),
      ...[el('h2', {}, 'Page table'), this.#tree.element],
    );
  }

  attach(session: Session | null): void {
    this.#session = session;
    this.#pid = 0;
    this.#vpn = -1;
    this.#hand.clear();
    this.#hand.enable(false);
    this.#refresh();
  }

  /** Shows a process at a page; a page of 0 stands for its first area. */
  focusPage(pid: Pid, vpn: Vpn): void {
    this.#open(pid);
    if (vpn > 0) this.#choose(vpn);
    this.#refresh();
  }

  #open(pid: Pid): void {
    this.#pid = pid;
    this.#vpn = -1;
    this.#hand.clear();
    this.#refresh();
  }

  #choose(vpn: Vpn): void {
    if (vpn !== this.#vpn) this.#tree.reveal(vpn);
    this.#vpn = vpn;
    this.#hand.aim(vpn);
    this.#refresh();
  }

  #refresh(): void {
    const session = this.#session;
    if (session === null) return;
    const { machine, hand } = session;
    const living = processRows(machine).filter(({ space }) => space !== 0);
    this.#refreshSelect(living, session);
    const process = processRow(machine, this.#pid);
    if (process === null || process.space === 0) {
      say(this.#summary, 'This process has ended.');
      return this.#hand.enable(false);
    }
    const isHand = hand.has(this.#pid);
    this.#hand.enable(isHand && session.control.mode !== 'paused');
    say(
      this.#handHint,
      isHand
        ? 'The process does what you ask for. Map some pages, then write to one of them.'
        : 'This process runs a program of its own: choose one called “hand” to act by hand.',
    );
    const areas = areasIn(machine, process.space, process.root);
    const resident = areas.reduce((sum, area) => sum + area.resident, 0);
    say(
      this.#summary,
      `${process.name} on CPU ${process.cpu}: ${counted(areas.length, 'area')}, ` +
        `${counted(resident, 'page')} resident, ${counted(process.tables, 'page table')}, ` +
        `${counted(process.faultsMinor + process.faultsMajor, 'fault')}, ` +
        `${counted(process.shootdowns, 'shootdown')}.`,
    );
    this.#strip.show(areas, this.#vpn);
    this.#refreshAreas(areas);
    const chosen = areas.find(
      ({ startVpn, endVpn }) => this.#vpn >= startVpn && this.#vpn < endVpn,
    );
    this.#cells.show(machine, process.root, chosen ?? areas[0] ?? null, this.#vpn);
    this.#tree.show(machine, process.root);
  }

  #refreshSelect(living: readonly ProcessRow[], session: Session): void {
    if (this.#pid === 0) this.#pid = session.handPid || (living[0]?.pid ?? 0);
    const labels = living.map(({ pid, name }) => `${pid}: ${name}`);
    const text = `${this.#pid} ${labels.join()}`;
    if (this.#select.dataset['text'] === text) return;
    this.#select.dataset['text'] = text;
    const options = living.map(({ pid }, i) =>
      el('option', { value: pid, selected: pid === this.#pid }, labels[i] ?? ''),
    );
    fill(this.#select, ...options);
  }

  #refreshAreas(areas: readonly AreaView[]): void {
    const rows = areas.map((area) => {
      const { startVpn, endVpn, permissions, backend, resident, swapped, pages } = area;
      const open = el('button', { type: 'button', class: 'link' }, addressText(startVpn));
      open.addEventListener('click', () => this.#choose(startVpn));
      const kinds = Object.entries(pages).map(([kind, count]) => `${count} ${kind}`);
      const isChosen = this.#vpn >= startVpn && this.#vpn < endVpn;
      const line = row(
        ...[open, sizeText(endVpn - startVpn), permissions, backend],
        ...[String(resident), String(swapped), kinds.join(', ')],
      );
      if (isChosen) line.className = 'chosen';
      return line;
    });
    const text = rows.map((line) => line.outerHTML).join('');
    const { body } = this.#areas;
    if (body.dataset['text'] === text) return;
    body.dataset['text'] = text;
    fill(body, ...rows);
  }
}
