/** A record of the kernel log's ring (kernel/machine/log.ts). */
import { describeBlock } from './block.ts';
import type { Block } from './block.ts';

/** Words of a block. */
export const WORDS = 8;

/** Sequence number + 1 of a complete record, 0 while it changes. */
export const STAMP = 0;
/** Milliseconds since boot. */
export const TIME = 1;
/** The CPU that wrote it. */
export const CPU = 2;
/** What happened: a LOG_ constant. */
export const EVENT = 3;
/** Three values. */
export const VALUES = 4;

/** Its fields, and what protects each. */
export const LAYOUT: Block = describeBlock('log record', WORDS, {
  'STAMP, before and after': { STAMP, TIME, CPU, EVENT, VALUES: [VALUES, 3] },
});
