/** A bucket's queue of futex waiters (kernel/processes/futex-queue.ts). */
import { describeBlock } from './block.ts';
import type { Block } from './block.ts';

export const WORDS = 4;

export const LOCK = 0;
export const FIRST = 1;
export const LAST = 2;

export const LAYOUT: Block = describeBlock('futex queue', WORDS, {
  'FUTEX_QUEUE.LOCK': { LOCK, FIRST, LAST },
});
