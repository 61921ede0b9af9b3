/**
 * The syscalls whose arguments and results are numbers. Each is one row here, its prototype, and
 * one number in syscall-numbers.ts; everything else about it is derived from these two: the methods
 * of `proc.sync`, `proc.local` and `proc`, the names of histograms, the arguments that tests try.
 * Syscalls with other arguments (open, spawn, …) are methods of the wire protocol.
 *
 * Addresses and lengths are in bytes; PROT_*, MAP_*, … are those of 'faultline/program'. Checks,
 * their order and their errnos are those of Linux 6.18 on x86-64, except for what
 * docs/linux-differences.md lists. A refused call throws SyscallError with the errno; an argument
 * that is not a number is a TypeError.
 */
import { panic } from '../panic.ts';
import * as NUMBERS from './syscall-numbers.ts';

export * from './syscall-numbers.ts';

/** Most arguments of a syscall. */
const SYSCALL_ARGUMENTS = 6;

type N = number;
/** The arguments by name, in their order. Of the result, only the type. */
type Call<Result extends N> = Readonly<Record<string, N>> & { readonly [RESULT]?: Result };
declare const RESULT: unique symbol;

/**
 * These run on any CPU. A row's name is the method's (schedYield for sched_yield); its value is a
 * function from the arguments to a record of them, so that their names, defaults and types can be
 * read off it. Call<0>: it answers 0 or fails.
 */
const ANYWHERE = {
  /** Maps `length` bytes and returns their address. EACCES EAGAIN EBADF EEXIST EINVAL ENODEV … */
  mmap: (address: N, length: N, prot: N, flags: N, fd: N = -1, offset: N = 0): Call<N> => ({
    address,
    length,
    prot,
    flags,
    fd,
    offset,
  }),
  /** Unmaps a range, holes and all. EINVAL ENOMEM EPERM. */
  munmap: (address: N, length: N): Call<0> => ({ address, length }),
  /** Changes the permission of a range. On failure, the part before it has changed. */
  mprotect: (address: N, length: N, prot: N): Call<0> => ({ address, length, prot }),
  /** Grows, shrinks or moves a mapping; returns the address. EAGAIN EFAULT EINVAL ENOMEM EPERM. */
  mremap: (oldAddress: N, oldLength: N, newLength: N, flags: N, newAddress: N = 0): Call<N> => ({
    oldAddress,
    oldLength,
    newLength,
    flags,
    newAddress,
  }),
  /** Moves the end of the heap; returns the break, never an error, like the raw syscall. */
  brk: (address: N): Call<N> => ({ address }),
  /** Says how a range of whole pages will be used. EACCES EBADF EFAULT EINVAL ENOMEM EPERM. */
  madvise: (address: N, length: N, advice: N): Call<0> => ({ address, length, advice }),
  /** Writes one byte for each page to `vec`: bit 0 says whether it is resident. */
  mincore: (address: N, length: N, vec: N): Call<0> => ({ address, length, vec }),
  /** Keeps the pages of a range in memory, and faults it in now. EAGAIN EINVAL ENOMEM EPERM. */
  mlock: (address: N, length: N): Call<0> => ({ address, length }),
  /** The same; with MLOCK_ONFAULT pages are kept from their first use on. */
  mlock2: (address: N, length: N, flags: N): Call<0> => ({ address, length, flags }),
  /** Lets pages of a range go again. ENOMEM where nothing is mapped; EINVAL. */
  munlock: (address: N, length: N): Call<0> => ({ address, length }),
  /** Locks all that is mapped (MCL_CURRENT), or will be (MCL_FUTURE). EINVAL ENOMEM EPERM. */
  mlockall: (flags: N): Call<0> => ({ flags }),
  /** Unlocks everything, and ends MCL_FUTURE. */
  munlockall: (): Call<0> => ({}),
  /** Forbids, forever, unmapping or moving a range or changing its permission. */
  mseal: (address: N, length: N, flags: N = 0): Call<0> => ({ address, length, flags }),
  /**
   * PR_SET_VMA names anonymous memory, PR_SET_MM says where the heap begins and ends and which area
   * is [stack]. A name is up to 79 bytes in user memory and a 0. EAGAIN EBADF EFAULT EINVAL ENOMEM
   * EPERM.
   */
  prctl: (option: N, arg2: N, arg3: N = 0, arg4: N = 0, arg5: N = 0): Call<0> => ({
    option,
    arg2,
    arg3,
    arg4,
    arg5,
  }),
  /**
   * ARCH_MAP_VDSO_64 maps [vvar] and [vdso] near `address`; the vdso's bytes. ARCH_SET_FS sets the
   * thread's fs base, ARCH_GET_FS writes it to `address` as a u64. EEXIST EFAULT EINVAL ENOMEM …
   */
  archPrctl: (code: N, address: N): Call<N> => ({ code, address }),
  /** Writes a struct rlimit (two u64: soft, hard) to user memory. EFAULT EINVAL. */
  getrlimit: (resource: N, limit: N): Call<0> => ({ resource, limit }),
  /** Reads a struct rlimit from user memory. EFAULT EINVAL EPERM. */
  setrlimit: (resource: N, limit: N): Call<0> => ({ resource, limit }),
  /**
   * Sets the limits of process `pid` (0: the caller) to those at `newLimit` and writes the old ones
   * to `oldLimit`; an address of 0 leaves that out. EFAULT EINVAL EPERM ESRCH.
   */
  prlimit: (pid: N, resource: N, newLimit: N, oldLimit: N): Call<0> => ({
    pid,
    resource,
    newLimit,
    oldLimit,
  }),
  /** 20 minus the nice value of process `who` (0: the caller), as the raw call. EINVAL ESRCH. */
  getpriority: (which: N, who: N): Call<N> => ({ which, who }),
  /** Sets a nice value, cut to -20 (most urgent) to 19. `which` is PRIO_PROCESS. EINVAL ESRCH. */
  setpriority: (which: N, who: N, nice: N): Call<0> => ({ which, who, nice }),
  /** Wakes up to `count` (1) waiters of the word at `address`; returns how many. EFAULT EINVAL. */
  futexWake: (address: N, count: N = 1): Call<N> => ({ address, count }),
  /**
   * FUTEX_WAKE wakes up to `value` waiters; FUTEX_REQUEUE lets up to `value2` others wait for the
   * word at `address2`, FUTEX_CMP_REQUEUE only if the first word holds `value3`. How many were
   * woken or moved. EAGAIN: it holds another value; EFAULT EINVAL ENOSYS.
   */
  futex: (address: N, op: N, value: N, value2: N = 0, address2: N = 0, value3: N = 0): Call<N> => ({
    address,
    op,
    value,
    value2,
    address2,
    value3,
  }),
  /**
   * Copies memory of process `pid` to the caller's: `local` and `remote` are the addresses of lists
   * of struct iovec (two u64: address, bytes), in the caller's memory. Bytes copied, at most 256
   * KiB: go on with the rest. EFAULT EINVAL EPERM ESRCH.
   */
  processVmReadv: (
    pid: N,
    local: N,
    localCount: N,
    remote: N,
    remoteCount: N,
    flags: N = 0,
  ): Call<N> => ({ pid, local, localCount, remote, remoteCount, flags }),
  /** Copies memory of the caller to that of process `pid`; permissions count. As above. */
  processVmWritev: (
    pid: N,
    local: N,
    localCount: N,
    remote: N,
    remoteCount: N,
    flags: N = 0,
  ): Call<N> => ({ pid, local, localCount, remote, remoteCount, flags }),
  /** The pid of the process that the caller is a thread of. */
  getpid: (): Call<N> => ({}),
  /** The caller's own pid. */
  gettid: (): Call<N> => ({}),
  /** Names the word that the caller's end clears (CLONE_CHILD_CLEARTID), 0 for none; gettid(). */
  setTidAddress: (address: N): Call<N> => ({ address }),
  /** Lets other processes of this CPU run first. */
  schedYield: (): Call<0> => ({}),
} as const;

/** These need what only the kernel worker has: the host's files, and who is whose child. */
const ON_THE_KERNEL_WORKER = {
  /** Writes a file's changed pages back. EBUSY EINVAL EIO ENOMEM. */
  msync: (address: N, length: N, flags: N): Call<0> => ({ address, length, flags }),
  /** Reads into user memory; the bytes read, 0 at the end of the file. EBADF EFAULT EINVAL. */
  read: (fd: N, address: N, length: N): Call<N> => ({ fd, address, length }),
  /** Writes from user memory; the bytes written. EBADF EFAULT EFBIG EINVAL ENOSPC. */
  write: (fd: N, address: N, length: N): Call<N> => ({ fd, address, length }),
  /** Reads at an offset; the descriptor's position stays. */
  pread: (fd: N, address: N, length: N, offset: N): Call<N> => ({ fd, address, length, offset }),
  /** Writes at an offset, but at the end with O_APPEND; the position stays. */
  pwrite: (fd: N, address: N, length: N, offset: N): Call<N> => ({ fd, address, length, offset }),
  /** Moves a descriptor's position (SEEK_SET, SEEK_CUR, SEEK_END, …) and returns it. */
  lseek: (fd: N, offset: N, whence: N): Call<N> => ({ fd, offset, whence }),
  /** Makes a file of up to 2^42 bytes longer or shorter. EBADF EFBIG EINVAL. */
  ftruncate: (fd: N, length: N): Call<0> => ({ fd, length }),
  /** Memory for a part of a file, or (PUNCH_HOLE) a hole. EBADF EFBIG ENODEV ENOSPC EOPNOTSUPP … */
  fallocate: (fd: N, mode: N, offset: N, length: N): Call<0> => ({ fd, mode, offset, length }),
  /** F_GETFD, F_SETFD, F_GET_SEALS, F_ADD_SEALS. EBADF EBUSY EINVAL EPERM. */
  fcntl: (fd: N, command: N, argument: N = 0): Call<N> => ({ fd, command, argument }),
  /** Another descriptor of the same open file: the position is shared. EBADF EMFILE. */
  dup: (fd: N): Call<N> => ({ fd }),
  /** Closes a descriptor; what was written to a file of the host goes there. EBADF EIO. */
  close: (fd: N): Call<0> => ({ fd }),
  /**
   * Waits for the end of child `pid`, or of any (-1, 0); its pid, or 0 with WNOHANG while none has
   * ended. Writes the status word (i32) to `status` and a struct rusage of 144 bytes to `usage`; 0
   * leaves either out. `sync` and `local` sleep with the whole Worker: EDEADLK when every child
   * that is waited for runs on Workers that sleep in such waits. ECHILD EDEADLK EFAULT EINTR EINVAL
   * ESRCH.
   */
  wait4: (pid: N, status: N = 0, options: N = 0, usage: N = 0): Call<N> => ({
    pid,
    status,
    options,
    usage,
  }),
} as const;

type Rows = typeof ANYWHERE & typeof ON_THE_KERNEL_WORKER;
/** The syscalls' constants. */
export type Numbers = typeof NUMBERS;

/** A syscall's name as Linux spells it, from its constant. */
export type LinuxName<Constant> = Constant extends `SYS_${infer Name}` ? Lowercase<Name> : never;
type MethodName<Name extends string> = Name extends `${infer Head}_${infer Tail}`
  ? `${Head}${Capitalize<MethodName<Tail>>}`
  : Name;

/** A syscall's name as Linux spells it: futex_wake. */
export type NumericSyscall = LinuxName<keyof Numbers>;

/** The numbers of the syscalls with these methods. */
type NumberOf<Method> = {
  readonly [Constant in keyof Numbers]: MethodName<LinuxName<Constant>> extends Method
    ? Numbers[Constant]
    : never;
}[keyof Numbers];

export type SyscallNumber = Numbers[keyof Numbers];
export type KernelWorkerNumber = NumberOf<keyof typeof ON_THE_KERNEL_WORKER>;

type Methods<Table> = {
  readonly [Name in keyof Table]: Table[Name] extends (...args: infer Args) => Call<infer Result>
    ? (...args: Args) => Result
    : never;
};

/** The syscalls as methods that return the result or throw. */
export interface NumericSyscalls
  extends Methods<typeof ANYWHERE>, Methods<typeof ON_THE_KERNEL_WORKER> {}

/** What is known about a syscall at run time. */
export interface SyscallSpec {
  readonly number: number;
  /** As a method: futexWake for futex_wake. */
  readonly method: keyof Rows;
  /** The names of its arguments. */
  readonly names: readonly string[];
  /** Arguments that the caller must give. */
  readonly required: number;
  /** Defaults of the arguments that may be left out. */
  readonly defaults: readonly number[];
  /** Whether any CPU can run it. */
  readonly local: boolean;
}

type Prototype = (...args: N[]) => Readonly<Record<string, N>>;

/** Complete: a number without a row is a type error here, a row without a number one below. */
const ROWS: Readonly<Record<MethodName<NumericSyscall>, Prototype>> = {
  ...ANYWHERE,
  ...ON_THE_KERNEL_WORKER,
};

function linuxName(method: MethodName<NumericSyscall>): NumericSyscall {
  return method.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`) as NumericSyscall;
}

function specOf(method: keyof Rows): readonly [NumericSyscall, SyscallSpec] {
  const prototype = ROWS[method];
  const name = linuxName(method);
  const constant = `SYS_${name.toUpperCase()}` as keyof Numbers;
  // Without arguments: the names in their order, and the defaults of those that have one.
  const args = Object.entries(prototype());
  if (args.length > SYSCALL_ARGUMENTS) panic(`syscalls: ${name} has too many arguments`);
  const spec: SyscallSpec = {
    number: NUMBERS[constant],
    method,
    names: args.map(([argument]) => argument),
    required: prototype.length,
    defaults: args.slice(prototype.length).map(([, value]) => value),
    local: method in ANYWHERE,
  };
  return [name, spec];
}

export const SYSCALLS: Readonly<Record<NumericSyscall, SyscallSpec>> = Object.fromEntries(
  (Object.keys(ROWS) as (keyof Rows)[]).map(specOf),
) as Record<NumericSyscall, SyscallSpec>;

const LOCAL: ReadonlySet<number> = new Set(
  Object.values(SYSCALLS)
    .filter(({ local }) => local)
    .map(({ number }) => number),
);

/** Whether any CPU can run the syscall of that number. */
export function isLocalSyscall(number: number): boolean {
  return LOCAL.has(number);
}
