/** A slot of the swap map (kernel/objects/swap-map.ts). */
import { describeBlock } from './block.ts';
import type { Block } from './block.ts';

/** Words of a block. */
export const WORDS = 5;

/** Entries that name the slot, 0 when it is free. */
export const REFS = 0;
/** Frame that holds the page, 0 when only the store does. */
export const PFN = 1;
/** One of the states below. */
export const STATE = 2;
/** Next slot of the free list. */
export const NEXT = 3;
/** Times the slot was taken: shows whether a late reply of the store is for another page. */
export const USES = 4;

/** STATE. */
export const FREE = 0;
/** STATE: the store does not have the page yet. */
export const DIRTY = 1;
/** STATE: the page is on its way to the store. */
export const WRITING = 2;
/** STATE: the store has the page. */
export const CLEAN = 3;

/** Its fields, and what protects each. */
export const LAYOUT: Block = describeBlock('swap slot', WORDS, {
  'BOOT.SWAP_LOCK': { REFS, PFN, STATE, NEXT, USES },
});
