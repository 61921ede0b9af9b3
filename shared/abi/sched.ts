/** Flags of clone(2), with the values of Linux (linux/sched.h), and what they require. */
import { EINVAL } from './errno.ts';
import { SIGCHLD } from './signals.ts';

/** The low byte: the signal that tells the parent of the end; SIGCHLD or none. */
export const CSIGNAL = 0xff;
/** The same address space. */
export const CLONE_VM = 0x100;
/** The same working directory: there is none, so that it changes nothing. */
export const CLONE_FS = 0x200;
/** The same table of descriptors. */
export const CLONE_FILES = 0x400;
/** The same dispositions of signals, as they are at this moment. */
export const CLONE_SIGHAND = 0x800;
/** The caller goes on when the child has called exec or ended. */
export const CLONE_VFORK = 0x4000;
/** A thread of the caller's process. */
export const CLONE_THREAD = 0x10000;
/** Changes nothing: there are no System V semaphores. */
export const CLONE_SYSVSEM = 0x40000;
/** `tls` becomes the thread's fs base. */
export const CLONE_SETTLS = 0x80000;
/** Stores the thread's pid at `parentTid` in the caller's memory. */
export const CLONE_PARENT_SETTID = 0x100000;
/** The thread's end stores 0 at `childTid` and wakes one futex waiter of that word. */
export const CLONE_CHILD_CLEARTID = 0x200000;
/** Changes nothing, as on Linux since 2.6. */
export const CLONE_DETACHED = 0x400000;
/** Stores the thread's pid at `childTid` in the thread's memory. */
export const CLONE_CHILD_SETTID = 0x1000000;

const KNOWN: number =
  CSIGNAL |
  CLONE_VM |
  CLONE_FS |
  CLONE_FILES |
  CLONE_SIGHAND |
  CLONE_VFORK |
  CLONE_THREAD |
  CLONE_SYSVSEM |
  CLONE_SETTLS |
  CLONE_PARENT_SETTID |
  CLONE_CHILD_CLEARTID |
  CLONE_DETACHED |
  CLONE_CHILD_SETTID;

/** What clone(2) answers to these flags before it looks at anything else: 0 or -EINVAL. */
export function checkCloneFlags(flags: number): number {
  if (!Number.isInteger(flags) || flags !== (flags & KNOWN)) return -EINVAL;
  const has = (flag: number): boolean => (flags & flag) !== 0;
  if (has(CLONE_THREAD) && !has(CLONE_SIGHAND)) return -EINVAL;
  if (has(CLONE_SIGHAND) && !has(CLONE_VM)) return -EINVAL;
  const signal = flags & CSIGNAL;
  return signal === 0 || signal === SIGCHLD ? 0 : -EINVAL;
}
