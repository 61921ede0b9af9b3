/** A name of anonymous memory (kernel/objects/area-names.ts). */
import { AREA_NAME_BYTES_MAX } from '../limits.ts';
import { describeBlock } from './block.ts';
import type { Block } from './block.ts';

/** Words of a name's block. */
export const WORDS = 32;

/** Non-zero while in use. */
export const LIVE = 0;
/** Areas that have the name, and syscalls that are giving it. */
export const REFS = 1;
/** The name's bytes, ended by a zero. */
export const BYTES = 2;
const BYTES_WORDS = AREA_NAME_BYTES_MAX / 4;

/** Its fields, and what protects each. */
export const LAYOUT: Block = describeBlock('area name', WORDS, {
  'BOOT.NAME_LOCK': { REFS },
  'when it is made': { LIVE, BYTES: [BYTES, BYTES_WORDS] },
});
