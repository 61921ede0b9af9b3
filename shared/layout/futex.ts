/** A futex waiter (kernel/processes/futex-queue.ts). */
import { describeBlock } from './block.ts';
import type { Block } from './block.ts';

export const WORDS = 16;

export const LIVE = 0;
/** WAITING or WOKEN: the word that the waiter sleeps on. */
export const STATE = 1;
/** Neighbours in the queue of the key's bucket, while it waits. */
export const NEXT = 2;
export const PREVIOUS = 3;
/** Key: an object's block and a page of it, or minus a space's number and a VPN; then the byte. */
export const ID = 4;
export const PAGE = 5;
export const OFFSET = 6;
/** Process block of the waiting process, and the neighbours among that process's waiters. */
export const OWNER = 7;
export const OWN_NEXT = 8;
export const OWN_PREVIOUS = 9;

/** STATE. */
export const WAITING = 1;
export const WOKEN = 2;

export const LAYOUT: Block = describeBlock('futex', WORDS, {
  "the lock of the key's bucket": { STATE, NEXT, PREVIOUS },
  'when it is made': { LIVE, ID, PAGE, OFFSET, OWNER },
  "the owner's CPU": { OWN_NEXT, OWN_PREVIOUS },
});
