/** A look at a process's windows: areas, residency and bytes, in terms that both sides share. */
import { PAGE_SIZE } from '../../shared/limits.ts';
import { hex, linesIn, parseMaps } from './maps-text.ts';
import type { Placed } from './maps-text.ts';
import { pagemapLetters } from './pagemap-text.ts';
import { smapsIn } from './smaps-text.ts';
import type { State } from './sequence.ts';
import { accessResult } from './steps.ts';
import type { Step, StepResult } from './steps.ts';
import { hashText } from './subject.ts';

export interface CaptureOptions {
  readonly windows: readonly Placed[];
  readonly scratch: number;
  /** Whether smaps is read, and whether pages may have been marked (smaps-text.ts). */
  readonly smaps: boolean;
  readonly isMarked: boolean;
  /**
   * Read every page, which makes it resident. Otherwise only resident pages are read: no change.
   */
  readonly readAll: boolean;
  /** Whether both kernels have mincore. */
  readonly mincore: boolean;
}

export class Capture {
  readonly #options: CaptureOptions;
  /** Index of the first of its steps, and of the first about a page. */
  readonly #first: number;
  readonly #firstPage: number;

  /** Adds to `steps`: the areas; residency, if known, and content of pages; the scratch page. */
  constructor(steps: Step[], options: CaptureOptions) {
    this.#options = options;
    this.#first = steps.length;
    const { windows, scratch, readAll, mincore, smaps } = options;
    steps.push({ kind: 'maps' });
    for (const { start, end } of windows) {
      steps.push({ kind: 'pagemap', address: start, pages: (end - start) / PAGE_SIZE });
    }
    if (smaps) steps.push({ kind: 'smaps' });
    this.#firstPage = steps.length;
    for (const { start, end } of windows) {
      for (let address = start; address < end; address += PAGE_SIZE) {
        if (mincore) steps.push({ kind: 'resident', address });
        steps.push({ kind: 'content', address, always: readAll || !mincore });
      }
    }
    steps.push({ kind: 'content', address: scratch, always: true });
  }

  /** Equal for equal states. */
  digest(results: readonly StepResult[]): number {
    const { maps, pagemap, smaps } = this.#reports(results);
    let hash = hashText([...maps, ...pagemap, ...smaps].join('\n'));
    const pages = this.#pages() * (this.#options.mincore ? 2 : 1) + 1;
    for (let i = 0; i < pages; i++) {
      const value = results[this.#firstPage + i] as number;
      hash = Math.imul(hash ^ (Number.isNaN(value) ? 0x7fffffff : value | 0), 0x01000193);
    }
    return hash >>> 0;
  }

  state(results: readonly StepResult[]): State {
    const { windows, mincore } = this.#options;
    const resident: string[] = [];
    const pages: Record<string, string> = {};
    let at = this.#firstPage;
    for (const { name, start, end } of windows) {
      let letters = '';
      for (let address = start; address < end; address += PAGE_SIZE) {
        if (mincore) letters += ['-', '0', '1'][(results[at++] as number) + 1];
        const value = results[at++] as number;
        if (!Number.isNaN(value)) pages[`${name}+${hex(address - start)}`] = contentText(value);
      }
      resident.push(`${name} ${letters}`);
    }
    pages['scratch'] = contentText(results[at] as number);
    return { ...this.#reports(results), resident, pages };
  }

  #pages(): number {
    return this.#options.windows.reduce(
      (sum, { start, end }) => sum + (end - start) / PAGE_SIZE,
      0,
    );
  }

  #reports(results: readonly StepResult[]): Pick<State, 'maps' | 'pagemap' | 'smaps'> {
    const text = results[this.#first] as string;
    const { windows, smaps, isMarked } = this.#options;
    const from = Math.min(...windows.map(({ start }) => start));
    const lines = parseMaps(text, from, Math.max(...windows.map(({ end }) => end)));
    const pagemap = windows.map((window, i) => {
      const digits = results[this.#first + 1 + i] as string;
      return `${window.name} ${pagemapLetters(digits, lines, window)}`;
    });
    return {
      maps: windows.flatMap((window) => linesIn(lines, window)),
      pagemap,
      smaps: smaps ? smapsIn(results[this.#firstPage - 1] as string, windows, isMarked) : [],
    };
  }
}

function contentText(value: number): string {
  return value >= 0 ? value.toString(16) : accessResult(value);
}
