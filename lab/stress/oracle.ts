/**
 * The counting oracle: what a page of the arena must do, known from counters that the threads keep
 * beside the machine. After mmap1 of the Linux Test Project, where a SIGSEGV is a bug when the
 * counter of mappings has not moved meanwhile.
 *
 * Protocol. An operation adds 1 to BEGUN of each of its pages before it starts, and to DONE after
 * it returned. It was alone at its start when DONE of all earlier ones had been counted; then it
 * writes down the page's STATE, and as TAG its own number. A STATE holds while TAG = DONE = BEGUN:
 * no operation is in progress, and the last one that began was the one that wrote it.
 *
 * Guarantees: an access is judged only if such a STATE stood there before it and BEGUN is still the
 * same after it; then no operation overlapped the access, and STATE decides what must happen.
 * Locking: none. Only an operation that was alone at its start writes, and a later one that is
 * alone starts after it has counted itself DONE; so there is one writer at a time.
 * Not guaranteed: that every access is judged. Where operations overlap, the page is unknown until
 * one is alone again.
 *
 * Stores leave the number of the last operation begun as a stamp, and a mapping's generation is the
 * number of its mmap: a stamp below it was written to an earlier mapping. A store during which an
 * operation began may reach the next mapping with an old stamp; it says so in PENDING and LATE.
 */
import { add, load, store } from '../../shared/atomics.ts';
import type { Words } from '../../shared/atomics.ts';
import { THREADS_MAX, trackedPages } from './arena.ts';

/**
 * What threads count, each for itself: `refused` are calls that failed for lack of memory,
 * `forkedPages` the pages of forked children that were judged.
 */
export const COUNTERS = [
  'mmap',
  'munmap',
  'mprotect',
  'reads',
  'writes',
  'judged',
  'faultsExpected',
  'faultsUnjudged',
  'refused',
  'local',
  'sync',
  'async',
  'forks',
  'forkedPages',
] as const;
export type Counter = (typeof COUNTERS)[number];

/** 1: the threads are to return. */
const STOP = 0;
const FIRST_COUNTER = 16;
const FIRST_PAGE: number = FIRST_COUNTER + THREADS_MAX * 16;
// Words of a page.
const BEGUN = 0;
const DONE = 1;
const TAG = 2;
const STATE = 3;
const PENDING = 8;
const LATE: number = PENDING + THREADS_MAX;
const PAGE_WORDS: number = LATE + THREADS_MAX;

/** Not a state: the page is unknown. */
export const UNKNOWN = -1;
export const UNMAPPED = 0;

export function stateOf(generation: number, prot: number, isShared = false): number {
  return generation * 16 + (isShared ? 8 : 0) + prot;
}

/** Whether the mapping is MAP_SHARED: a forked child has it in common with its parent. */
export function isSharedState(state: number): boolean {
  return (state & 8) !== 0;
}

export function protOf(state: number): number {
  return state & 7;
}

/** Number of the mmap that made the mapping; 0 when there is none. */
export function generationOf(state: number): number {
  return state >>> 4;
}

/** An operation in progress, on one page. */
export interface Ticket {
  readonly page: number;
  /** Its number. */
  readonly number: number;
  readonly wasAlone: boolean;
  /** The page's state before, or UNKNOWN. */
  readonly before: number;
}

export class Oracle {
  readonly words: Words;
  readonly pages: number;

  constructor(buffer: SharedArrayBuffer, threads: number) {
    this.words = new Int32Array(buffer);
    this.pages = trackedPages(threads);
  }

  static create(threads: number): SharedArrayBuffer {
    return new SharedArrayBuffer((FIRST_PAGE + trackedPages(threads) * PAGE_WORDS) * 4);
  }

  stop(): void {
    store(this.words, STOP, 1);
  }

  isStopped(): boolean {
    return load(this.words, STOP) !== 0;
  }

  count(thread: number, counter: Counter): void {
    add(this.words, FIRST_COUNTER + thread * 16 + COUNTERS.indexOf(counter), 1);
  }

  /** Sum of all threads, by counter. */
  totals(): Record<Counter, number> {
    const sums = COUNTERS.map((_name, index) => {
      let sum = 0;
      for (let thread = 0; thread < THREADS_MAX; thread++) {
        sum += load(this.words, FIRST_COUNTER + thread * 16 + index);
      }
      return [COUNTERS[index], sum];
    });
    return Object.fromEntries(sums) as Record<Counter, number>;
  }

  /** An operation on the page is about to start. */
  begin(page: number): Ticket {
    const at = this.#at(page);
    const number = add(this.words, at + BEGUN, 1) + 1;
    const wasAlone = load(this.words, at + DONE) === number - 1;
    const isKnown = wasAlone && load(this.words, at + TAG) === number - 1;
    return { page, number, wasAlone, before: isKnown ? load(this.words, at + STATE) : UNKNOWN };
  }

  /** Whether the operation, which has returned, was the only one on its page all the time. */
  wasSole({ page, number, wasAlone }: Ticket): boolean {
    return wasAlone && load(this.words, this.#at(page) + BEGUN) === number;
  }

  /** The operation has returned and left the page in `state`. */
  end({ page, number, wasAlone }: Ticket, state: number): void {
    const at = this.#at(page);
    if (wasAlone && state !== UNKNOWN) {
      store(this.words, at + STATE, state);
      store(this.words, at + TAG, number);
    }
    add(this.words, at + DONE, 1);
  }

  /** Operations begun on the page so far. */
  begun(page: number): number {
    return load(this.words, this.#at(page) + BEGUN);
  }

  /** The page's state while `begun` operations have begun, or UNKNOWN. */
  state(page: number, begun: number): number {
    const at = this.#at(page);
    if (load(this.words, at + DONE) !== begun) return UNKNOWN;
    return load(this.words, at + TAG) === begun ? load(this.words, at + STATE) : UNKNOWN;
  }

  /** A store with this stamp is about to happen. */
  beginStore(page: number, thread: number, stamp: number): void {
    store(this.words, this.#at(page) + PENDING + thread, stamp);
  }

  /** It happened, or not; whether it did and no operation had begun meanwhile. */
  endStore(page: number, thread: number, stamp: number, happened: boolean): boolean {
    const at = this.#at(page);
    const isClean = this.begun(page) === stamp;
    if (happened && !isClean) store(this.words, at + LATE + thread, stamp);
    store(this.words, at + PENDING + thread, 0);
    return happened && isClean;
  }

  /** The stamps that such stores of a thread have left, or may be about to leave. */
  excused(page: number, thread: number): readonly number[] {
    const at = this.#at(page);
    // PENDING first: it is cleared after LATE was written.
    return [PENDING, LATE].map((offset) => load(this.words, at + offset + thread));
  }

  /** Whether a store that overlapped an operation may have left this stamp in a later mapping. */
  isExcused(page: number, thread: number, stamp: number): boolean {
    return this.excused(page, thread).includes(stamp);
  }

  #at(page: number): number {
    return FIRST_PAGE + page * PAGE_WORDS;
  }
}
