/** The metadata that the machine keeps of each frame: four words. */
import { describeBlock } from './block.ts';
import type { Block } from './block.ts';

/** Words of a block. */
export const WORDS = 4;

/**
 * State in the low 4 bits, then order or slab (4 bits), level (2 bits), flags; in the high half, of
 * a frame in use, its number among those that its CPU took into use.
 */
export const STATE = 0;
/**
 * References of a frame in use, and above them its pins; live entries of a table; retirement epoch
 * of a retired table.
 */
export const COUNT = 1;
/** Next frame in a free list, slab list or limbo list; BOOT.JIFFIES when a frame came into use. */
export const LINK = 2;
/** Previous frame of a buddy or slab list; lock word of a table; swap slot of a frame in use. */
export const AUX = 3;

/** Inside a free block or never touched: 0, so that untouched metadata costs no host memory. */
export const FREE = 0;
/** Never handed out since boot, or returned: on a buddy list as the head of its block. */
export const FREE_HEAD = 1;
/** In a CPU's cache of free frames. */
export const CACHED = 2;
/** Holds data: user pages and object pages. COUNT counts entries and holders. */
export const USED = 3;
/** A page table of the level in STATE. */
export const TABLE = 4;
/** A detached table in its grace period. */
export const RETIRED = 5;
/** Kernel blocks of one kind (slab). COUNT counts the live ones. */
export const SLAB = 6;
/** Mapping records, page-index nodes, and other kernel pages. */
export const KERNEL = 7;
/** Not usable: frame 0. */
export const HOLE = 8;
/** The states' names, by number. */
export const STATE_NAMES: readonly string[] = [
  'free',
  'free-head',
  'cached',
  'used',
  'table',
  'retired',
  'slab',
  'kernel',
  'hole',
];

// Of STATE.
/** Where the order of a free block, or the slab, begins. */
export const ORDER_SHIFT = 4;
/** Where the level of a table begins. */
export const LEVEL_SHIFT = 8;
/** A table that is no longer reachable; a CPU that locked it must start again from the root. */
export const STRAY = 0x400;
/** Checked mode: the frame was filled with POISON when it was freed. */
export const POISONED = 0x800;
/** A frame in use that is (or was, until its last user lets go) the page of an object. */
export const PAGE_CACHE = 0x1000;
/** The page of an object differs from what the host has. */
export const DIRTY = 0x2000;
/** The contents are zero. A frame taken into use keeps the mark until it would be zeroed. */
export const ZEROED = 0x4000;

/** A page of an object that fallocate made and that nothing has used: no data yet. */
export const UNTOUCHED = 0x8000;

/** One pin, in COUNT of a frame in use: the bits below count references. */
export const PIN: number = 2 ** 22;
/** Most pins of one frame. */
export const PINS_MAX = 256;

/** The sequence number: orders frames that came into use in the same millisecond. */
export const SEQUENCE_SHIFT = 16;

/** What a checked machine fills freed frames with. */
export const POISON: number = 0xdeadf4ee | 0;

/** Its fields, and what protects each. */
export const LAYOUT: Block = describeBlock('frame', WORDS, {
  "by state: BOOT.BUDDY_LOCK, BOOT.SLAB_LOCK, the range's lock, or atomic": {
    STATE,
    COUNT,
    LINK,
    AUX,
  },
});
