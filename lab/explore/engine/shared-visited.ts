/**
 * States that the threads of one exploration have reached, in memory that they share: visited.ts
 * for several threads. What one thread has entered, no other continues.
 *
 * Guarantees: a choice that was asleep whenever a state was reached is left to one thread.
 * Not guaranteed: that a state is entered once. Two threads that come at the same moment both go
 * on, and when the memory is full nothing more is entered; both cost time only.
 */
import { add, and, compareExchange, load, store } from '../../../shared/atomics.ts';
import { NEW } from './visited.ts';
import type { StateSet } from './visited.ts';

/** Words of a slot: the hash's halves, and what is asleep. The high half is written last. */
const SLOT = 3;
/** Tables, each used when those before it are half full: only what is used is touched. */
const LEVELS: readonly number[] = [1 << 14, 1 << 17, 1 << 20, 1 << 22];
/** Words before the tables: how many states each has. */
const HEAD = 8;
const FIRSTS: readonly number[] = LEVELS.map((_, level) => {
  return HEAD + SLOT * LEVELS.slice(0, level).reduce((sum, slots) => sum + slots, 0);
});
const WORDS = HEAD + SLOT * LEVELS.reduce((sum, slots) => sum + slots, 0);

export class SharedVisited implements StateSet {
  readonly #words: Int32Array<SharedArrayBuffer>;
  /** States that this thread has entered. */
  size = 0;

  constructor(buffer: SharedArrayBuffer) {
    this.#words = new Int32Array(buffer);
  }

  static newBuffer(): SharedArrayBuffer {
    return new SharedArrayBuffer(WORDS * 4);
  }

  /** While no other thread uses it. */
  clear(): void {
    for (const [level, slots] of LEVELS.entries()) {
      const first = FIRSTS[level] as number;
      if (this.#words[level] !== 0) this.#words.fill(0, first, first + slots * SLOT);
      this.#words[level] = 0;
    }
    this.size = 0;
  }

  has(low: number, high: number): boolean {
    return this.#find(low | 1, published(high)) >= 0;
  }

  reach(low: number, high: number, asleep: number): number {
    const words = this.#words;
    const known = this.#find(low | 1, published(high));
    if (known >= 0) return and(words, known + 2, asleep);
    for (const [level, slots] of LEVELS.entries()) {
      // ORDER: a count; two threads that both see room leave the table a little fuller.
      if (load(words, level) * 2 >= slots) continue;
      add(words, level, 1);
      this.size++;
      this.#enter(level, low | 1, published(high), asleep);
      return NEW;
    }
    return NEW;
  }

  /** The place of a hash that was entered, or -1. The low half is odd, so never 0. */
  #find(low: number, high: number): number {
    for (let level = 0; level < LEVELS.length; level++) {
      if (this.#words[level] === 0) return -1;
      const mask = (LEVELS[level] as number) - 1;
      for (let slot = slotOf(low, high) & mask; ; slot = (slot + 1) & mask) {
        const at = (FIRSTS[level] as number) + slot * SLOT;
        // ORDER: the high half is published after what is asleep.
        if (load(this.#words, at + 1) === high && this.#words[at] === low) return at;
        if (this.#words[at] === 0) break;
      }
    }
    return -1;
  }

  #enter(level: number, low: number, high: number, asleep: number): void {
    const words = this.#words;
    const mask = (LEVELS[level] as number) - 1;
    for (let slot = slotOf(low, high) & mask; ; slot = (slot + 1) & mask) {
      const at = (FIRSTS[level] as number) + slot * SLOT;
      // ORDER: takes the free slot, so that its other words are this thread's.
      if (compareExchange(words, at, 0, low) !== 0) continue;
      words[at + 2] = asleep;
      store(words, at + 1, high);
      return;
    }
  }
}

/** A high half that differs from what a free slot has. */
function published(high: number): number {
  return high === 0 ? 1 : high;
}

function slotOf(low: number, high: number): number {
  return high ^ (low >>> 7);
}
