/** Programs: the built-in ones and one's own; what they print, and how they end. */
import { button, choice, el, field, fill, say } from '../core/dom.ts';
import type { OutputLine, Session } from '../core/session.ts';
import { throttle } from '../core/view.ts';
import type { Page, View } from '../core/view.ts';
import { BUILTINS, startBuiltin } from './builtin-programs.ts';
import { ProgramEditor } from './program-editor.ts';

const OUTPUT_MS = 100;

export class ProgramsView implements View {
  readonly name = 'programs';
  readonly title = 'Programs';
  readonly element: HTMLElement;
  readonly update: (nowMs: number) => void;
  readonly #page: Page;
  readonly #program = choice('Program', Object.keys(BUILTINS), 'hello');
  readonly #args = field('Arguments, as JSON', '', { size: 28, spellcheck: 'false' });
  readonly #about = el('p', { class: 'hint' });
  readonly #output = el('pre', {
    class: 'output',
    tabindex: 0,
    role: 'log',
    'aria-label': 'Output of programs',
  });
  readonly #editor: ProgramEditor;
  #session: Session | null = null;
  #shown = -1;

  constructor(page: Page) {
    this.#page = page;
    this.update = throttle(OUTPUT_MS, () => this.#refresh());
    this.#editor = new ProgramEditor(() => this.#session);
    const form = el(
      'form',
      { class: 'fields' },
      this.#program.element,
      this.#args.element,
      el('button', { type: 'submit', class: 'main' }, 'Start'),
    );
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      void this.#start();
    });
    this.#program.input.addEventListener('change', () => this.#choose());
    this.element = el(
      'section',
      { 'aria-label': 'Programs', class: 'columns' },
      el(
        'div',
        { class: 'wide' },
        ...[el('h2', {}, 'Built-in programs'), form, this.#about],
        ...[el('h2', {}, 'Your own'), this.#editor.element],
      ),
      el(
        'div',
        { class: 'wide' },
        el('h2', {}, 'Output'),
        this.#output,
        el(
          'div',
          { class: 'buttons' },
          button('Clear', () => this.#clear()),
        ),
      ),
    );
    this.#choose();
  }

  attach(session: Session | null): void {
    this.#session = session;
    this.#shown = -1;
  }

  #choose(): void {
    const builtin = BUILTINS[this.#program.input.value];
    say(this.#about, builtin?.about ?? '');
    this.#args.input.value = builtin === undefined ? '' : JSON.stringify(builtin.args);
  }

  async #start(): Promise<void> {
    const session = this.#session;
    if (session === null) return;
    const name = this.#program.input.value;
    const args = this.#args.input.value;
    this.#page.set({
      program: name,
      args: args === JSON.stringify(BUILTINS[name]?.args) ? '' : args,
    });
    await startBuiltin(session, name, args);
  }

  #clear(): void {
    this.#session?.output.splice(0);
    this.#shown = -1;
  }

  #refresh(): void {
    const session = this.#session;
    if (session === null || session.printed === this.#shown) return;
    this.#shown = session.printed;
    fill(this.#output, ...session.output.map(lineElement));
    this.#output.scrollTop = this.#output.scrollHeight;
  }
}

function lineElement({ pid, text, isError }: OutputLine): HTMLElement {
  const who = pid === 0 ? 'page' : String(pid);
  return el(
    'span',
    { class: isError ? 'line error' : 'line' },
    el('span', { class: 'pid' }, who.padStart(4)),
    ` ${text}\n`,
  );
}
