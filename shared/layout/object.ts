/** A memory object: something that pages come from (kernel/objects/object.ts). */
import { describeBlock } from './block.ts';
import type { Block } from './block.ts';

/** Words of a block. */
export const WORDS = 32;

/** Non-zero while in use. */
export const LIVE = 0;
/** Records, open descriptors and the host's registration. */
export const REFS = 1;
/** One of the kinds below. */
export const KIND = 2;
/** The host's number for it: file, device or backend module. */
export const HOST = 3;
/** Pages that exist; a fault at or beyond is SIGBUS. */
export const PAGES = 4;
/** First frame of a Linear object. */
export const BASE_PFN = 5;
/** The page index (page-index.ts). */
export const INDEX_ROOT = 6;
/** Levels of the page index. */
export const INDEX_HEIGHT = 7;
/** First of the object's mapping records. */
export const RECORDS = 8;
/** Whether a descriptor may be opened for writing, and a shared mapping be writable. */
export const WRITABLE = 10;
/** Bytes, in two words (wide.ts). */
export const SIZE = 12;
/** Spinlock of the object's size and pages. */
export const LOCK = 14;
/** Bytes from the start that the host can supply; a page beyond is zero (wide.ts). */
export const SUPPLIED = 16;
/** What SUPPLIED becomes when the write-back under way has ended (wide.ts). */
export const WRITTEN = 18;
/** Its inode number: never the same for two objects. */
export const INODE = 20;
/** F_SEAL_*: what may no longer be done to it. */
export const SEALS = 21;
/** Areas that map it shared and may write it, and calls of mmap that are about to make one. */
export const WRITERS = 22;

/** Of /proc/PID/mem: the process, and the SPACE.ID of its address space. */
export const TARGET_PID = 23;
/** See TARGET_PID. */
export const TARGET_SPACE = 24;

/** KIND; what each of them is and can do: kernel/objects/kinds.ts. */
export const SHARED = 1;
/** KIND: a file of the host. */
export const FILE = 2;
/** KIND: pages of a backend module. */
export const USER = 3;
/** KIND: registers of a device module. */
export const DEVICE = 4;
/** KIND: frames that lie one after the other. */
export const LINEAR = 5;
/** KIND: a file of /proc. */
export const TEXT = 6;
/** KIND: /dev/zero. */
export const ZERO = 7;
/** KIND: pages that a backend module enters into page tables itself. */
export const ARRANGED = 8;
/** KIND: /proc/PID/mem. */
export const MEMORY = 9;

/** Its fields, and what protects each. */
export const LAYOUT: Block = describeBlock('object', WORDS, {
  'when it is made': {
    LIVE,
    KIND,
    HOST,
    BASE_PFN,
    WRITABLE,
    INODE,
    TARGET_PID,
    TARGET_SPACE,
  },
  'atomic words': { REFS, WRITERS },
  'OBJECT.LOCK': {
    LOCK,
    PAGES,
    SEALS,
    INDEX_ROOT,
    INDEX_HEIGHT,
    SIZE: [SIZE, 2],
    SUPPLIED: [SUPPLIED, 2],
    WRITTEN: [WRITTEN, 2],
  },
  'BOOT.RECORD_LOCK': { RECORDS },
});
