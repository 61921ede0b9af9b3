/** Seeded choices, and the arguments from which the generator composes calls. */
import { PAGE_SIZE } from '../../shared/limits.ts';
import { HEAP_PAGES, HIGH, LOW } from './sequence.ts';
import type { Arg, Base } from './sequence.ts';

export type Random = (bound: number) => number;

/** A range of whole pages in a window. */
export interface Range {
  readonly base: Base;
  readonly first: number;
  readonly pages: number;
}

const WINDOW_PAGES = { low: LOW.pages, high: HIGH.pages, heap: HEAP_PAGES };
const WINDOWS: readonly (readonly ['low' | 'high' | 'heap', number])[] = [
  ['low', 17],
  ['high', 2],
  ['heap', 1],
];
/** Most ranges lie among the first pages, so that they meet. */
const CROWDED_PAGES = 12;
const RANGE_PAGES = 6;

/** Lengths that wrap around when rounded up or added to an address. */
export const WRAPPING: readonly number[] = [2 ** 64 - PAGE_SIZE, 2 ** 64 - PAGE_SIZE / 2];

const HIGH_BITS: readonly number[] = [2 ** 32, 2 ** 33, 2 ** 40, 2 ** 51, -(2 ** 32), -(2 ** 45)];

export class Choices {
  readonly random: Random;
  readonly #windows: readonly (readonly ['low' | 'high' | 'heap', number])[];

  /** Without a break there is no heap. */
  constructor(random: Random, hasHeap: boolean) {
    this.random = random;
    this.#windows = hasHeap ? WINDOWS : WINDOWS.filter(([name]) => name !== 'heap');
  }

  /** True once in `bound` times, on average. */
  rarely(bound: number): boolean {
    return this.random(bound) === 0;
  }

  pick<T>(values: readonly T[]): T {
    return values[this.random(values.length)] as T;
  }

  /** By weight. */
  weigh<T>(table: readonly (readonly [T, number])[]): T {
    const total = table.reduce((sum, [, weight]) => sum + weight, 0);
    let at = this.random(total);
    for (const [value, weight] of table) {
      if (at < weight) return value;
      at -= weight;
    }
    throw new Error('weigh: an empty table');
  }

  window(): 'low' | 'high' | 'heap' {
    return this.weigh(this.#windows);
  }

  range(window: 'low' | 'high' | 'heap' = this.window(), most: number = RANGE_PAGES): Range {
    const size = WINDOW_PAGES[window];
    const reach = this.rarely(3) ? size : Math.min(size, CROWDED_PAGES);
    const first = this.random(reach);
    const pages = 1 + this.random(Math.min(most, size - first));
    return { base: window, first, pages };
  }

  start({ base, first }: Range): Arg {
    return { base, plus: first * PAGE_SIZE };
  }

  /** A length that covers the range's pages, mostly all of them whole. */
  length({ pages }: Range): number {
    const bytes = pages * PAGE_SIZE;
    if (!this.rarely(6)) return bytes;
    return bytes - this.pick([1, 100, PAGE_SIZE / 2, PAGE_SIZE - 1]);
  }

  /** An address that is not page-aligned. */
  unaligned({ base, first }: Range): Arg {
    return { base, plus: first * PAGE_SIZE + this.pick([1, 8, 0x800, 0xfff]) };
  }

  /** A pointer for the kernel: mostly good, into the windows now and then, sometimes absurd. */
  pointer(): Arg {
    const kind = this.random(20);
    if (kind < 12) return { base: 'scratch', plus: this.pick([0, 0, 64, 512]) };
    if (kind < 18) {
      const { base, first } = this.range();
      const plus = this.pick([0, 0, 0, 8, PAGE_SIZE - 16]);
      return { base, plus: first * PAGE_SIZE + plus };
    }
    return this.pick<Arg>([0, 16, 2 ** 63, { base: 'task', plus: 0 }]);
  }

  /** An argument that Linux declares as int: now and then with bits that it does not look at. */
  int(value: number): number {
    return this.rarely(30) ? value + this.pick(HIGH_BITS) : value;
  }

  /** One that is 64 bits wide: now and then with a bit that makes it another value. */
  long(value: number): number {
    return this.rarely(60) ? value + this.pick(HIGH_BITS) : value;
  }

  slot(): number {
    return this.weigh([
      [0, 5],
      [1, 3],
      [2, 1],
      [3, 1],
    ]);
  }

  fd(): Arg {
    return this.rarely(25) ? this.pick([-1, 63, 1e6]) : { base: 'fd', plus: this.slot() };
  }
}

/** What a sequence is about, beyond plain memory. */
export interface Theme {
  readonly files: boolean;
  readonly locks: boolean;
  readonly limits: boolean;
  readonly seals: boolean;
  /** Areas get names. */
  readonly names: boolean;
  readonly heap: boolean;
  readonly advice: boolean;
  readonly privileged: boolean;
  /** There will be a child. */
  readonly forks: boolean;
}

export interface CallKind {
  readonly call: string;
  readonly weight: number;
  /** The part of a theme that the call belongs to; without one it belongs to all themes. */
  readonly part?: keyof Theme;
  readonly generate: (choices: Choices, theme: Theme) => readonly Arg[];
  /** Whether the result is a descriptor. */
  readonly opens?: boolean;
}
