/**
 * Which outcomes of which calls were reached, against what Linux can answer. The table lists the
 * errnos of the rules for memory syscalls (Linux 6.18) and of the file calls that serve them.
 */
import type { NumericSyscall } from '../../shared/abi/syscalls.ts';
import type { Outcome, Sequence } from './sequence.ts';

export const EXPECTED: Readonly<Record<string, readonly string[]>> = {
  mmap: [
    ...['ok', 'EINVAL', 'EBADF', 'ENOMEM', 'EOVERFLOW', 'EPERM', 'EEXIST', 'EAGAIN'],
    ...['EOPNOTSUPP', 'EACCES', 'ENODEV'],
  ],
  munmap: ['ok', 'EINVAL', 'ENOMEM', 'EPERM'],
  mprotect: ['ok', 'EINVAL', 'ENOMEM', 'EACCES', 'EPERM'],
  mremap: ['ok', 'EINVAL', 'EFAULT', 'ENOMEM', 'EAGAIN', 'EPERM'],
  madvise: ['ok', 'EINVAL', 'ENOMEM', 'EACCES', 'EFAULT', 'EPERM'],
  mincore: ['ok', 'EINVAL', 'ENOMEM', 'EFAULT'],
  msync: ['ok', 'EINVAL', 'ENOMEM', 'EBUSY'],
  mlock: ['ok', 'EINVAL', 'ENOMEM', 'EPERM'],
  mlock2: ['ok', 'EINVAL', 'ENOMEM', 'EPERM'],
  munlock: ['ok', 'EINVAL', 'ENOMEM'],
  mlockall: ['ok', 'EINVAL', 'ENOMEM', 'EPERM'],
  munlockall: ['ok'],
  mseal: ['ok', 'EINVAL', 'ENOMEM'],
  brk: ['ok'],
  getrlimit: ['ok', 'EINVAL', 'EFAULT'],
  setrlimit: ['ok', 'EINVAL', 'EFAULT', 'EPERM'],
  prlimit: ['ok', 'EINVAL', 'EFAULT', 'EPERM', 'ESRCH'],
  prctl: ['ok', 'EINVAL', 'ENOMEM', 'EBADF', 'EFAULT'],
  memfd_create: ['ok', 'EINVAL'],
  open: ['ok', 'ENOENT', 'EEXIST'],
  unlink: ['ok', 'ENOENT'],
  close: ['ok', 'EBADF'],
  ftruncate: ['ok', 'EBADF', 'EINVAL', 'EPERM'],
  fallocate: ['ok', 'EBADF', 'EFBIG', 'EINVAL', 'EOPNOTSUPP', 'EPERM'],
  fcntl: ['ok', 'EBADF', 'EBUSY', 'EINVAL', 'EPERM'],
  dup: ['ok', 'EBADF'],
  lseek: ['ok', 'EBADF', 'EINVAL'],
  read: ['ok', 'EBADF', 'EFAULT'],
  write: ['ok', 'EBADF', 'EFAULT', 'EPERM'],
  pread: ['ok', 'EBADF', 'EFAULT', 'EINVAL'],
  pwrite: ['ok', 'EBADF', 'EFAULT', 'EINVAL', 'EPERM'],
  fork: ['ok'],
  load: ['ok', 'SIGSEGV/1', 'SIGSEGV/2', 'SIGBUS/2'],
  store: ['ok', 'SIGSEGV/1', 'SIGSEGV/2', 'SIGBUS/2'],
};

/** Syscalls of numbers that no sequence has, and why. */
export const NOT_DRAWN: Readonly<Partial<Record<NumericSyscall, string>>> = {
  arch_prctl: 'the host process has its vdso and its fs base, and lives by them',
  futex: 'a sequence has nobody who waits: requeue would answer 0',
  futex_wake: "Linux's has other arguments, and a sequence has nobody who waits",
  getpid: "the numbers are each side's own",
  gettid: "the numbers are each side's own",
  getpriority: "the nice value is that of the host's process",
  process_vm_readv: 'its vectors hold addresses, which are of each side',
  process_vm_writev: 'likewise',
  sched_yield: 'it answers 0 and changes nothing',
  set_tid_address: "the host's runtime would lose the word that its threads are joined by",
  setpriority: 'a nice value that was raised cannot be lowered again without rights',
  wait4: "whose end comes first depends on the host's scheduler",
};

/** By outcome. */
type Counts = Map<string, number>;

export class Coverage {
  readonly #counts = new Map<string, Counts>();

  /** Counts the calls of a sequence on which both sides agreed. */
  add({ ops }: Sequence, outcomes: readonly Outcome[]): void {
    for (const [i, { call }] of ops.entries()) {
      const result = outcomes[i]?.result ?? '';
      const outcome = /^(E[A-Z]+|SIG.*)$/.test(result) ? result : 'ok';
      let counts = this.#counts.get(call);
      if (counts === undefined) this.#counts.set(call, (counts = new Map<string, number>()));
      counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
    }
  }

  /** For each call how often each outcome was reached; expected ones that never were have 0. */
  table(): Readonly<Record<string, Readonly<Record<string, number>>>> {
    const calls = new Set([...Object.keys(EXPECTED), ...this.#counts.keys()]);
    return Object.fromEntries(
      [...calls].map((call) => {
        const counts: Counts = this.#counts.get(call) ?? new Map<string, number>();
        const outcomes = new Set([...(EXPECTED[call] ?? []), ...counts.keys()]);
        return [call, Object.fromEntries([...outcomes].map((one) => [one, counts.get(one) ?? 0]))];
      }),
    );
  }
}
