/** A process's block (kernel/processes/). */
import { PROCESS_NAME_BYTES } from '../limits.ts';
import { describeBlock } from './block.ts';
import type { Block } from './block.ts';

/** Words of a block. */
export const WORDS = 256;

/** Non-zero while in use. */
export const LIVE = 0;
/** Its number. */
export const PID = 1;
/** Pid of its parent, 0 for the host. */
export const PARENT = 2;
/** Block of its address space, 0 when it has ended. */
export const SPACE = 3;
/** The CPU that runs it: 0 until one has started it, CPU_NOBODY when none may. */
export const CPU = 4;
/** NEW, RUNNING or ZOMBIE. */
export const STATE = 5;
/** What it returned, 0 to 255. */
export const EXIT_CODE = 6;
/** The signal that ended it, 0 for none. */
export const EXIT_SIGNAL = 7;
/** Fault address of the ending signal, in two words (wide.ts). */
export const EXIT_ADDRESS = 8;
/** Signal that must end the process at its next safe point; 0 for none. */
export const PENDING = 10;
/** Its table of descriptors (descriptors.ts), until it has ended. */
export const DESCRIPTORS = 11;
/** TLB counters, published when the process leaves user mode: two words each (wide.ts). */
export const TLB_HITS = 12;
/** The misses. */
export const TLB_MISSES = 14;
/** The pid of the process that it is a thread of: its own unless CLONE_THREAD made it. */
export const TGID = 16;
/** Word of user memory that its end sets to 0 and wakes, in two words; 0 for none. */
export const CLEAR_TID = 18;
/** What a program keeps for itself where Linux has the fs register, in two words. */
export const FS_BASE = 20;
/** Its name in Latin-1, padded with zeroes. */
export const NAME = 32;
// Signals except the one that ends the process (signals.ts): sets, signal n at bit n - 1.
/** Signals that are pending. */
export const SIG_PENDING = 192;
/** Signals that are blocked. */
export const SIG_BLOCKED = 193;
/** With a handler; ignored on purpose. A signal in neither set has the default action. */
export const SIG_CAUGHT = 194;
/** Signals that are ignored. */
export const SIG_IGNORED = 195;
/** Nice value, -20 to 19. */
export const NICE = 196;
/** First of the process's futex waiters. */
export const FUTEXES = 197;
/** Time on a CPU, in microseconds, in two words (wide.ts). */
export const CPU_US = 198;
/** A thread's stack with its guard page, address and bytes, two words each; 0 bytes for none. */
export const STACK = 200;
/** Bytes of the stack and its guard page. */
export const STACK_BYTES = 202;
/** The CPU in whose run queue it waits to be started. */
export const HOME = 204;
/** First of the process's pins. */
export const PINS = 205;
/** Advanced when a signal's action begins to change, and when it has changed: odd in between. */
export const SIG_CHANGES = 206;
/** 1 once its program's code has begun on its CPU: until then it can be started elsewhere. */
export const BEGUN = 207;
/** The pid of the sender of the pending signal n, at word n. */
export const SIG_SENDERS = 208;
/** Words from SIG_SENDERS on. */
export const SIG_SENDERS_WORDS = 32;

/** CPU of a new process that no CPU may start any more. */
export const CPU_NOBODY = 255;

/** STATE. */
export const NEW = 1;
/** STATE: a CPU has started it. */
export const RUNNING = 2;
/** STATE: it has ended, and nobody has waited for it yet. */
export const ZOMBIE = 3;

/** Its fields, and what protects each. */
export const LAYOUT: Block = describeBlock('process', WORDS, {
  'when it is made': { LIVE, PID, PARENT, TGID },
  'atomic words': { CPU, HOME, BEGUN, PENDING, SIG_PENDING },
  "its CPU, or the kernel worker before it runs and after its CPU's end": {
    SPACE,
    DESCRIPTORS,
    NAME: [NAME, PROCESS_NAME_BYTES / 4],
    CLEAR_TID: [CLEAR_TID, 2],
    FS_BASE: [FS_BASE, 2],
    STATE,
    EXIT_CODE,
    EXIT_SIGNAL,
    EXIT_ADDRESS: [EXIT_ADDRESS, 2],
    TLB_HITS: [TLB_HITS, 2],
    TLB_MISSES: [TLB_MISSES, 2],
    SIG_BLOCKED,
    SIG_CAUGHT,
    SIG_IGNORED,
    SIG_CHANGES,
    NICE,
    FUTEXES,
    PINS,
    CPU_US: [CPU_US, 2],
    STACK: [STACK, 2],
    STACK_BYTES: [STACK_BYTES, 2],
    SIG_SENDERS: [SIG_SENDERS, SIG_SENDERS_WORDS],
  },
});
