/**
 * The syscalls whose arguments and results are numbers: every way into the kernel serves them from
 * this one table. Names and numbers are those of Linux x86-64 (asm/unistd_64.h).
 *
 * Syscalls with other arguments (open, spawn, …) are methods of the wire protocol.
 */
export const SYS_READ = 0;
export const SYS_WRITE = 1;
export const SYS_CLOSE = 3;
export const SYS_LSEEK = 8;
export const SYS_MMAP = 9;
export const SYS_MPROTECT = 10;
export const SYS_MUNMAP = 11;
export const SYS_BRK = 12;
export const SYS_PREAD = 17;
export const SYS_PWRITE = 18;
export const SYS_SCHED_YIELD = 24;
export const SYS_MREMAP = 25;
export const SYS_MSYNC = 26;
export const SYS_MINCORE = 27;
export const SYS_MADVISE = 28;
export const SYS_DUP = 32;
export const SYS_GETPID = 39;
export const SYS_FTRUNCATE = 77;
export const SYS_GETRLIMIT = 97;
export const SYS_GETPRIORITY = 140;
export const SYS_SETPRIORITY = 141;
export const SYS_MLOCK = 149;
export const SYS_MUNLOCK = 150;
export const SYS_MLOCKALL = 151;
export const SYS_MUNLOCKALL = 152;
export const SYS_SETRLIMIT = 160;
export const SYS_MLOCK2 = 325;
export const SYS_FUTEX_WAKE = 454;
export const SYS_MSEAL = 462;

export interface SyscallSpec {
  readonly number: number;
  /** Arguments that the caller must give. */
  readonly required: number;
  /** What further arguments are when they are left out. */
  readonly defaults: readonly number[];
  /** Whether any CPU can run it; the others need what only the kernel worker has. */
  readonly local: boolean;
}

function spec(
  number: number,
  required: number,
  local: boolean,
  defaults: readonly number[] = [],
): SyscallSpec {
  return { number, required, local, defaults };
}

export type NumericSyscall =
  | 'mmap'
  | 'munmap'
  | 'mprotect'
  | 'mremap'
  | 'brk'
  | 'madvise'
  | 'mincore'
  | 'msync'
  | 'mlock'
  | 'mlock2'
  | 'munlock'
  | 'mlockall'
  | 'munlockall'
  | 'mseal'
  | 'getrlimit'
  | 'setrlimit'
  | 'getpriority'
  | 'setpriority'
  | 'futex_wake'
  | 'getpid'
  | 'sched_yield'
  | 'read'
  | 'write'
  | 'pread'
  | 'pwrite'
  | 'lseek'
  | 'ftruncate'
  | 'dup'
  | 'close';

export const SYSCALLS: Readonly<Record<NumericSyscall, SyscallSpec>> = {
  mmap: spec(SYS_MMAP, 4, true, [-1, 0]),
  munmap: spec(SYS_MUNMAP, 2, true),
  mprotect: spec(SYS_MPROTECT, 3, true),
  mremap: spec(SYS_MREMAP, 4, true, [0]),
  brk: spec(SYS_BRK, 1, true),
  madvise: spec(SYS_MADVISE, 3, true),
  mincore: spec(SYS_MINCORE, 3, true),
  msync: spec(SYS_MSYNC, 3, false),
  mlock: spec(SYS_MLOCK, 2, true),
  mlock2: spec(SYS_MLOCK2, 3, true),
  munlock: spec(SYS_MUNLOCK, 2, true),
  mlockall: spec(SYS_MLOCKALL, 1, true),
  munlockall: spec(SYS_MUNLOCKALL, 0, true),
  mseal: spec(SYS_MSEAL, 2, true, [0]),
  getrlimit: spec(SYS_GETRLIMIT, 2, true),
  setrlimit: spec(SYS_SETRLIMIT, 2, true),
  getpriority: spec(SYS_GETPRIORITY, 2, true),
  setpriority: spec(SYS_SETPRIORITY, 3, true),
  futex_wake: spec(SYS_FUTEX_WAKE, 1, true, [1]),
  getpid: spec(SYS_GETPID, 0, true),
  sched_yield: spec(SYS_SCHED_YIELD, 0, true),
  read: spec(SYS_READ, 3, false),
  write: spec(SYS_WRITE, 3, false),
  pread: spec(SYS_PREAD, 4, false),
  pwrite: spec(SYS_PWRITE, 4, false),
  lseek: spec(SYS_LSEEK, 3, false),
  ftruncate: spec(SYS_FTRUNCATE, 2, false),
  dup: spec(SYS_DUP, 1, false),
  close: spec(SYS_CLOSE, 1, false),
};

const LOCAL: ReadonlySet<number> = new Set(
  Object.values(SYSCALLS)
    .filter(({ local }) => local)
    .map(({ number }) => number),
);

/** Whether any CPU can run the syscall of that number. */
export function isLocalSyscall(number: number): boolean {
  return LOCAL.has(number);
}
