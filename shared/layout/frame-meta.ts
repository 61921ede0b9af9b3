/** The metadata that the machine keeps of each frame: 4 words. */
/** State in the low 4 bits, then order or slab (4 bits), level (2 bits), flags. */
export const F_STATE = 0;
/** References of a frame in use; live entries of a table; retirement epoch of a retired table. */
export const F_COUNT = 1;
/** Next frame in a free list, slab list or limbo list; B_JIFFIES when a frame came into use. */
export const F_LINK = 2;
/** Previous frame of a buddy or slab list; lock word of a table; swap slot of a frame in use. */
export const F_AUX = 3;
export const FRAME_META_WORDS = 4;

/** Never handed out since boot, or returned: on a buddy list as the head of its block. */
export const FRAME_FREE_HEAD = 1;
/** Inside a free block or never touched: 0, so that untouched metadata costs no host memory. */
export const FRAME_FREE = 0;
/** In a CPU's cache of free frames. */
export const FRAME_CACHED = 2;
/** Holds data: user pages and object pages. F_COUNT counts entries and holders. */
export const FRAME_USED = 3;
/** A page table of level F_STATE.level. */
export const FRAME_TABLE = 4;
/** A detached table in its grace period. */
export const FRAME_RETIRED = 5;
/** Kernel blocks of one kind (slab). F_COUNT counts the live ones. */
export const FRAME_SLAB = 6;
/** Mapping records, page-index nodes, and other kernel pages. */
export const FRAME_KERNEL = 7;
/** Not usable: frame 0. */
export const FRAME_HOLE = 8;
export const FRAME_STATE_NAMES: readonly string[] = [
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
export const F_ORDER_SHIFT = 4;
export const F_LEVEL_SHIFT = 8;
/** A table that is no longer reachable; whoever locked it must start again from the root. */
export const F_STRAY = 0x400;
/** Checked mode: the frame was filled with POISON when it was freed. */
export const F_POISONED = 0x800;
/** A frame in use that is (or was, until its last user lets go) the page of an object. */
export const F_PAGE_CACHE = 0x1000;
/** The page of an object differs from what the host has. */
export const F_DIRTY = 0x2000;
/** The contents are zero: of a free frame, or of one taken into use until it is zeroed anyway. */
export const F_ZEROED = 0x4000;
export const POISON: number = 0xdeadf4ee | 0;
