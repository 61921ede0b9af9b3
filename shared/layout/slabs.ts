/** The slabs: which blocks share frames, how large they are, and what a freed one keeps. */
import { TABLE_ENTRIES } from '../limits.ts';
import { assert } from '../panic.ts';
import * as AREA_BLOCK from './area.ts';
import * as AREA_NAME_BLOCK from './area-name.ts';
import * as DESCRIPTORS_BLOCK from './descriptors.ts';
import type { Block } from './block.ts';
import * as FILE_BLOCK from './file.ts';
import * as FUTEX_BLOCK from './futex.ts';
import * as LAZY_BLOCK from './lazy-flush.ts';
import * as OBJECT_BLOCK from './object.ts';
import * as PIN_BLOCK from './pin.ts';
import * as PROCESS_BLOCK from './process.ts';
import * as SPACE_BLOCK from './space.ts';

/** Address spaces. */
export const SPACE = 0;
/** Processes. */
export const PROCESS = 1;
/** Areas. */
export const AREA = 2;
/** Memory objects. */
export const OBJECT = 3;
/** Records of the lazy flush policy. */
export const LAZY = 4;
/** Futex waiters. */
export const FUTEX = 5;
/** Open file descriptions. */
export const FILE = 6;
/** Names of anonymous memory. */
export const AREA_NAME = 7;
/** Tables of descriptors. */
export const DESCRIPTORS = 8;
/** Pins. */
export const PIN = 9;

/** By slab. */
export const BLOCKS: readonly Block[] = [
  SPACE_BLOCK.LAYOUT,
  PROCESS_BLOCK.LAYOUT,
  AREA_BLOCK.LAYOUT,
  OBJECT_BLOCK.LAYOUT,
  LAZY_BLOCK.LAYOUT,
  FUTEX_BLOCK.LAYOUT,
  FILE_BLOCK.LAYOUT,
  AREA_NAME_BLOCK.LAYOUT,
  DESCRIPTORS_BLOCK.LAYOUT,
  PIN_BLOCK.LAYOUT,
];
/** Words of a block, by slab. */
export const SIZES: readonly number[] = BLOCKS.map((block) => block.words);
/** Words at the end of a block that keep their value when the block is freed and reused. */
export const STABLE_WORDS: readonly number[] = [0, 0, 1, 0, 0, 0, 0, 0, 0, 0];
/** Slabs whose frames lock-free readers may look at: freed after a grace period. */
export const DEFERRED: readonly boolean[] = BLOCKS.map((_, slab) => slab === AREA);
/**
 * Words of a slab's state in the boot block: first frame with a free block, live blocks, frames.
 */
export const STATE_WORDS = 3;

assert(
  SIZES.every((words) => TABLE_ENTRIES % words === 0),
  'layout: slab blocks must tile a frame',
);
assert(
  BLOCKS.every((block) => block.fields[0]?.name === 'LIVE' && block.fields[0].at === 0),
  'layout: a slab block must start with LIVE',
);
