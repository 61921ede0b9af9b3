/** A look at a process's windows: areas, residency and bytes, in terms that both sides share. */
import { PAGE_SIZE } from '../../shared/limits.ts';
import { hex, linesIn, parseMaps } from './maps-text.ts';
import type { Placed } from './maps-text.ts';
import type { State } from './sequence.ts';
import { accessResult } from './steps.ts';
import type { Step, StepResult } from './steps.ts';
import { hashText } from './subject.ts';

export interface CaptureOptions {
  readonly windows: readonly Placed[];
  readonly scratch: number;
  /**
   * Read every page, which makes it resident. Otherwise only resident pages are read: no change.
   */
  readonly readAll: boolean;
  /** Whether both kernels have mincore. */
  readonly mincore: boolean;
}

export class Capture {
  readonly #options: CaptureOptions;
  /** Index of the first of its steps. */
  readonly #first: number;

  /** Adds to `steps`: the areas; residency, if known, and content of pages; the scratch page. */
  constructor(steps: Step[], options: CaptureOptions) {
    this.#options = options;
    this.#first = steps.length;
    const { windows, scratch, readAll, mincore } = options;
    steps.push({ kind: 'maps' });
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
    let hash = hashText(this.#maps(results).join('\n'));
    const pages = this.#pages() * (this.#options.mincore ? 2 : 1) + 1;
    for (let i = 1; i <= pages; i++) {
      const value = results[this.#first + i] as number;
      hash = Math.imul(hash ^ (Number.isNaN(value) ? 0x7fffffff : value | 0), 0x01000193);
    }
    return hash >>> 0;
  }

  state(results: readonly StepResult[]): State {
    const { windows, mincore } = this.#options;
    const resident: string[] = [];
    const pages: Record<string, string> = {};
    let at = this.#first + 1;
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
    return { maps: this.#maps(results), resident, pages };
  }

  #pages(): number {
    return this.#options.windows.reduce(
      (sum, { start, end }) => sum + (end - start) / PAGE_SIZE,
      0,
    );
  }

  #maps(results: readonly StepResult[]): string[] {
    const text = results[this.#first] as string;
    const { windows } = this.#options;
    const from = Math.min(...windows.map(({ start }) => start));
    const lines = parseMaps(text, from, Math.max(...windows.map(({ end }) => end)));
    return windows.flatMap((window) => linesIn(lines, window));
  }
}

function contentText(value: number): string {
  return value >= 0 ? value.toString(16) : accessResult(value);
}
