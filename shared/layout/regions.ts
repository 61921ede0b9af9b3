/**
 * Where everything lies in the machine's one SharedArrayBuffer. Units: 32-bit words unless a name
 * says otherwise.
 *
 *     +--------------------+ 0
 *     | boot block         |  magic, sizes, global locks, free lists, counters
 *     +--------------------+ BOOT_WORDS
 *     | CPU blocks         |  one per CPU: mode, epoch, frame cache, mailbox, counters
 *     +--------------------+
 *     | record directory   |  1024 frame numbers of mapping-record frames
 *     +--------------------+
 *     | process table      |  pid slot to process block
 *     +--------------------+
 *     | futex queues       |  {lock, first waiter, last waiter, 0} for each bucket
 *     +--------------------+
 *     | latency histograms |  one per syscall
 *     +--------------------+
 *     | kernel log ring    |
 *     +--------------------+
 *     | swap map           |  5 words a slot of the swap store
 *     +--------------------+
 *     | frame metadata     |  4 words a frame
 *     +--------------------+  aligned to 4 KiB
 *     | frames             |  frame 0 is never handed out: PFN 0 means "none"
 *     +--------------------+
 *
 * Processes, address spaces, areas, records, objects and page tables live in frames: bare metal
 * has no other memory. Such a block is named by the index of its first word in the buffer.
 */
import {
  BUDDY_ORDERS,
  CPU_CACHE_FRAMES,
  DMESG_ENTRIES,
  FUTEX_BUCKETS,
  HISTOGRAM_BUCKETS,
  PROCESSES_MAX,
  TABLE_ENTRIES,
} from '../limits.ts';
import { FUTEX_QUEUE_WORDS } from './blocks.ts';
import { SLAB_SIZES, SLAB_STATE_WORDS } from './slabs.ts';
import { FRAME_META_WORDS } from './frame-meta.ts';
import { assert } from '../panic.ts';

export * from './blocks.ts';
export * from './slabs.ts';
export * from './frame-meta.ts';

export const MAGIC = 0x0fa171e1;
export const LAYOUT_VERSION = 1;

// ---- Boot block -------------------------------------------------------------------------------
// Written once by the formatter, then read only.
export const B_MAGIC = 0;
export const B_VERSION = 1;
export const B_FRAMES = 2;
export const B_CPUS = 3;
export const B_CHECKED = 4;
/** Whether the host's processes are root's: exempt from RLIMIT_MEMLOCK; by the formatter. */
export const B_PRIVILEGED = 11;
/** Milliseconds since boot, advanced by the kernel worker: kernel code has no clock of its own. */
export const B_JIFFIES = 12;
/** Index of the flush policy; written by the formatter. */
export const B_FLUSH_POLICY = 13;
/** Most areas of a space; written by the formatter. */
export const B_MAP_COUNT_MAX = 15;
// Ordered words, each on its own cache line (16 words).
/** RCU epoch, counting retirements. */
export const B_EPOCH = 16;
/** Phase of a stop: 0 running, 1 parking, 2 verifying. Parked CPUs sleep here. */
export const B_STOP = 17;
export const STOP_PARK = 1;
export const STOP_VERIFY = 2;
/** 1 while the kernel worker polls the trap mailboxes: a CPU need not ring its doorbell. */
export const B_KERNEL_POLLING = 32;
export const B_DMESG_NEXT = 48;
export const B_NEXT_PID = 64;
/** Bumped whenever a CPU parks, acknowledges or leaves user mode while somebody waits for it. */
export const B_CPU_EVENT = 80;
export const B_CPU_WAITERS = 81;
// Protected by B_BUDDY_LOCK.
export const B_BUDDY_LOCK = 96;
export const B_FREE_HEADS = 97;
export const B_FREE_FRAMES: number = 97 + BUDDY_ORDERS;
export const B_FREE_LOW: number = B_FREE_FRAMES + 1;
// Protected by B_SLAB_LOCK: one {free head, live objects, frames} triple for each slab.
export const B_SLAB_LOCK = 128;
export const B_SLABS = 129;
// Protected by B_RECORD_LOCK.
export const B_RECORD_LOCK = 160;
export const B_RECORD_FREE = 161;
export const B_RECORD_COUNT = 162;
export const B_RECORD_LIVE = 163;
// Protected by B_PROC_LOCK.
export const B_PROC_LOCK = 176;
export const B_PROC_COUNT = 177;
/** Spaces ever made: the source of S_ID. */
export const B_SPACES = 178;
/** Objects ever made: the source of O_INODE. */
export const B_OBJECTS = 179;
// Protected by B_SWAP_LOCK.
export const B_SWAP_LOCK = 208;
/** First slot of the free list; slots beyond B_SWAP_HIGH were never used. */
export const B_SWAP_FREE = 209;
export const B_SWAP_HIGH = 210;
export const B_SWAP_USED = 211;
/** Slots of the swap store; written by the formatter. */
export const B_SWAP_SLOTS = 14;
// Counters, added to atomically.
export const B_TABLE_FRAMES = 192;
export const B_TABLE_FRAMES_PEAK = 193;
/** 1 when faults are injected; written by the formatter. */
export const B_INJECTING = 5;
/** One group of words for each kind of injected fault (kernel/machine/inject.ts). */
export const B_INJECT = 256;
/** Written by the formatter: the operation that fails, the share that does in 2^-30, the seed. */
export const I_NTH = 0;
export const I_SHARE = 1;
export const I_SEED = 2;
// Counters: operations so far, and those that failed.
export const I_COUNT = 3;
export const I_FAILED = 4;
export const INJECT_WORDS = 8;
/** Memory groups (kernel/frames/memory-group.ts), each on its own cache line. */
export const B_GROUPS = 512;
/** Pages that may be resident; 0 while the block is free. */
export const G_LIMIT = 0;
// Counters, added to atomically.
export const G_RESIDENT = 1;
export const G_PEAK = 2;
export const G_SPACES = 3;
export const GROUP_WORDS = 16;
export const BOOT_WORDS = 1024;

// ---- CPU block --------------------------------------------------------------------------------
// Ordered: written by the owner, read by initiators of shootdowns, the auditor and the reaper.
export const C_MODE = 0;
/** RCU epoch seen at the last kernel entry. */
export const C_EPOCH = 1;
/** TLB generation of the active space that this CPU has applied. */
export const C_ACK = 2;
/** TLB entries found wrong at the last audit, and the first such VPN. */
export const C_TLB_BAD = 3;
export const C_TLB_BAD_VPN = 4;
/** B_STOP phase this CPU has answered. */
export const C_STOP_SEEN = 5;
/** Lazy generation of the active space that this CPU has swept. */
export const C_LAZY_ACK = 6;
// Trap mailbox: request words by the CPU, reply words by the kernel worker.
export const C_TRAP_SEQ = 16;
export const C_TRAP_OP = 17;
export const C_TRAP_PID = 18;
export const C_TRAP_ARGS = 20; // 6 float64 arguments: 2 words each, aligned
export const TRAP_ARGS = 6;
export const C_TRAP_WAITING = 32;
export const C_TRAP_DONE = 48;
export const C_TRAP_RESULT = 50; // a float64
// Owned by the CPU while it is in kernel mode.
export const C_CACHE_COUNT = 64;
export const C_CACHE = 65;
/** Retired tables waiting for their grace period, linked through frame metadata. */
export const C_LIMBO_HEAD = 130;
export const C_LIMBO_TAIL = 131;
export const C_LIMBO_COUNT = 132;
// Counters of the CPU, written by the owner only.
export const C_STATS = 144;
export const CPU_STATS = [
  'faultsMinor',
  'faultsMajor',
  'faultRetries',
  'raceLosses',
  'shootdowns',
  'shootdownTargets',
  'tlbFlushes',
  'lockWaits',
  'kernelEntries',
  'framesZeroed',
  'framesRetired',
  'framesReaped',
  'lockFallbacks',
  'lazyFlushes',
  'swapOuts',
  'swapIns',
  'pagesScanned',
  'pagesReclaimed',
  'oomKills',
] as const;
export type CpuStat = (typeof CPU_STATS)[number];
export const CPU_WORDS = 256;

/** C_MODE: state in the low byte, above it the active space: index of its block >> 7. */
export const MODE_OFFLINE = 0;
export const MODE_IDLE = 1;
export const MODE_KERNEL = 2;
export const MODE_USER = 3;
/** In a trap, asleep until the kernel worker answers. */
export const MODE_BLOCKED = 4;
export const MODE_PARKED = 5;
export const MODE_DEAD = 6;
export const MODE_MASK = 0xf;
/** Space blocks are aligned to 128 words, so that index >> 7 fits above the state. */
export const MODE_SPACE_SHIFT = 4;
export const SPACE_ALIGN_SHIFT = 7;

// ---- Swap map: 5 words a slot -----------------------------------------------------------------
/** Entries that name the slot, 0 when it is free. */
export const W_REFS = 0;
/** Frame that holds the page, 0 when only the store does. */
export const W_PFN = 1;
export const W_STATE = 2;
/** Next slot of the free list. */
export const W_NEXT = 3;
/** Times the slot was taken: tells a late answer of the store from one for another page. */
export const W_USES = 4;
export const SWAP_WORDS = 5;

export const SWAP_FREE = 0;
export const SWAP_DIRTY = 1;
export const SWAP_WRITING = 2;
export const SWAP_CLEAN = 3;

// ---- Kernel log -------------------------------------------------------------------------------
export const DMESG_WORDS = 8;

// ---- Histograms -------------------------------------------------------------------------------
export const HISTOGRAMS = 64;

/** Sizes of the regions that lie before the frames. */
export const RECORD_DIR_WORDS: number = TABLE_ENTRIES;
export const HISTOGRAM_WORDS: number = HISTOGRAMS * HISTOGRAM_BUCKETS;
export const DMESG_RING_WORDS: number = DMESG_ENTRIES * DMESG_WORDS;

assert(B_FREE_LOW < B_SLAB_LOCK, 'layout: buddy fields overlap the slab fields');
assert(B_SLABS + SLAB_SIZES.length * SLAB_STATE_WORDS <= B_RECORD_LOCK, 'layout: slab fields');
assert(C_CACHE + CPU_CACHE_FRAMES <= C_LIMBO_HEAD, 'layout: frame cache overlaps limbo');
assert(C_STATS + CPU_STATS.length <= CPU_WORDS, 'layout: CPU block');
assert(C_TRAP_ARGS + 2 * TRAP_ARGS <= C_TRAP_WAITING, 'layout: trap arguments');

/** Word offsets of the regions of a machine of this size. */
export interface Regions {
  readonly cpuBase: number;
  readonly recordDir: number;
  readonly procTable: number;
  readonly futexQueues: number;
  readonly histograms: number;
  readonly dmesg: number;
  readonly swapMap: number;
  readonly meta: number;
  readonly frameBase: number;
  readonly totalWords: number;
}

/** Lays out a machine of `frames` frames, `cpus` CPU blocks and `swapSlots` slots of swap. */
export function layOut(frames: number, cpus: number, swapSlots: number): Regions {
  const cpuBase = BOOT_WORDS;
  const recordDir = cpuBase + cpus * CPU_WORDS;
  const procTable = recordDir + RECORD_DIR_WORDS;
  const futexQueues = procTable + PROCESSES_MAX;
  const histograms = futexQueues + FUTEX_BUCKETS * FUTEX_QUEUE_WORDS;
  const dmesg = histograms + HISTOGRAM_WORDS;
  const swapMap = dmesg + DMESG_RING_WORDS;
  const meta = swapMap + swapSlots * SWAP_WORDS;
  const end = meta + frames * FRAME_META_WORDS;
  const frameBase = Math.ceil(end / TABLE_ENTRIES) * TABLE_ENTRIES;
  const totalWords = frameBase + frames * TABLE_ENTRIES;
  const tables = { cpuBase, recordDir, procTable, futexQueues, histograms, dmesg, swapMap, meta };
  return { ...tables, frameBase, totalWords };
}
