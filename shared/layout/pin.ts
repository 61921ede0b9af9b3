/** Pages that a process has pinned with one call (kernel/mmu/pin.ts). */
import { PIN_PAGES_MAX } from '../limits.ts';
import { describeBlock } from './block.ts';
import type { Block } from './block.ts';

/** Words of a block. */
export const WORDS = 128;

/** Non-zero while in use. */
export const LIVE = 0;
/** Process block of the one that pinned them, and the neighbours among its pins. */
export const OWNER = 1;
/** The next pin of the same process. */
export const NEXT = 2;
/** The one before it. */
export const PREVIOUS = 3;
/** How many pages. */
export const PAGES = 4;
/** 1 if the holder may write them. */
export const WRITES = 5;
/** Their frames, in the order of their addresses. */
export const FRAMES = 8;

/** Its fields, and what protects each. */
export const LAYOUT: Block = describeBlock('pin', WORDS, {
  "the owner's CPU": {
    LIVE,
    OWNER,
    NEXT,
    PREVIOUS,
    PAGES,
    WRITES,
    FRAMES: [FRAMES, PIN_PAGES_MAX],
  },
});
