/** An open file description (kernel/objects/open-file.ts). */
import { describeBlock } from './block.ts';
import type { Block } from './block.ts';

/** Words of a block. */
export const WORDS = 16;

/** Non-zero while in use. */
export const LIVE = 0;
/** Descriptors, of one or several processes, and syscalls that are using it. */
export const REFS = 1;
/** Block of the object that is open. */
export const OBJECT = 2;
/** O_* flags. */
export const FLAGS = 3;
/** Position in bytes, in two words (wide.ts). */
export const POSITION = 4;

/** Its fields, and what protects each. */
export const LAYOUT: Block = describeBlock('file', WORDS, {
  'when it is made': { LIVE, OBJECT, FLAGS },
  'atomic words': { REFS },
  'the kernel worker alone': { POSITION: [POSITION, 2] },
});
