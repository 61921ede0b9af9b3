/** A record of the lazy flush policy (kernel/paging/flush-lazy.ts). */
import { describeBlock } from './block.ts';
import type { Block } from './block.ts';

export const WORDS = 64;

export const LIVE = 0;
export const NEXT = 1;
export const GENERATION = 2;
/** VPNs. */
export const START = 3;
export const PAGES = 4;
/** Frames that it holds. */
export const COUNT = 5;
export const FRAMES = 8;
export const FRAMES_MAX: number = WORDS - FRAMES;

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
