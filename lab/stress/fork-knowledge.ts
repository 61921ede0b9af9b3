/**
 * What a thread knows of every page when it forks, and hands to the child.
 *
 * Protocol. Before the fork the thread writes down each page's state. After it, it compares: a page
 * whose BEGUN is the same was not operated on meanwhile, so the child's copy stands in that state.
 * The verdicts go to the child through words of their own, because it may run before they are
 * there.
 *
 * Guarantees: a stamp that siblings may have left in the page against the rule (see oracle.ts) is
 * among those excused. It was stored before BEGUN last moved, and so before the thread looked.
 */
import { load, store } from '../../shared/atomics.ts';
import type { Words } from '../../shared/atomics.ts';
import { THREADS_MAX } from './arena.ts';
import type { Oracle } from './oracle.ts';
import type { StressTask, ThreadContext } from './stress-task.ts';

export interface PageKnowledge {
  readonly state: number;
  readonly begun: number;
  /** Stamps of each thread that need not belong to the mapping. */
  readonly excused: readonly (readonly number[])[];
  /** What the thread itself stored last; null when nothing that must still be there. */
  readonly own: number | null;
}

/** What a forked child is told. */
export interface ForkOrder {
  readonly task: StressTask;
  /** Who forked. */
  readonly thread: number;
  readonly seed: number;
  readonly pages: readonly PageKnowledge[];
  readonly after: SharedArrayBuffer;
}

const READY = 0;
const FIRST_PAGE = 1;

export class ForkKnowledge {
  readonly pages: readonly PageKnowledge[];
  readonly after: SharedArrayBuffer;
  readonly #words: Words;

  constructor(pages: readonly PageKnowledge[], after: SharedArrayBuffer) {
    this.pages = pages;
    this.after = after;
    this.#words = new Int32Array(after);
  }

  static before({ oracle, judge }: ThreadContext): ForkKnowledge {
    const pages: PageKnowledge[] = [];
    for (let page = 0; page < oracle.pages; page++) {
      const begun = oracle.begun(page);
      const state = oracle.state(page, begun);
      const own = judge.ownNumber(page, begun);
      const excused = Array.from({ length: THREADS_MAX }, (_, at) => oracle.excused(page, at));
      pages.push({ state, begun, excused, own });
    }
    return new ForkKnowledge(pages, new SharedArrayBuffer((FIRST_PAGE + pages.length) * 4));
  }

  /** After the fork: which pages nobody operated on meanwhile. */
  publish(oracle: Oracle): void {
    this.pages.forEach(({ begun }, page) => {
      store(this.#words, FIRST_PAGE + page, oracle.begun(page) === begun ? 1 : 0);
    });
    store(this.#words, READY, 1);
  }

  isReady(): boolean {
    return load(this.#words, READY) !== 0;
  }

  holds(page: number): boolean {
    return load(this.#words, FIRST_PAGE + page) !== 0;
  }
}
