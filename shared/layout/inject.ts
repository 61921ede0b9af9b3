/** The words of one kind of injected fault, in the boot block (kernel/machine/inject.ts). */
import { describeBlock } from './block.ts';
import type { Block } from './block.ts';

/** Words of a block. */
export const WORDS = 8;

/** The operation that fails; the share that fails, in units of 2^-30; the seed. */
export const NTH = 0;
/** The share that fails, in units of 2^-30. */
export const SHARE = 1;
/** The seed that chooses them. */
export const SEED = 2;
/** Operations so far, and those that failed. */
export const COUNT = 3;
/** Operations that failed. */
export const FAILED = 4;

/** Its fields, and what protects each. */
export const LAYOUT: Block = describeBlock('inject', WORDS, {
  'the formatter, once': { NTH, SHARE, SEED },
  'atomic counters': { COUNT, FAILED },
});
