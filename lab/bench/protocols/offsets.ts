/**
 * Where CortenMM's microbenchmarks put their requests: offsets of all threads, and the shuffle that
 * makes contention high. Formulas, generator and seed are those of its test/src/apps/scale/*.c.
 */

/** Requests of one thread in one run. */
export const REQUESTS = 32;

/** One step of the generator. The product is taken modulo 2^32, of which 31 bits are kept. */
export function nextRandom(state: number): number {
  return (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
}

/** The seed of the shuffle for this many threads. */
export function shuffleSeed(threads: number): number {
  return (0xdeadbeef - threads) >>> 0;
}

/** Fisher–Yates from the last element down, with `x % (i + 1)` for the other one. */
export function shuffle(values: number[], seed: number): void {
  let state = seed;
  for (let i = values.length - 1; i > 0; i--) {
    state = nextRandom(state);
    const j = state % (i + 1);
    const held = values[i] as number;
    values[i] = values[j] as number;
    values[j] = held;
  }
}

export interface Placement {
  /** Pages of one request. */
  readonly requestPages: number;
  /** Pages left out between the last request of a thread and the first of the next. */
  readonly padPages: number;
}

/**
 * Pages from the start of one thread's part to the next one's: `ppr + pad`, as the formula says,
 * with the requests of one thread back to back.
 */
export function stridePages({ requestPages, padPages }: Placement): number {
  return requestPages + padPages;
}

/** Page offsets of all requests: thread i has elements [32 i, 32 i + 32). */
export function requestOffsets(place: Placement, threads: number, shuffled: boolean): number[] {
  const offsets: number[] = [];
  for (let thread = 0; thread < threads; thread++) {
    for (let request = 0; request < REQUESTS; request++) {
      offsets.push(thread * stridePages(place) + request * place.requestPages);
    }
  }
  if (shuffled) shuffle(offsets, shuffleSeed(threads));
  return offsets;
}
