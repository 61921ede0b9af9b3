/**
 * Which words CPUs use in conflict: two of them, and one writes. Accesses to such words are the
 * scheduling points. They are learned while exploring, over all executions of a scenario; `grew`
 * tells a search that needs completeness to start again.
 */
import * as T from '../runtime/task.ts';

/** A word, and who uses it. */
export type Use = readonly [at: number, uses: number];

/** Whether two CPUs use a word, and one of them writes. */
export function isConflict(uses: number): boolean {
  const writers = uses >> 8;
  const users = (uses & 0xff) | writers;
  return writers !== 0 && (users & (users - 1)) !== 0;
}

export class Sharing {
  /** 1 for words at which CPUs may be switched. */
  readonly points: Uint8Array;
  grew = false;
  /** How many such words there are. */
  count = 0;
  /** Who reads a word, by CPU, in the low eight bits, and who writes it in the high ones. */
  readonly #uses: Uint16Array;
  readonly #isCounter: (at: number) => boolean;

  /** `isCounter`: words on which no decision depends, not worth a switch of CPUs. */
  constructor(words: number, isCounter: (at: number) => boolean) {
    this.points = new Uint8Array(words);
    this.#uses = new Uint16Array(words);
    this.#isCounter = isCounter;
  }

  /** Forgets what it knows, and begins with this: pairs of a word and who uses it. */
  adopt(known: readonly Use[]): void {
    this.#uses.fill(0);
    this.points.fill(0);
    this.count = 0;
    this.grew = false;
    for (const [at, uses] of known) {
      this.#uses[at] = uses;
      if (!isConflict(uses)) continue;
      this.points[at] = 1;
      this.count++;
    }
  }

  /** What it knows, for `adopt`. */
  known(): Use[] {
    const known: Use[] = [];
    this.#uses.forEach((uses, at) => {
      if (uses !== 0 && !this.#isCounter(at)) known.push([at, uses]);
    });
    return known;
  }

  /** Notes an access before it happens. */
  learn(id: number, at: number, kind: number): void {
    const uses = this.#uses[at] as number;
    const mine = (T.WRITES[kind] === 1 ? 0x100 : 1) << id;
    if ((uses & mine) === 0) this.#add(at, uses, mine, 0x101 << id);
  }

  #add(at: number, uses: number, mine: number, bothMine: number): void {
    this.#uses[at] = uses | mine;
    const others = uses & ~bothMine;
    const conflict = mine > 0xff ? others !== 0 : others > 0xff;
    if (!conflict || this.points[at] === 1 || this.#isCounter(at)) return;
    this.points[at] = 1;
    this.count++;
    this.grew = true;
  }
}
