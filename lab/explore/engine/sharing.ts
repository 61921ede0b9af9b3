/**
 * Which words CPUs use in conflict: two of them, and one writes. Accesses to such words are the
 * scheduling points. They are learned while exploring, over all executions of a scenario; `grew`
 * tells a search that needs completeness to start again.
 */
import * as T from '../runtime/task.ts';

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
