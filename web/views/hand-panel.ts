/** Calls by hand: map, touch, protect, unmap, discard, fork; and the way that an access took. */
import { bytesOf } from '../../shared/units.ts';
import type { Pid, Vpn } from '../../shared/units.ts';
import { button, choice, el, field, fill, say } from '../core/dom.ts';
import type { Session } from '../core/session.ts';
import type { PathStep } from '../hand/fault-path.ts';
import type { HandCall } from '../hand/hand-messages.ts';
import { handWork } from '../hand/hand-work.ts';
import type { HandOutcome } from '../hand/hand-work.ts';
import { addressText, parseAddress } from './numbers.ts';

const PAGES_MAX = 2 ** 20;
/** How long 'Keep writing' lasts. */
const BUSY_MS = 3000;
const protections: Readonly<Record<string, number>> = { 'rw-': 3, 'r--': 1, '---': 0, rwx: 7 };

export interface HandPanelNeeds {
  readonly session: () => Session | null;
  readonly pid: () => Pid;
  /** After a call: the page it was about, or -1. */
  readonly onDone: (vpn: Vpn) => void;
}

export class HandPanel {
  readonly element: HTMLElement;
  readonly #needs: HandPanelNeeds;
  readonly #address = field('Address', '', { size: 14, spellcheck: 'false' });
  readonly #pages = field('Pages', '8', { type: 'number', min: 1, max: PAGES_MAX, size: 6 });
  readonly #prot = choice('Permission', Object.keys(protections), 'rw-');
  readonly #kind = choice('Mapping', ['private', 'shared'], 'private');
  readonly #result = el('p', { class: 'result', role: 'status' });
  readonly #earlier = el('p', { class: 'hint' });
  readonly #path = el('ol', { class: 'path' });
  readonly #buttons: HTMLElement;
  #writes = 0;
  #sources: Readonly<Record<string, string>> | null = null;

  constructor(needs: HandPanelNeeds) {
    this.#needs = needs;
    const calls: readonly (readonly [string, () => HandCall | string])[] = [
      [
        'Map',
        () => ({
          call: 'mmap',
          ...this.#length(),
          ...this.#permission(),
          shared: this.#isShared(),
        }),
      ],
      ['Read', () => this.#at((address) => ({ call: 'read', address }))],
      ['Write', () => this.#at((address) => ({ call: 'write', address, value: ++this.#writes }))],
      [
        'Protect',
        () =>
          this.#at((address) => ({
            call: 'mprotect',
            address,
            ...this.#length(),
            ...this.#permission(),
          })),
      ],
      ['Unmap', () => this.#at((address) => ({ call: 'munmap', address, ...this.#length() }))],
      ['Discard', () => this.#at((address) => ({ call: 'discard', address, ...this.#length() }))],
      ['Write all', () => this.#at((address) => ({ call: 'fill', address, ...this.#length() }))],
      ['Keep writing', () => this.#at((address) => ({ call: 'busy', address, ms: BUSY_MS }))],
      ['Fork', () => ({ call: 'fork' })],
      ['Thread', () => ({ call: 'thread' })],
      ['Exit', () => ({ call: 'exit' })],
    ];
    this.#buttons = el(
      'div',
      { class: 'buttons', role: 'group', 'aria-label': 'Calls' },
      ...calls.map(([label, call]) => button(label, () => void this.#do(call()))),
    );
    const inputs = [this.#address, this.#pages, this.#prot, this.#kind];
    this.element = el(
      'div',
      { class: 'hand' },
      el('div', { class: 'fields' }, ...inputs.map(({ element }) => element)),
      ...[this.#buttons, this.#result, this.#earlier, this.#path],
    );
  }

  /** Puts the address of a page into the field. */
  aim(vpn: Vpn): void {
    this.#address.input.value = addressText(vpn);
  }

  /** Whether calls are possible now. */
  enable(isEnabled: boolean): void {
    for (const control of this.#buttons.querySelectorAll('button')) control.disabled = !isEnabled;
  }

  clear(): void {
    say(this.#result, '');
    say(this.#earlier, '');
    fill(this.#path);
  }

  #length(): { readonly bytes: number } {
    const pages = Math.round(Number(this.#pages.input.value));
    return { bytes: bytesOf(Math.max(1, Math.min(PAGES_MAX, pages || 1))) };
  }

  #permission(): { readonly prot: number } {
    return { prot: protections[this.#prot.input.value] ?? 0 };
  }

  #isShared(): boolean {
    return this.#kind.input.value === 'shared';
  }

  #at(call: (address: number) => HandCall): HandCall | string {
    const address = parseAddress(this.#address.input.value);
    return Number.isNaN(address)
      ? 'Give an address first, such as 0x10000, or map pages.'
      : call(address);
  }

  async #do(call: HandCall | string): Promise<void> {
    const session = this.#needs.session();
    const pid = this.#needs.pid();
    if (typeof call === 'string') return say(this.#result, call);
    if (session === null) return;
    if (session.control.mode === 'paused') {
      return say(this.#result, 'The machine is paused: let it run first.');
    }
    const outcome = await handWork(session, pid, call);
    this.#tell(outcome);
    if (call.call === 'mmap' && outcome.reply.error === null) {
      this.#address.input.value = `0x${outcome.reply.result.toString(16)}`;
    }
    const address = parseAddress(this.#address.input.value);
    this.#needs.onDone(Number.isNaN(address) ? -1 : Math.floor(address / bytesOf(1)));
  }

  #tell({ pid, what, reply, path }: HandOutcome): void {
    const outcome = reply.error ?? resultText(what, reply.result);
    const earlier = this.#result.textContent;
    say(this.#earlier, earlier === '' ? '' : `Before: ${earlier}`);
    say(this.#result, `${callText(what)} by process ${pid}: ${outcome}`);
    fill(this.#path, ...path.map((step) => this.#step(step)));
  }

  #step({ text, source }: PathStep): HTMLElement {
    if (source === '') return el('li', {}, text);
    const [file = '', name = ''] = source.split(':');
    const code = el('pre', { tabindex: 0, 'aria-label': `Source of ${name}` });
    const details = el('details', {}, el('summary', {}, `${name}, ${file}`), code);
    details.addEventListener('toggle', () => {
      if (details.open && code.textContent === '') void this.#showSource(source, code);
    });
    return el('li', {}, text, details);
  }

  async #showSource(source: string, code: HTMLElement): Promise<void> {
    this.#sources ??= (await (await fetch('./sources.json')).json()) as Record<string, string>;
    say(code, this.#sources[source] ?? 'not here');
  }
}

function callText(what: HandCall): string {
  const at = 'address' in what ? ` 0x${what.address.toString(16)}` : '';
  const pages = 'bytes' in what ? `, ${what.bytes / bytesOf(1)} pages` : '';
  return `${what.call}${at}${pages}`;
}

function resultText({ call }: HandCall, result: number): string {
  switch (call) {
    case 'mmap':
      return `mapped at 0x${result.toString(16)}`;
    case 'read':
      return `read ${result}`;
    case 'fork':
      return `child is process ${result}`;
    case 'thread':
      return `thread is process ${result}`;
    case 'fill':
      return `${result} pages written`;
    case 'busy':
      return `${result.toLocaleString('en')} writes`;
    default:
      return 'done';
  }
}
