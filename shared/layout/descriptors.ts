/** A table of descriptors, of one process or of several that share it (kernel/objects/fd.ts). */
import { FDS_MAX } from '../limits.ts';
import { describeBlock } from './block.ts';
import type { Block } from './block.ts';

/** Words of the block. */
export const WORDS = 128;

/** 1 while the block is in use. */
export const LIVE = 0;
/** Processes that use it. */
export const REFS = 1;
/** A program may close a descriptor while a CPU looks at it. */
export const LOCK = 2;
/** Descriptors that exec closes, one bit each. */
export const CLOEXEC = 8;
/** FDS_MAX open file descriptions, 0 for none. */
export const FDS = 64;

/** Its fields, and what protects each. */
export const LAYOUT: Block = describeBlock('descriptors', WORDS, {
  'when it is made': { LIVE },
  'atomic words': { REFS },
  'DESCRIPTORS.LOCK': { LOCK, CLOEXEC: [CLOEXEC, FDS_MAX / 32], FDS: [FDS, FDS_MAX] },
});
