/**
 * What each part of the TLB's hit test costs: the test of workers/cpu/memory/tlb-access.ts over
 * arrays as constants, and without one part or another. Each is written out, as an engine needs it,
 * and runs in a Worker of its own: an engine that has met several tests inlines none.
 */
import { load } from '../../../shared/atomics.ts';
import type { Words } from '../../../shared/atomics.ts';
import { fastest, nanosecondsEach } from './timing.ts';
import type { BesideRaw } from './timing.ts';

export type HitTest = 'hit' | 'hit-uncounted' | 'hit-unpolled' | 'hit-tag' | 'hit-ordered-poll';

/** A load in order through a page, and from page to page of 64. */
export interface HitTestFigures {
  readonly inOrder: BesideRaw;
  readonly byPage: BesideRaw;
}

const PAGES = 64;
const FIRST_WORD = 65_536;
const BASE: number = 2 ** 41;
const LOADS: number = 2 ** 18;

interface Tlb {
  readonly words: Words;
  readonly readBase: Float64Array;
  readonly frameAt: Int32Array;
  readonly polls: Int32Array;
}

function makeTlb(): Tlb {
  const readBase = new Float64Array(4096).fill(-1);
  const frameAt = new Int32Array(4096);
  for (let page = 0; page < PAGES; page++) {
    readBase[page] = BASE + page * 4096;
    frameAt[page] = FIRST_WORD + page * 1024;
  }
  const words = new Int32Array(new SharedArrayBuffer(2 ** 22));
  return { words, readBase, frameAt, polls: Int32Array.of(2 ** 30) };
}

interface TestedMemory {
  readonly generationAt: number;
  readonly generation: number;
  load32(address: number): number;
}

function testsOver(tlb: Tlb): Readonly<Record<HitTest, TestedMemory['load32']>> {
  const { words, readBase, frameAt, polls } = tlb;
  const SLOTS = 4095;
  function miss(address: number): number {
    polls[0] = 2 ** 30;
    return words[(frameAt[(address >>> 12) & SLOTS] ?? 0) + ((address & 0xffc) >> 2)] as number;
  }
  return {
    hit(this: TestedMemory, address) {
      const low = address | 0;
      const slot = (low >>> 12) & SLOTS;
      if (
        (readBase[slot] as number) + (low & 0xffc) === address &&
        words[this.generationAt] === this.generation &&
        (polls[0] = (polls[0] as number) - 1) > 0
      ) {
        return words[(frameAt[slot] as number) + ((low & 0xffc) >> 2)] as number;
      }
      return miss(address) | 0;
    },
    'hit-uncounted'(this: TestedMemory, address) {
      const low = address | 0;
      const slot = (low >>> 12) & SLOTS;
      if (
        (readBase[slot] as number) + (low & 0xffc) === address &&
        words[this.generationAt] === this.generation
      ) {
        return words[(frameAt[slot] as number) + ((low & 0xffc) >> 2)] as number;
      }
      return miss(address) | 0;
    },
    'hit-unpolled'(address) {
      const low = address | 0;
      const slot = (low >>> 12) & SLOTS;
      if (
        (readBase[slot] as number) + (low & 0xffc) === address &&
        (polls[0] = (polls[0] as number) - 1) > 0
      ) {
        return words[(frameAt[slot] as number) + ((low & 0xffc) >> 2)] as number;
      }
      return miss(address) | 0;
    },
    'hit-tag'(address) {
      const low = address | 0;
      const slot = (low >>> 12) & SLOTS;
      if ((readBase[slot] as number) + (low & 0xffc) === address) {
        return words[(frameAt[slot] as number) + ((low & 0xffc) >> 2)] as number;
      }
      return miss(address) | 0;
    },
    'hit-ordered-poll'(this: TestedMemory, address) {
      const low = address | 0;
      const slot = (low >>> 12) & SLOTS;
      if (
        (readBase[slot] as number) + (low & 0xffc) === address &&
        load(words, this.generationAt) === this.generation
      ) {
        return words[(frameAt[slot] as number) + ((low & 0xffc) >> 2)] as number;
      }
      return miss(address) | 0;
    },
  };
}

function sumInOrder(memory: TestedMemory, base: number): number {
  let sum = 0;
  for (let k = 0; k < LOADS; k += 1024) {
    for (let at = 0; at < 4096; at += 4) sum = (sum + memory.load32(base + at)) | 0;
  }
  return sum;
}

function sumInOrderRaw(raw: Int32Array, base: number): number {
  let sum = 0;
  for (let k = 0; k < LOADS; k += 1024) {
    for (let at = 0; at < 4096; at += 4) sum = (sum + (raw[base + (at >> 2)] as number)) | 0;
  }
  return sum;
}

function sumByPage(memory: TestedMemory, base: number): number {
  let sum = 0;
  for (let k = 0; k < LOADS; k++) sum = (sum + memory.load32(base + (k & 63) * 4096)) | 0;
  return sum;
}

function sumByPageRaw(raw: Int32Array, base: number): number {
  let sum = 0;
  for (let k = 0; k < LOADS; k++) sum = (sum + (raw[base + (k & 63) * 1024] as number)) | 0;
  return sum;
}

/** What loops compute goes here, so that no engine may leave them out. */
export let sink = 0;

function loadNs(loop: () => number): number {
  return fastest(() =>
    nanosecondsEach(LOADS, () => {
      sink = (sink + loop()) | 0;
    }),
  );
}

export function hitTestFigures(test: HitTest): HitTestFigures {
  const tlb = makeTlb();
  const { words } = tlb;
  const load32 = testsOver(tlb)[test];
  const memory: TestedMemory = { generationAt: 5, generation: 0, load32 };
  const inOrderRawNs = loadNs(() => sumInOrderRaw(words, FIRST_WORD));
  const byPageRawNs = loadNs(() => sumByPageRaw(words, FIRST_WORD));
  return {
    inOrder: { ns: loadNs(() => sumInOrder(memory, BASE)), rawNs: inOrderRawNs },
    byPage: { ns: loadNs(() => sumByPage(memory, BASE)), rawNs: byPageRawNs },
  };
}
