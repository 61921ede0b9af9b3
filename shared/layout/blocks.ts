/**
 * The blocks that live in frames: address spaces, processes, areas, mapping records, objects.
 * Field offsets in 32-bit words from the block's first word, grouped by what protects them.
 */
import { FDS_MAX, PROCESS_NAME_BYTES, TLB_RING } from '../limits.ts';
import { assert } from '../panic.ts';

// ---- Address space block ----------------------------------------------------------------------
export const SPACE_WORDS = 128;
/** Non-zero while in use; every slab block starts with such a word. */
export const S_LIVE = 0;
export const S_ROOT = 1;
/** Processes and threads that use this space. */
export const S_REFS = 2;
/** Lock of the area set; what else it covers is the protocol's choice. */
export const S_AREA_LOCK = 3;
/** Reader/writer lock of the `rwlock` protocol and its kin. */
export const S_RW_LOCK = 4;
// Protected by the area lock.
export const S_AREA_ROOT = 5;
export const S_AREA_COUNT = 6;
/** Odd while the area index changes: what lock-free readers compare before and after. */
export const S_INDEX_SEQ = 7;
// Counters, added to atomically.
export const S_RESIDENT = 8;
export const S_RESIDENT_PEAK = 9;
export const S_TABLES = 10;
export const S_FAULTS_MINOR = 11;
export const S_FAULTS_MAJOR = 12;
export const S_SHOOTDOWNS = 13;
/** Never the same for two spaces, even when they reuse one block. */
export const S_ID = 14;
/** Advanced when an operation ends: unlocks all areas that it locked for writing. */
export const S_AREA_SEQ = 15;
/** TLB generation: polled by every CPU that runs this space in user mode. */
export const S_TLB_GEN = 16;
/** Lazy generation: looked at now and then. */
export const S_LAZY_GEN = 17;
/** First of the space's lazy records, under the areas' lock. */
export const S_LAZY_HEAD = 18;
// Protected by the areas' lock again.
/** Pages of all areas, of private writable ones, of locked ones: Linux's total_vm and so on. */
export const S_TOTAL_PAGES = 19;
export const S_DATA_PAGES = 20;
export const S_LOCKED_PAGES = 21;
/** Area flags that every new area gets (mlockall(MCL_FUTURE)). */
export const S_FUTURE_FLAGS = 22;
/** The last identity given to anonymous memory (anon-identity.ts). */
export const S_LAST_ANON = 23;
/** The end of the heap, a byte address in two words (wide.ts). */
export const S_BRK = 24;
/** 1 for a space whose processes have CAP_IPC_LOCK and CAP_SYS_RESOURCE. */
export const S_PRIVILEGED = 26;
/** 1 once an operation has left equal areas side by side, as some of Linux's do. */
export const S_APART = 27;
/** 1 once an area was sealed. */
export const S_SEALS = 29;
/** 1 once there was an area that grows down. */
export const S_GROWS = 30;
/** The largest S_TOTAL_PAGES so far. */
export const S_TOTAL_PEAK = 28;
/** Block of the space's memory group, 0 for none; set before the space has a page. */
export const S_GROUP = 31;
/** Ring of recent shootdowns: {generation, first VPN, pages, 0}. */
export const S_TLB_RING = 32;
export const TLB_RING_WORDS = 4;
/** RLIMITS pairs of 64-bit numbers {soft, hard}, as struct rlimit has them: four words each. */
export const S_RLIMITS = 96;
export const RLIMIT_WORDS = 4;
export const RLIMITS = 4;
// Under the areas' lock (anon-identity.ts).
/** VPNs [start, end) without a private page while the space had had so many faults. */
export const S_BARE_START = 112;
export const S_BARE_END = 113;
export const S_BARE_FAULTS = 114;

// ---- Process block ----------------------------------------------------------------------------
export const PROC_WORDS = 256;
export const P_LIVE = 0;
export const P_PID = 1;
export const P_PARENT = 2;
export const P_SPACE = 3;
/** The CPU that runs it: 0 until one has started it. */
export const P_CPU = 4;
/** PROC_* state. */
export const P_STATE = 5;
export const P_EXIT_CODE = 6;
export const P_EXIT_SIGNAL = 7;
/** Fault address of the ending signal, in two words (wide.ts). */
export const P_EXIT_ADDRESS = 8;
/** Signal that must end the process at its next safe point; 0 for none. */
export const P_PENDING = 10;
/** Lock of the descriptors: a program may close one while its CPU looks at it. */
export const P_FD_LOCK = 11;
/** TLB counters, published when the process leaves user mode: two words each (wide.ts). */
export const P_TLB_HITS = 12;
export const P_TLB_MISSES = 14;
export const P_NAME = 32;
export const P_FDS = 64; // FDS_MAX open file descriptions, 0 for none
export const FD_WORDS = 1;
// Signals but the one that ends the process (signals.ts): sets, signal n at bit n - 1.
export const P_SIG_PENDING = 192;
export const P_SIG_BLOCKED = 193;
/** With a handler, and ignored on purpose; in neither: the default action. */
export const P_SIG_CAUGHT = 194;
export const P_SIG_IGNORED = 195;
/** Nice value, -20 to 19. */
export const P_NICE = 196;
/** First of the process's futex waiters. */
export const P_FUTEXES = 197;
/** Time on a CPU, in microseconds, in two words (wide.ts). */
export const P_CPU_US = 198;
/** A thread's stack with its guard page, address and bytes, two words each; 0 bytes for none. */
export const P_STACK = 200;
export const P_STACK_BYTES = 202;
/** The CPU in whose run queue it waits to be started. */
export const P_HOME = 204;
/** Who sent the pending signal n: a pid, at word n. */
export const P_SIG_SENDERS = 208;
export const SIG_SENDERS_WORDS = 32;

/** P_CPU of a new process that no CPU may start any more. */
export const CPU_NOBODY = 255;
export const PROC_NEW = 1;
export const PROC_RUNNING = 2;
export const PROC_ZOMBIE = 3;

// ---- Area node --------------------------------------------------------------------------------
export const AREA_WORDS = 32;
export const A_LIVE = 0;
export const A_LEFT = 1;
export const A_RIGHT = 2;
export const A_PARENT = 3;
export const A_PRIORITY = 4;
export const A_START = 5;
export const A_END = 6;
export const A_MIN_START = 7;
export const A_MAX_END = 8;
export const A_MAX_GAP = 9;
export const A_FLAGS = 10;
export const A_RECORD = 11;
export const A_STATE = 12;
/** The space that the node belongs to: a lock-free reader may meet a node that was reused. */
export const A_SPACE = 13;
/** Value of S_AREA_SEQ when the area was last locked for writing: equal means locked now. */
export const A_SEQ = 14;
/** Identity of the area's anonymous memory, 0 before the first page (Linux: anon_vma). */
export const A_ANON = 15;
/** Of private anonymous memory: page offset - VPN, not 0 once it was moved (Linux: vm_pgoff). */
export const A_DELTA = 16;
/** Readers of the area. Survives the node: a reader may still count itself out of a freed one. */
export const A_LOCK = 31;

// ---- Mapping record ---------------------------------------------------------------------------
export const RECORD_WORDS = 8;
/** Areas (and callers in the middle of one) that hold this record; 0 when free. */
export const R_REFS = 0;
export const R_KIND = 1;
export const R_OBJECT = 2;
/** Page offset in the object minus VPN: the same for both halves of a split. */
export const R_DELTA = 3;
export const R_SHARED = 4;
/** Next and previous record of the same object; next free record in the free list. */
export const R_NEXT = 5;
export const R_PREVIOUS = 6;

// ---- Memory object ----------------------------------------------------------------------------
export const OBJECT_WORDS = 32;
export const O_LIVE = 0;
/** Records, open descriptors and the host's registration. */
export const O_REFS = 1;
export const O_KIND = 2;
/** The host's number for it: file, device or backend module. */
export const O_HOST = 3;
/** Pages that exist, under O_LOCK; a fault at or beyond is SIGBUS. */
export const O_PAGES = 4;
/** First frame of a Linear object. */
export const O_BASE_PFN = 5;
// Under O_LOCK: the page index (page-index.ts).
export const O_INDEX_ROOT = 6;
export const O_INDEX_HEIGHT = 7;
/** First of the object's mapping records, under B_RECORD_LOCK. */
export const O_RECORDS = 8;
/** Whether a descriptor may be opened for writing, and a shared mapping be writable. */
export const O_WRITABLE = 10;
/** Bytes, in two words (wide.ts), under O_LOCK. */
export const O_SIZE = 12;
/** Spinlock of the object's size and pages. */
export const O_LOCK = 14;
/** Bytes from the start that the host can supply; a page beyond is zero (wide.ts, O_LOCK). */
export const O_SUPPLIED = 16;
/** What O_SUPPLIED becomes when the write-back under way has ended (wide.ts, O_LOCK). */
export const O_WRITTEN = 18;
/** Its inode number: never the same for two objects. */
export const O_INODE = 20;

export const OBJECT_SHARED = 1;
export const OBJECT_FILE = 2;
export const OBJECT_USER = 3;
export const OBJECT_DEVICE = 4;
export const OBJECT_LINEAR = 5;
export const OBJECT_KIND_NAMES: readonly string[] = [
  'none',
  'shared',
  'file',
  'user',
  'device',
  'linear',
];

// ---- Open file description --------------------------------------------------------------------
export const FILE_WORDS = 16;
export const D_LIVE = 0;
/** Descriptors, of one or several processes, and syscalls that are using it. */
export const D_REFS = 1;
export const D_OBJECT = 2;
/** O_* flags. */
export const D_FLAGS = 3;
/** Position in bytes, in two words (wide.ts): the kernel worker's. */
export const D_POSITION = 4;

// ---- Lazy flush record ------------------------------------------------------------------------
export const LAZY_WORDS = 64;
export const Z_LIVE = 0;
export const Z_NEXT = 1;
export const Z_GENERATION = 2;
export const Z_START = 3;
export const Z_PAGES = 4;
export const Z_COUNT = 5;
export const Z_FRAMES = 8;
export const LAZY_FRAMES_MAX: number = LAZY_WORDS - Z_FRAMES;

// ---- Futex waiter -----------------------------------------------------------------------------
export const FUTEX_WORDS = 16;
export const Q_LIVE = 0;
/** FUTEX_*: the word that the waiter sleeps on. */
export const Q_STATE = 1;
/** Neighbours in the queue of the key's bucket, under its lock, while it waits. */
export const Q_NEXT = 2;
export const Q_PREVIOUS = 3;
/** Key: an object's block and a page of it, or minus a space's number and a VPN; then the byte. */
export const Q_ID = 4;
export const Q_PAGE = 5;
export const Q_OFFSET = 6;
/** Process block of who waits, and its neighbours among that process's waiters. */
export const Q_OWNER = 7;
export const Q_OWN_NEXT = 8;
export const Q_OWN_PREVIOUS = 9;

export const FUTEX_WAITING = 1;
export const FUTEX_WOKEN = 2;

// A bucket's queue of waiters, in the region of that name.
export const U_LOCK = 0;
export const U_FIRST = 1;
export const U_LAST = 2;
export const FUTEX_QUEUE_WORDS = 4;

assert(S_TLB_RING + TLB_RING * TLB_RING_WORDS <= S_RLIMITS, 'blocks: shootdown ring');
assert(S_RLIMITS + RLIMITS * RLIMIT_WORDS <= S_BARE_START, 'blocks: limits');
assert(S_BARE_FAULTS < SPACE_WORDS, 'blocks: space block');
assert(A_LOCK === AREA_WORDS - 1, 'blocks: the lock of an area must be its stable word');
assert(P_NAME + PROCESS_NAME_BYTES / 4 <= P_FDS, 'blocks: process name');
assert(P_FDS + FDS_MAX * FD_WORDS <= P_SIG_PENDING, 'blocks: descriptors');
assert(P_SIG_SENDERS + SIG_SENDERS_WORDS <= PROC_WORDS, 'blocks: process block');
