/** A program of one's own: written in the page, run as a module, errors shown at their line. */
import type { ExitStatus } from 'faultline';
import { button, el, say } from '../core/dom.ts';
import type { Session } from '../core/session.ts';
import { endText } from '../core/session.ts';

const KEPT = 'faultline-program';
const SAMPLE = `import { defineProgram, MAP_ANONYMOUS, MAP_PRIVATE, PROT_READ, PROT_WRITE }
  from 'faultline/program';

export default defineProgram(async (proc) => {
  const pages = 64;
  const at = await proc.mmap(0, pages * 4096, PROT_READ | PROT_WRITE,
    MAP_PRIVATE | MAP_ANONYMOUS);
  for (let page = 0; page < pages; page++) {
    proc.mem.store32(at + page * 4096, page);
    await proc.nanosleep(20e6); // Slowly, so that you can watch the frames fill.
  }
  proc.print(\`\${pages} pages at 0x\${at.toString(16)}\`);
  return 0;
});
`;

/** What the editor says of a program that has failed: the line it is at, if it can be told. */
export function lineOfError(text: string, url: string): number | null {
  const at = text.indexOf(`${url}:`);
  const line = at < 0 ? NaN : parseInt(text.slice(at + url.length + 1), 10);
  return Number.isNaN(line) ? null : line;
}

/** The source with the package's name as the URL of its file: a blob resolves no bare names. */
export function withPackageUrl(source: string, programUrl: string): string {
  return source.replace(
    /(\bfrom\s*|\bimport\s*\(?\s*)(['"])faultline\/program\2/g,
    (_all, before: string, quote: string) => `${before}${quote}${programUrl}${quote}`,
  );
}

export class ProgramEditor {
  readonly element: HTMLElement;
  readonly #text = el('textarea', {
    class: 'editor',
    rows: 16,
    spellcheck: 'false',
    'aria-label': 'Source of your program',
  });
  readonly #lines = el('pre', { class: 'line-numbers', 'aria-hidden': 'true' });
  readonly #message = el('p', { class: 'result', role: 'status' });
  readonly #session: () => Session | null;

  constructor(session: () => Session | null) {
    this.#session = session;
    this.#text.value = localStorage.getItem(KEPT) ?? SAMPLE;
    this.#text.addEventListener('input', () => this.#number());
    this.#text.addEventListener('scroll', () => (this.#lines.scrollTop = this.#text.scrollTop));
    this.element = el(
      'div',
      {},
      el('div', { class: 'code' }, this.#lines, this.#text),
      el(
        'div',
        { class: 'buttons' },
        button('Run it', () => void this.#run(), { class: 'main' }),
        button('Start again from the sample', () => {
          this.#text.value = SAMPLE;
          this.#number();
        }),
      ),
      this.#message,
    );
    this.#number();
  }

  #number(): void {
    localStorage.setItem(KEPT, this.#text.value);
    const count = this.#text.value.split('\n').length;
    say(this.#lines, Array.from({ length: count }, (_, i) => i + 1).join('\n'));
  }

  async #run(): Promise<void> {
    const session = this.#session();
    if (session === null) return;
    say(this.#message, '');
    const programUrl = new URL('./program.js', document.baseURI).href;
    const source = withPackageUrl(this.#text.value, programUrl);
    // It stays: a child or thread loads the same module, at any later time.
    const url = URL.createObjectURL(new Blob([source], { type: 'text/javascript' }));
    try {
      const process = await session.run(url, 'mine', []);
      this.#tell(process.pid, await process.wait(), url);
    } catch (error) {
      say(this.#message, error instanceof Error ? error.message : String(error));
    }
  }

  #tell(pid: number, status: ExitStatus, url: string): void {
    const line = status.code === undefined ? lineOfError(status.stack ?? '', url) : null;
    const where = line === null ? '' : `, at line ${line}`;
    say(this.#message, `Process ${pid} ${endText(status)}${where}.`);
    if (line !== null) this.#select(line);
  }

  /** Selects a line, so that it is seen. */
  #select(line: number): void {
    const before = this.#text.value.split('\n').slice(0, line - 1);
    const start = before.reduce((sum, text) => sum + text.length + 1, 0);
    const length = this.#text.value.slice(start).indexOf('\n');
    this.#text.focus();
    this.#text.setSelectionRange(start, length < 0 ? this.#text.value.length : start + length);
  }
}
