/** An address space's block (kernel/space/). */
import { TLB_RING as TLB_RING_RECORDS } from '../limits.ts';
import { describeBlock } from './block.ts';
import type { Block } from './block.ts';

/** Words of a block. */
export const WORDS = 128;
/** Blocks are aligned to 128 words, so that index >> 7 fits above the state in CPU.MODE. */
export const ALIGN_SHIFT = 7;

/** Non-zero while in use; every slab block starts with such a word. */
export const LIVE = 0;
/** Frame of the root table. */
export const ROOT = 1;
/** Processes and threads that use this space. */
export const REFS = 2;
/** Lock of the area set; what else it covers is the protocol's choice. */
export const AREA_LOCK = 3;
/** Reader/writer lock of the `rwlock` protocol and its variants. */
export const RW_LOCK = 4;
/** Root of the area index, 0 for none. */
export const AREA_ROOT = 5;
/** Areas. */
export const AREA_COUNT = 6;
/** Odd while the area index changes: what lock-free readers compare before and after. */
export const INDEX_SEQ = 7;
/** Pages that entries map, superpages by their pages. */
export const RESIDENT = 8;
/** The most RESIDENT so far. */
export const RESIDENT_PEAK = 9;
/** Page tables, the root included. */
export const TABLES = 10;
/** Faults resolved without waiting. */
export const FAULTS_MINOR = 11;
/** Faults that waited for a file, a module or swap. */
export const FAULTS_MAJOR = 12;
/** Flushes that other CPUs had to be told of. */
export const SHOOTDOWNS = 13;
/** Never the same for two spaces, even when they reuse one block. */
export const ID = 14;
/** Advanced when an operation ends: unlocks all areas that it locked for writing. */
export const AREA_SEQ = 15;
/** TLB generation: polled by every CPU that runs this space in user mode. */
export const TLB_GEN = 16;
/** Lazy generation: polled less often (flush-lazy.ts). */
export const LAZY_GEN = 17;
/** First of the space's lazy flush records. */
export const LAZY_HEAD = 18;
/** Pages of all areas, of private writable ones, of locked ones: Linux's total_vm and so on. */
export const TOTAL_PAGES = 19;
/** Pages of private writable areas (Linux: data_vm). */
export const DATA_PAGES = 20;
/** Pages of locked areas (Linux: locked_vm). */
export const LOCKED_PAGES = 21;
/** Area flags that every new area gets (mlockall(MCL_FUTURE)). */
export const FUTURE_FLAGS = 22;
/** The last identity given to anonymous memory (anon-identity.ts). */
export const LAST_ANON = 23;
/** The end of the heap, a byte address in two words (wide.ts). */
export const BRK = 24;
/** The capabilities of the space's processes, a mask (capabilities.ts). */
export const CAPABILITIES = 26;
/** 1 once an operation has left equal areas side by side, as some of Linux's do. */
export const UNMERGED = 27;
/** The largest TOTAL_PAGES so far. */
export const TOTAL_PEAK = 28;
/** 1 once an area was sealed. */
export const SEALS = 29;
/** 1 once there was an area that grows down. */
export const GROWS = 30;
/** Block of the space's memory group, 0 for none; set before the space has a page. */
export const GROUP = 31;
/** Ring of recent shootdowns, a record each; its words are counted from the record. */
export const TLB_RING = 32;
/** Words of a record of the ring. */
export const TLB_RING_WORDS = 4;
/** The generation that the record is of. */
export const RING_STAMP = 0;
/** First VPN of the flush. */
export const RING_START_VPN = 1;
/** Its pages. */
export const RING_PAGES = 2;
/** RLIMITS pairs of 64-bit numbers {soft, hard}, as struct rlimit has them: four words each. */
export const RLIMITS = 96;
/** Words of a pair. */
export const RLIMIT_WORDS = 4;
/** Limits that are kept. */
export const RLIMITS_MAX = 4;
/** VPNs [start, end) without a private page when the space had had NO_PRIVATE_FAULTS faults. */
export const NO_PRIVATE_START = 112;
/** The end of those VPNs. */
export const NO_PRIVATE_END = 113;
/** The faults until then. */
export const NO_PRIVATE_FAULTS = 114;
/** Pages that its processes have pinned (Linux: pinned_vm). */
export const PINNED_PAGES = 115;
/** Where the heap begins, and an address in the area called [stack]; 0 for none (wide.ts). */
export const START_BRK = 116;
/** An address in the area called [stack], 0 for none (wide.ts). */
export const START_STACK = 118;

/** Its fields, and what protects each. */
export const LAYOUT: Block = describeBlock('space', WORDS, {
  'when it is made': { LIVE, ROOT, ID, CAPABILITIES, GROUP },
  'atomic words': { REFS, AREA_LOCK, RW_LOCK, TLB_GEN, LAZY_GEN, GROWS, PINNED_PAGES },
  "the areas' lock": {
    AREA_ROOT,
    AREA_COUNT,
    INDEX_SEQ,
    AREA_SEQ,
    LAZY_HEAD,
    TOTAL_PAGES,
    DATA_PAGES,
    LOCKED_PAGES,
    FUTURE_FLAGS,
    LAST_ANON,
    BRK: [BRK, 2],
    UNMERGED,
    TOTAL_PEAK,
    SEALS,
    RLIMITS: [RLIMITS, RLIMITS_MAX * RLIMIT_WORDS],
    NO_PRIVATE_START,
    NO_PRIVATE_END,
    NO_PRIVATE_FAULTS,
    START_BRK: [START_BRK, 2],
    START_STACK: [START_STACK, 2],
  },
  'atomic counters': {
    RESIDENT,
    RESIDENT_PEAK,
    TABLES,
    FAULTS_MINOR,
    FAULTS_MAJOR,
    SHOOTDOWNS,
  },
  "its record's stamp": { TLB_RING: [TLB_RING, TLB_RING_RECORDS * TLB_RING_WORDS] },
});
