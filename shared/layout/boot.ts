/** The boot block: what the machine is, its global locks, free lists and counters. */
import { BUDDY_ORDERS, MEMORY_GROUPS_MAX } from '../limits.ts';
import { describeBlock } from './block.ts';
import type { Block } from './block.ts';
import * as GROUP from './group.ts';
import * as INJECT from './inject.ts';
import * as SLAB from './slabs.ts';

/** Words of the block. */
export const WORDS = 1024;

/** MAGIC_NUMBER, written last by the formatter. */
export const MAGIC = 0;
/** LAYOUT_VERSION of the code that formatted the machine. */
export const VERSION = 1;
/** Frames of the machine, frame 0 included. */
export const FRAMES = 2;
/** CPU blocks: the kernel worker's, the pool's and the spares'. */
export const CPUS = 3;
/** 1 for a checked machine, which poisons freed frames and asserts more. */
export const CHECKED = 4;
/** 1 when faults are injected. */
export const INJECTING = 5;
/** The capabilities of processes that the host starts, a mask (capabilities.ts). */
export const CAPABILITIES = 6;
/** Index of the flush policy. */
export const FLUSH_POLICY = 7;
/** Most areas of a space. */
export const MAP_COUNT_MAX = 8;
/** Slots of the swap store. */
export const SWAP_SLOTS = 9;

// Each of the following, up to the locks, lies on a cache line of its own (16 words), except for
// pairs that are used together.
/** RCU epoch, counting retirements. */
export const EPOCH = 16;
/** Phase of a stop: 0 running, 1 parking, 2 verifying. Parked CPUs sleep here. */
export const STOP = 17;
/** 1 while the kernel worker polls the trap mailboxes: a CPU need not ring its doorbell. */
export const KERNEL_POLLING = 32;
/** Milliseconds since boot: kernel code has no clock of its own. */
export const JIFFIES = 33;
/** Records ever written to the kernel log. */
export const DMESG_NEXT = 48;
/** The pid that is tried next. */
export const NEXT_PID = 64;
/** Bumped whenever a CPU parks, acknowledges or leaves user mode while another CPU waits for it. */
export const CPU_EVENT = 80;
/** CPUs that wait for CPU_EVENT. */
export const CPU_WAITERS = 81;

/** Spinlock of the free lists. */
export const BUDDY_LOCK = 96;
/** Head of the free list of each buddy order. */
export const FREE_HEADS = 97;
/** Free frames on the lists, without those in the CPUs' caches. */
export const FREE_FRAMES: number = FREE_HEADS + BUDDY_ORDERS;
/** The fewest free frames so far. */
export const FREE_LOW: number = FREE_FRAMES + 1;

/** Lock of the names of anonymous memory and their table. */
export const NAME_LOCK = 112;

/** Spinlock of the slabs. */
export const SLAB_LOCK = 128;
/** {free head, live objects, frames} for each slab. */
export const SLABS = 129;

/** Spinlock of the mapping records. */
export const RECORD_LOCK = 160;
/** The first free record, 0 for none. */
export const RECORD_FREE = 161;
/** The highest record number ever used. */
export const RECORD_COUNT = 162;
/** Records in use. */
export const RECORD_LIVE = 163;

/** Spinlock of the pid table. */
export const PROC_LOCK = 176;
/** Processes, zombies included. */
export const PROC_COUNT = 177;
/** Spaces ever made: the source of SPACE.ID. */
export const SPACES = 178;
/** Objects ever made: the source of OBJECT.INODE. */
export const OBJECTS = 179;

/** Frames that are page tables. */
export const TABLE_FRAMES = 192;
/** The most TABLE_FRAMES so far. */
export const TABLE_FRAMES_PEAK = 193;

/** Spinlock of the swap map. */
export const SWAP_LOCK = 208;
/** First slot of the free list; slots beyond SWAP_HIGH were never used. */
export const SWAP_FREE = 209;
/** The highest slot ever used. */
export const SWAP_HIGH = 210;
/** Slots in use. */
export const SWAP_USED = 211;

/** Words that the kernel leaves alone, for experiments with its locks. */
export const SCRATCH = 224;
/** Words from SCRATCH on. */
export const SCRATCH_WORDS = 32;

/** One group of words for each kind of injected fault (inject.ts). */
export const INJECT_KINDS = 256;
/** Groups from INJECT_KINDS on. */
export const INJECT_KINDS_MAX = 8;
/** Memory groups (group.ts), each on its own cache line. */
export const GROUPS = 512;

/** What MAGIC holds in every machine. */
export const MAGIC_NUMBER = 0x0fa171e1;
/** The version of this layout. */
export const LAYOUT_VERSION = 3;

/** STOP. */
export const STOP_PARK = 1;
/** STOP: the machine is being looked at. */
export const STOP_VERIFY = 2;

/** Its fields, and what protects each. */
export const LAYOUT: Block = describeBlock('boot', WORDS, {
  'the formatter, once': {
    MAGIC,
    VERSION,
    FRAMES,
    CPUS,
    CHECKED,
    INJECTING,
    CAPABILITIES,
    FLUSH_POLICY,
    MAP_COUNT_MAX,
    SWAP_SLOTS,
  },
  'the kernel worker alone': { KERNEL_POLLING, JIFFIES },
  'ordered words': { EPOCH, STOP, DMESG_NEXT, NEXT_PID, CPU_EVENT, CPU_WAITERS },
  'BOOT.BUDDY_LOCK': { BUDDY_LOCK, FREE_HEADS: [FREE_HEADS, BUDDY_ORDERS], FREE_FRAMES, FREE_LOW },
  'BOOT.NAME_LOCK': { NAME_LOCK },
  'BOOT.SLAB_LOCK': { SLAB_LOCK, SLABS: [SLABS, SLAB.SIZES.length * SLAB.STATE_WORDS] },
  'BOOT.RECORD_LOCK': { RECORD_LOCK, RECORD_FREE, RECORD_COUNT, RECORD_LIVE },
  'BOOT.PROC_LOCK': { PROC_LOCK, PROC_COUNT, SPACES, OBJECTS },
  'BOOT.SWAP_LOCK': { SWAP_LOCK, SWAP_FREE, SWAP_HIGH, SWAP_USED },
  'nothing: the kernel does not use them': { SCRATCH: [SCRATCH, SCRATCH_WORDS] },
  'atomic counters': {
    TABLE_FRAMES,
    TABLE_FRAMES_PEAK,
    INJECT_KINDS: [INJECT_KINDS, INJECT_KINDS_MAX * INJECT.WORDS],
    GROUPS: [GROUPS, MEMORY_GROUPS_MAX * GROUP.WORDS],
  },
});
