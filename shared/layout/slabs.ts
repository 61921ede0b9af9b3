/** The slabs: which blocks share frames, how large they are, and what is kept of a freed one. */
import { AREA_WORDS, FILE_WORDS, FUTEX_WORDS, LAZY_WORDS } from './blocks.ts';
import { OBJECT_WORDS, PROC_WORDS, SPACE_WORDS } from './blocks.ts';
import { TABLE_ENTRIES } from '../limits.ts';
import { assert } from '../panic.ts';

export const SLAB_SPACE = 0;
export const SLAB_PROC = 1;
export const SLAB_AREA = 2;
export const SLAB_OBJECT = 3;
export const SLAB_LAZY = 4;
export const SLAB_FUTEX = 5;
export const SLAB_FILE = 6;
export const SLAB_SIZES: readonly number[] = [
  SPACE_WORDS,
  PROC_WORDS,
  AREA_WORDS,
  OBJECT_WORDS,
  LAZY_WORDS,
  FUTEX_WORDS,
  FILE_WORDS,
];
/** Words at the end of a block that keep their value when the block is freed and reused. */
export const SLAB_STABLE_WORDS: readonly number[] = [0, 0, 1, 0, 0, 0, 0];
/** Slabs whose frames lock-free readers may look at: freed after a grace period. */
export const SLAB_DEFERRED: readonly boolean[] = [false, false, true, false, false, false, false];
export const SLAB_NAMES: readonly string[] = [
  'space',
  'process',
  'area',
  'object',
  'lazy',
  'futex',
  'file',
];
/** Per slab: head of the list of frames with a free block, live blocks, frames. */
export const SLAB_STATE_WORDS = 3;

assert(
  SLAB_SIZES.every((words) => TABLE_ENTRIES % words === 0),
  'slabs: blocks must tile a frame',
);
