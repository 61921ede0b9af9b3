/**
 * The pages that the threads of a stressed process contend for, and what lies in each.
 *
 *     page 0 … threads * OWN_PAGES - 1   OWN_PAGES for each thread: it alone operates on them
 *     page 1016 … 1031                   shared pages, half of them on either side of 4 MiB
 *
 * A tracked page has an index: own pages first, then the shared ones. All threads access all of
 * them. Own pages of different threads are neighbours, so that their areas merge and their entries
 * share a table; the second span is also mapped and unmapped as a whole, so that spans are pushed
 * down and tables unlinked.
 *
 * Every process has the same arena at the same address: a translation or frame that strays from one
 * to another shows by the page's identity word.
 */
import { PAGE_SIZE, SPAN_PAGES } from '../../shared/limits.ts';

export const THREADS_MAX = 8;
export const OWN_PAGES = 6;
export const SHARED_PAGES = 16;
/** Aligned to 4 MiB, far from where mmap places by itself. */
const ARENA: number = 2 ** 32;
const SHARED_FIRST = SPAN_PAGES - SHARED_PAGES / 2;

/** Byte offsets in a page: who it is, then for each thread a stamp and a number. */
export const IDENTITY = 0;
export const STAMPS = 32;
export const NUMBERS = 64;
export const CONTENT_BYTES = 96;

export function trackedPages(threads: number): number {
  return threads * OWN_PAGES + SHARED_PAGES;
}

/** Index of the first shared page. */
export function firstShared(threads: number): number {
  return threads * OWN_PAGES;
}

export function addressOf(threads: number, index: number): number {
  const own = firstShared(threads);
  return ARENA + PAGE_SIZE * (index < own ? index : SHARED_FIRST + index - own);
}

/** A range that an operation works on, and the tracked pages in it. */
export interface Target {
  readonly address: number;
  readonly sizeBytes: number;
  /** Tracked pages [from, to). */
  readonly from: number;
  readonly to: number;
  /** Whether it holds other pages too. */
  readonly isSpan: boolean;
}

/** The whole second span, which holds the latter half of the shared pages. */
export function wholeSpan(threads: number): Target {
  return {
    address: ARENA + SPAN_PAGES * PAGE_SIZE,
    sizeBytes: SPAN_PAGES * PAGE_SIZE,
    from: firstShared(threads) + SHARED_PAGES / 2,
    to: trackedPages(threads),
    isSpan: true,
  };
}

/** Tracked pages [from, to), all own pages or all shared ones. */
export function pageRange(threads: number, from: number, to: number): Target {
  const sizeBytes = (to - from) * PAGE_SIZE;
  return { address: addressOf(threads, from), sizeBytes, from, to, isSpan: false };
}
