/**
 * The types of the syscalls whose arguments and results are numbers. Types only, no logic.
 *
 * Addresses and lengths are in bytes; PROT_*, MAP_*, … are those of 'faultline/program'. Checks,
 * their order and their errnos are those of Linux 6.18 on x86-64, except for what
 * docs/linux-differences.md lists. A refused call throws SyscallError with the errno; an argument
 * that is no number is a TypeError.
 */
export interface SyncSyscalls {
  /** Maps `length` bytes and returns their address. EACCES EAGAIN EBADF EEXIST EINVAL ENODEV … */
  mmap(
    address: number,
    length: number,
    prot: number,
    flags: number,
    fd?: number,
    offset?: number,
  ): number;
  /** Unmaps a range, holes and all. EINVAL ENOMEM EPERM. */
  munmap(address: number, length: number): 0;
  /** Changes the permission of a range. On an error what lies before it is changed. */
  mprotect(address: number, length: number, prot: number): 0;
  /** Grows, shrinks or moves a mapping; the new address. EAGAIN EFAULT EINVAL ENOMEM EPERM. */
  mremap(
    oldAddress: number,
    oldLength: number,
    newLength: number,
    flags: number,
    newAddress?: number,
  ): number;
  /** Moves the end of the heap, as the raw syscall does: the break then, never an error. */
  brk(address: number): number;
  madvise(address: number, length: number, advice: number): 0;
  /** Writes one byte for each page to `vec`: bit 0 says whether it is resident. */
  mincore(address: number, length: number, vec: number): 0;
  /** Writes a file's changed pages back. EBUSY EINVAL EIO ENOMEM. */
  msync(address: number, length: number, flags: number): 0;
  mlock(address: number, length: number): 0;
  mlock2(address: number, length: number, flags: number): 0;
  munlock(address: number, length: number): 0;
  mlockall(flags: number): 0;
  munlockall(): 0;
  /** Forbids for ever that a range is unmapped, moved, or given another permission. */
  mseal(address: number, length: number, flags?: number): 0;
  /** Writes a struct rlimit (two u64: soft, hard) to user memory. EFAULT EINVAL. */
  getrlimit(resource: number, limit: number): 0;
  /** Reads a struct rlimit from user memory. EFAULT EINVAL EPERM. */
  setrlimit(resource: number, limit: number): 0;
  /** 20 minus the nice value of process `who` (0: oneself), as the raw syscall. EINVAL ESRCH. */
  getpriority(which: number, who: number): number;
  /** Sets a nice value, cut to -20 (most urgent) to 19. `which` is PRIO_PROCESS. EINVAL ESRCH. */
  setpriority(which: number, who: number, nice: number): 0;
  /** Wakes up to `count` (1) waiters of the word at `address`; how many it were. EFAULT EINVAL. */
  futexWake(address: number, count?: number): number;
  /**
   * Waits until the word at `address` is woken, if it holds `expected` now. Returns 0, perhaps
   * without a cause: look at the word again. EAGAIN: it holds another value; ETIMEDOUT after
   * `timeoutMs` (Infinity); EINTR: a handler ran; EFAULT EINVAL ENOMEM.
   *
   * The word is known by what is mapped, as on Linux without FUTEX_PRIVATE_FLAG: processes that
   * share memory meet. `sync` and `local` sleep with the whole Worker: EDEADLK when there is no
   * limit and everybody who reaches the word runs on this same Worker.
   */
  futexWait(address: number, expected: number, timeoutMs?: number): 0;
  getpid(): number;
  schedYield(): 0;
  /** Reads into user memory; the bytes read, 0 at the end of the file. EBADF EFAULT EINVAL. */
  read(fd: number, address: number, length: number): number;
  write(fd: number, address: number, length: number): number;
  pread(fd: number, address: number, length: number, offset: number): number;
  pwrite(fd: number, address: number, length: number, offset: number): number;
  /** Moves a descriptor's position (SEEK_SET, SEEK_CUR, SEEK_END); the new one. */
  lseek(fd: number, offset: number, whence: number): number;
  /** Makes a file of up to 2^42 bytes longer or shorter. EBADF EFBIG EINVAL. */
  ftruncate(fd: number, length: number): 0;
  /** Another descriptor of the same open file: the position is shared. EBADF EMFILE. */
  dup(fd: number): number;
  close(fd: number): 0;
}

/** The same syscalls by comlink to the kernel worker. */
export type AsyncSyscalls = {
  readonly [Name in keyof SyncSyscalls]: (
    ...args: Parameters<SyncSyscalls[Name]>
  ) => Promise<ReturnType<SyncSyscalls[Name]>>;
};
