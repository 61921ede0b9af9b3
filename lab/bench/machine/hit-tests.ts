/**
 * What each part of the TLB's hit test costs: the test of workers/cpu/memory/tlb-access.ts over
 * arrays as constants, and without one part or another. Each runs in a Worker of its own, compiled
 * from its text: an engine that has met several tests inlines none.
 */
import { fastest, nanosecondsEach } from './timing.ts';
import type { BesideRaw } from './timing.ts';

export type HitTest = 'hit' | 'hit-uncounted' | 'hit-unpolled' | 'hit-tag' | 'hit-ordered-poll';

/** A load in order through a page, and from page to page of 64. */
export type HitTestFigures = Readonly<Record<'inOrder' | 'byPage', BesideRaw>>;

const TAG = 'readBase[slot] + (low & 0xffc) === address';
const POLL = 'words[this.generationAt] === this.generation';
const COUNT = '(polls[0] = polls[0] - 1) > 0';

const TESTS: Readonly<Record<HitTest, string>> = {
  hit: `${TAG} && ${POLL} && ${COUNT}`,
  'hit-uncounted': `${TAG} && ${POLL}`,
  'hit-unpolled': `${TAG} && ${COUNT}`,
  'hit-tag': TAG,
  'hit-ordered-poll': `${TAG} && Atomics.load(words, this.generationAt) === this.generation`,
};

const PAGES = 64;
const FIRST_WORD = 65_536;
const BASE: number = 2 ** 41;
const LOADS: number = 2 ** 18;

/** 64 pages whose frames follow each other, and a TLB that has them all. */
const SETUP = `
  const SLOTS = 4095;
  const readBase = new Float64Array(SLOTS + 1).fill(-1);
  const frameAt = new Int32Array(SLOTS + 1);
  const polls = Int32Array.of(2 ** 30);
  for (let page = 0; page < ${PAGES}; page++) {
    readBase[page] = ${BASE} + page * 4096;
    frameAt[page] = ${FIRST_WORD} + page * 1024;
  }
  function miss(address) {
    polls[0] = 2 ** 30;
    return words[frameAt[(address >>> 12) & SLOTS] + ((address & 0xffc) >> 2)];
  }`;

/** The object whose `load32` the loops call. */
const memoryOver = (test: string): string => `${SETUP}
  return {
    generationAt: 5,
    generation: 0,
    load32(address) {
      const low = address | 0;
      const slot = (low >>> 12) & SLOTS;
      if (${test}) return words[frameAt[slot] + ((low & 0xffc) >> 2)];
      return miss(address) | 0;
    },
  };`;

/** A sink for what loops compute, so that the engine cannot eliminate them. */
export let sink = 0;

function compile(parameters: string, body: string): (...args: unknown[]) => unknown {
  // eslint-disable-next-line @typescript-eslint/no-implied-eval -- The text is all in this file.
  return new Function(parameters, body) as (...args: unknown[]) => unknown;
}

/** Nanoseconds of a load, which is an expression of `memory`, `base` and the loop's variables. */
function loadNs(loop: string, load: string, memory: unknown, base: number): number {
  const body = `let sum = 0; ${loop} sum = (sum + ${load}) | 0; return sum;`;
  const run = compile('memory, base', body) as (memory: unknown, base: number) => number;
  return fastest(() =>
    nanosecondsEach(LOADS, () => {
      sink = (sink + run(memory, base)) | 0;
    }),
  );
}

export function hitTestFigures(test: HitTest): HitTestFigures {
  const words = new Int32Array(new SharedArrayBuffer(2 ** 22));
  const memory = compile('words', memoryOver(TESTS[test]))(words);
  const beside = (loop: string, offset: string): BesideRaw => ({
    rawNs: loadNs(loop, `memory[base + ((${offset}) >> 2)]`, words, FIRST_WORD),
    ns: loadNs(loop, `memory.load32(base + ${offset})`, memory, BASE),
  });
  return {
    inOrder: beside(
      `for (let k = 0; k < ${LOADS}; k += 1024) for (let at = 0; at < 4096; at += 4)`,
      'at',
    ),
    byPage: beside(`for (let k = 0; k < ${LOADS}; k++)`, `(k & ${PAGES - 1}) * 4096`),
  };
}
