/** A memory group, in the boot block (kernel/frames/memory-group.ts). */
import { describeBlock } from './block.ts';
import type { Block } from './block.ts';

/** A cache line each. */
export const WORDS = 16;

/** Pages that may be resident; 0 while the block is free. */
export const LIMIT = 0;
/** Pages that are resident. */
export const RESIDENT = 1;
/** The most RESIDENT so far. */
export const PEAK = 2;
/** Address spaces in the group. */
export const SPACES = 3;

/** Its fields, and what protects each. */
export const LAYOUT: Block = describeBlock('group', WORDS, {
  'taken and given back by exchange': { LIMIT },
  'atomic counters': { RESIDENT, PEAK, SPACES },
});
