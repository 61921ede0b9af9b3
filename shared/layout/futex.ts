/** A futex waiter (kernel/processes/futex-queue.ts). */
import { describeBlock } from './block.ts';
import type { Block } from './block.ts';

/** Words of a block. */
export const WORDS = 16;

/** Non-zero while in use. */
export const LIVE = 0;
/** WAITING or WOKEN: the word that the waiter sleeps on. */
export const STATE = 1;
/** Neighbours in the queue of the key's bucket, while it waits. */
export const NEXT = 2;
/** The waiter before it in that queue. */
export const PREVIOUS = 3;
/** Key: an object's block and a page of it, or minus a space's number and a VPN; then the byte. */
export const ID = 4;
/** The key's page. */
export const PAGE = 5;
/** The key's byte. */
export const OFFSET = 6;
/** Process block of the waiting process, and the neighbours among that process's waiters. */
export const OWNER = 7;
/** The next waiter of the same process. */
export const OWN_NEXT = 8;
/** The one before it. */
export const OWN_PREVIOUS = 9;
/** First word of the bucket in whose queue it waits, or waited last: a requeue changes it. */
export const BUCKET = 10;

/** STATE. */
export const WAITING = 1;
/** STATE: the waiter may go on. */
export const WOKEN = 2;

/** Its fields, and what protects each. */
export const LAYOUT: Block = describeBlock('futex', WORDS, {
  "the lock of the key's bucket": { STATE, NEXT, PREVIOUS, ID, PAGE, OFFSET },
  'the locks of both buckets, read without one': { BUCKET },
  'when it is made': { LIVE, OWNER },
  "the owner's CPU": { OWN_NEXT, OWN_PREVIOUS },
});
