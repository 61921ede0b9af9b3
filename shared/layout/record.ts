/** A mapping record (kernel/objects/record.ts). */
import { TABLE_ENTRIES } from '../limits.ts';
import { describeBlock } from './block.ts';
import type { Block } from './block.ts';

/** Words of a block. */
export const WORDS = 8;
/** Frame numbers of the frames that hold records. */
export const DIRECTORY_WORDS: number = TABLE_ENTRIES;

/** Areas (and callers in the middle of one) that hold this record; 0 when free. */
export const REFS = 0;
/** The kind of the object. */
export const KIND = 1;
/** Block of the object. */
export const OBJECT = 2;
/** Page offset in the object minus VPN: the same for both halves of a split. */
export const DELTA = 3;
/** 1 for a shared mapping, 0 for a private one. */
export const SHARED = 4;
/** Next and previous record of the same object; next free record in the free list. */
export const NEXT = 5;
/** The record before it. */
export const PREVIOUS = 6;

/** Its fields, and what protects each. */
export const LAYOUT: Block = describeBlock('record', WORDS, {
  'BOOT.RECORD_LOCK': { REFS, NEXT, PREVIOUS },
  'when it is made': { KIND, OBJECT, DELTA, SHARED },
});
