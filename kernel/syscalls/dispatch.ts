/**
 * From a syscall's number and arguments to the function that carries it out: one case for each row
 * of shared/abi/syscalls.ts. A row without a case is a type error.
 *
 * Of an argument that Linux declares as int or unsigned int only the low half counts.
 * Results are what Linux returns: a value, or a negative errno. Two further results, beyond the
 * errnos, never reach a program: -TRY_KERNEL and -WAIT_PAGE (wait-codes.ts).
 */
import { peek } from '../../shared/atomics.ts';
import { ENOSYS } from '../../shared/abi/errno.ts';
import * as PROCESS from '../../shared/layout/process.ts';
import * as S from '../../shared/abi/syscall-numbers.ts';
import type { KernelWorkerNumber, SyscallNumber } from '../../shared/abi/syscalls.ts';
import type { ProcessBlock } from '../../shared/units.ts';
import type { Cpu } from '../machine/cpu.ts';
import { assertInKernel, assertNoLockHeld } from '../machine/held-locks.ts';
import { closeFd, dupFd } from '../objects/fd.ts';
import { futexWake } from '../processes/futex.ts';
import { sysFutex } from '../processes/futex-requeue.ts';
import { sysArchPrctl } from './arch-prctl.ts';
import { sysMadvise } from './madvise.ts';
import { sysFallocate } from './fallocate.ts';
import { sysFcntl } from './fcntl.ts';
import { sysMincore } from './mincore.ts';
import { sysBrk } from './brk.ts';
import { MLOCK_REST } from './rest.ts';
import { mlockRest, sysMlock, sysMlock2, sysMlockall, sysMunlock, sysMunlockall } from './mlock.ts';
import { sysMmap } from './mmap.ts';
import { sysMprotect } from './mprotect.ts';
import { sysMsync } from './msync.ts';
import { sysMremap } from './mremap.ts';
import { sysMseal } from './mseal.ts';
import { sysMunmap } from './munmap.ts';
import { sysPrctl } from './prctl.ts';
import { sysGetrlimit, sysPrlimit, sysSetrlimit } from './rlimit.ts';
import { sysProcessVmReadv, sysProcessVmWritev } from './process-vm.ts';
import { sysPread, sysPwrite, sysRead, sysWrite } from './read-write.ts';
import { sysFtruncate, sysLseek } from './seek.ts';
import { sysSetTidAddress } from './set-tid-address.ts';
import { sysWait4 } from './wait4.ts';
import { intArgument } from '../space/wrapping.ts';
import { sysGetpriority, sysSetpriority } from './priority.ts';

/** Carries out syscall `number` for the process with block `proc`. In kernel mode. */
export function dispatch(
  cpu: Cpu,
  proc: ProcessBlock,
  number: number,
  a: number,
  b: number,
  c: number,
  d: number,
  e: number,
  f: number,
): number {
  assertInKernel(cpu);
  assertNoLockHeld(cpu);
  cpu.lacksFrame = false;
  cpu.stoppedAtVpn = 0;
  cpu.carriedErrno = 0;
  if (number === MLOCK_REST) return mlockRest(cpu, proc, a, b);
  const known = number as SyscallNumber;
  switch (known) {
    case S.SYS_MMAP:
      return sysMmap(cpu, proc, a, b, c, d, intArgument(e), f);
    case S.SYS_MUNMAP:
      return sysMunmap(cpu, proc, a, b);
    case S.SYS_MPROTECT:
      return sysMprotect(cpu, proc, a, b, c);
    case S.SYS_MREMAP:
      return sysMremap(cpu, proc, a, b, c, d, e);
    case S.SYS_BRK:
      return sysBrk(cpu, proc, a);
    case S.SYS_MADVISE:
      return sysMadvise(cpu, proc, a, b, intArgument(c));
    case S.SYS_MINCORE:
      return sysMincore(cpu, proc, a, b, c);
    case S.SYS_MLOCK:
      return sysMlock(cpu, proc, a, b);
    case S.SYS_MLOCK2:
      return sysMlock2(cpu, proc, a, b, intArgument(c));
    case S.SYS_MUNLOCK:
      return sysMunlock(cpu, proc, a, b);
    case S.SYS_MLOCKALL:
      return sysMlockall(cpu, proc, intArgument(a));
    case S.SYS_MUNLOCKALL:
      return sysMunlockall(cpu, proc);
    case S.SYS_MSEAL:
      return sysMseal(cpu, proc, a, b, c);
    case S.SYS_PRCTL:
      return sysPrctl(cpu, proc, intArgument(a), b, c, d, e);
    case S.SYS_ARCH_PRCTL:
      return sysArchPrctl(cpu, proc, intArgument(a), b);
    case S.SYS_GETRLIMIT:
      return sysGetrlimit(cpu, proc, intArgument(a), b);
    case S.SYS_SETRLIMIT:
      return sysSetrlimit(cpu, proc, intArgument(a), b);
    case S.SYS_PRLIMIT:
      return sysPrlimit(cpu, proc, intArgument(a), intArgument(b), c, d);
    case S.SYS_GETPID:
      return peek(cpu.words, proc + PROCESS.TGID);
    default:
      return dispatchAboutProcesses(cpu, proc, known, a, b, c, d, e, f);
  }
}

type ProcessNumber =
  | typeof S.SYS_GETPRIORITY
  | typeof S.SYS_SETPRIORITY
  | typeof S.SYS_FUTEX_WAKE
  | typeof S.SYS_FUTEX
  | typeof S.SYS_PROCESS_VM_READV
  | typeof S.SYS_PROCESS_VM_WRITEV
  | typeof S.SYS_GETTID
  | typeof S.SYS_SET_TID_ADDRESS
  | typeof S.SYS_SCHED_YIELD;

/** The syscalls about processes and threads, and about other processes' memory. */
function dispatchAboutProcesses(
  cpu: Cpu,
  proc: ProcessBlock,
  number: ProcessNumber | KernelWorkerNumber,
  a: number,
  b: number,
  c: number,
  d: number,
  e: number,
  f: number,
): number {
  switch (number) {
    case S.SYS_GETPRIORITY:
      return sysGetpriority(cpu, proc, intArgument(a), intArgument(b));
    case S.SYS_SETPRIORITY:
      return sysSetpriority(cpu, proc, intArgument(a), intArgument(b), intArgument(c));
    case S.SYS_FUTEX_WAKE:
      return futexWake(cpu, proc, a, intArgument(b));
    case S.SYS_FUTEX:
      return sysFutex(cpu, proc, a, b, c, d, e, f);
    case S.SYS_PROCESS_VM_READV:
      return sysProcessVmReadv(cpu, proc, a, b, c, d, e, f);
    case S.SYS_PROCESS_VM_WRITEV:
      return sysProcessVmWritev(cpu, proc, a, b, c, d, e, f);
    case S.SYS_GETTID:
      return peek(cpu.words, proc + PROCESS.PID);
    case S.SYS_SET_TID_ADDRESS:
      return sysSetTidAddress(cpu, proc, a);
    case S.SYS_SCHED_YIELD:
      return 0;
    default:
      return dispatchOnKernelWorker(cpu, proc, number, a, b, c, d);
  }
}

/** The syscalls that only the kernel worker carries out. */
function dispatchOnKernelWorker(
  cpu: Cpu,
  proc: ProcessBlock,
  number: KernelWorkerNumber,
  a: number,
  b: number,
  c: number,
  d: number,
): number {
  switch (number) {
    case S.SYS_MSYNC:
      return sysMsync(cpu, proc, a, b, intArgument(c));
    case S.SYS_READ:
      return sysRead(cpu, proc, intArgument(a), b, c);
    case S.SYS_WRITE:
      return sysWrite(cpu, proc, intArgument(a), b, c);
    case S.SYS_PREAD:
      return sysPread(cpu, proc, intArgument(a), b, c, d);
    case S.SYS_PWRITE:
      return sysPwrite(cpu, proc, intArgument(a), b, c, d);
    case S.SYS_LSEEK:
      return sysLseek(cpu, proc, intArgument(a), b, intArgument(c));
    case S.SYS_FTRUNCATE:
      return sysFtruncate(cpu, proc, intArgument(a), b);
    case S.SYS_FALLOCATE:
      return sysFallocate(cpu, proc, intArgument(a), intArgument(b), c, d);
    case S.SYS_FCNTL:
      return sysFcntl(cpu, proc, intArgument(a), intArgument(b), c);
    case S.SYS_DUP:
      return dupFd(cpu, proc, intArgument(a));
    case S.SYS_CLOSE:
      return closeFd(cpu, proc, intArgument(a));
    case S.SYS_WAIT4:
      return sysWait4(cpu, proc, intArgument(a), b, intArgument(c), d);
    default:
      return noSuchCall(number);
  }
}

/** The type of its argument says that every number of the table has its case. */
function noSuchCall(_number: never): number {
  return -ENOSYS;
}
