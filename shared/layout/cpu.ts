/** A CPU's block: what it is doing, its trap mailbox, its frame cache and its counters. */
import { CPU_CACHE_FRAMES } from '../limits.ts';
import { describeBlock } from './block.ts';
import type { Block } from './block.ts';

/** Words of a block. */
export const WORDS = 256;

/** A MODE_ in the low four bits, above it the active space: index of its block >> 7. */
export const MODE = 0;
/** RCU epoch seen at the last kernel entry. */
export const EPOCH = 1;
/** TLB generation of the active space that this CPU has applied. */
export const ACK = 2;
/** TLB entries found wrong at the last audit, and the first such VPN. */
export const TLB_BAD = 3;
/** The first such VPN. */
export const TLB_BAD_VPN = 4;
/** BOOT.STOP phase this CPU has answered. */
export const STOP_SEEN = 5;
/** Lazy generation of the active space that this CPU has swept. */
export const LAZY_ACK = 6;
/** Process that ended in the present turn of the Worker's event loop, 0 when that is over. */
export const ENDED_PID = 7;
/** Counts the times that a process got the thread: in a new turn, or from another process. */
export const TURNS = 8;

// The trap mailbox: request words by the CPU, reply words by the kernel worker.
/** Advanced when a request is complete. */
export const TRAP_SEQ = 16;
/** The number of the syscall, or of another request. */
export const TRAP_OP = 17;
/** The process that asks. */
export const TRAP_PID = 18;
/** TRAP_ARGS_MAX float64 arguments: two words each, aligned. */
export const TRAP_ARGS = 20;
/** The most arguments of a request. */
export const TRAP_ARGS_MAX = 6;
/** 1 while the CPU sleeps for the reply. */
export const TRAP_WAITING = 32;
/** TRAP_SEQ of the last request that was answered. */
export const TRAP_DONE = 48;
/** A float64. */
export const TRAP_RESULT = 50;

/** Free frames in CACHE. */
export const CACHE_COUNT = 64;
/** A stack of free frames that only this CPU hands out. */
export const CACHE = 65;
/** Retired tables waiting for their grace period, linked through frame metadata. */
export const LIMBO_HEAD = 130;
/** The last of the retired tables. */
export const LIMBO_TAIL = 131;
/** Retired tables. */
export const LIMBO_COUNT = 132;
/** Counts the frames taken into use: their order (FRAME.SEQUENCE_SHIFT). */
export const FRAME_SEQUENCE = 133;

/** Counters, in the order of STAT_NAMES. */
export const STATS = 144;
/** The counters' names, in the order of their words. */
export const STAT_NAMES = [
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
  'swapWriteErrors',
  'swapReadErrors',
  'runawayWorkers',
] as const;
/** The name of a counter. */
export type StatName = (typeof STAT_NAMES)[number];

/** No Worker runs it. */
export const MODE_OFFLINE = 0;
/** It runs neither a program nor the kernel. */
export const MODE_IDLE = 1;
/** It runs the kernel. */
export const MODE_KERNEL = 2;
/** It runs a program, and uses its TLB. */
export const MODE_USER = 3;
/** In a trap, asleep until the kernel worker answers. */
export const MODE_BLOCKED = 4;
/** It has stopped for an audit. */
export const MODE_PARKED = 5;
/** Its Worker has ended, and the kernel cleans up after it. */
export const MODE_DEAD = 6;
/** The bits of MODE that hold a MODE_. */
export const MODE_MASK = 0xf;
/** By how much the active space is shifted in MODE. */
export const MODE_SPACE_SHIFT = 4;

/** Its fields, and what protects each. */
export const LAYOUT: Block = describeBlock('cpu', WORDS, {
  'ordered, written by the owner': {
    MODE,
    EPOCH,
    ACK,
    TLB_BAD,
    TLB_BAD_VPN,
    STOP_SEEN,
    LAZY_ACK,
    ENDED_PID,
    TURNS,
  },
  'the CPU, until TRAP_SEQ is advanced': {
    TRAP_SEQ,
    TRAP_OP,
    TRAP_PID,
    TRAP_ARGS: [TRAP_ARGS, 2 * TRAP_ARGS_MAX],
    TRAP_WAITING,
  },
  'the kernel worker, until TRAP_DONE is advanced': { TRAP_DONE, TRAP_RESULT: [TRAP_RESULT, 2] },
  'the CPU in kernel mode': {
    CACHE_COUNT,
    CACHE: [CACHE, CPU_CACHE_FRAMES],
    LIMBO_HEAD,
    LIMBO_TAIL,
    LIMBO_COUNT,
    FRAME_SEQUENCE,
  },
  'the CPU alone': { STATS: [STATS, STAT_NAMES.length] },
});
