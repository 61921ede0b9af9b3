/** A bucket's queue of futex waiters (kernel/processes/futex-queue.ts). */
import { describeBlock } from './block.ts';
import type { Block } from './block.ts';

/** Words of a block. */
export const WORDS = 4;

/** Spinlock of the bucket. */
export const LOCK = 0;
/** The waiter that is woken first, 0 for none. */
export const FIRST = 1;
/** The last waiter, 0 for none. */
export const LAST = 2;

/** Its fields, and what protects each. */
export const LAYOUT: Block = describeBlock('futex queue', WORDS, {
  'FUTEX_QUEUE.LOCK': { LOCK, FIRST, LAST },
});
