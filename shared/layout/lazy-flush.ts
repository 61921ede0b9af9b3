/** A record of the lazy flush policy (kernel/paging/flush-lazy.ts). */
import { describeBlock } from './block.ts';
import type { Block } from './block.ts';

/** Words of a block. */
export const WORDS = 64;

/** Non-zero while in use. */
export const LIVE = 0;
/** The next record of the space. */
export const NEXT = 1;
/** The lazy generation that frees its frames. */
export const GENERATION = 2;
/** VPNs. */
export const START = 3;
/** Pages of the range. */
export const PAGES = 4;
/** Frames that it holds. */
export const COUNT = 5;
/** Its frames, one a word. */
export const FRAMES = 8;
/** The most frames of a record. */
export const FRAMES_MAX: number = WORDS - FRAMES;

/** Its fields, and what protects each. */
export const LAYOUT: Block = describeBlock('lazy flush', WORDS, {
  "the areas' lock": {
    LIVE,
    NEXT,
    GENERATION,
    START,
    PAGES,
    COUNT,
    FRAMES: [FRAMES, FRAMES_MAX],
  },
});
