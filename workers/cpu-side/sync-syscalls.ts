/**
 * `proc.sync` and `proc.local`: syscalls that return their result instead of a promise of it.
 *
 * `sync` traps to the kernel worker and blocks this Worker meanwhile; `local` runs the kernel's
 * function on this very CPU, and traps only for what the kernel worker alone can do.
 */
import type { SyscallName } from '../../kernel/index.ts';
import * as protocol from '../../shared/protocol.ts';
import type { SyncSyscalls } from '../api.ts';
import { checkNumbers, checkResult } from './proc-guard.ts';
import type { ProcGuard } from './proc-guard.ts';

/** Carries out a syscall and returns its result or -errno. */
export type Invoke = (name: SyscallName, op: number, args: readonly number[]) => number;

export function syncSyscalls(invoke: Invoke, guard: ProcGuard): SyncSyscalls {
  const call = (name: SyscallName, op: number, args: readonly number[]): number =>
    guard.sync(() => {
      checkNumbers(name, args);
      return checkResult(name, invoke(name, op, args));
    });
  return {
    mmap: (address, length, prot, flags, fd = -1, offset = 0) =>
      call('mmap', protocol.TRAP_MMAP, [address, length, prot, flags, fd, offset]),
    munmap: (address, length) => call('munmap', protocol.TRAP_MUNMAP, [address, length]) as 0,
    mprotect: (address, length, prot) =>
      call('mprotect', protocol.TRAP_MPROTECT, [address, length, prot]) as 0,
    getpid: () => call('getpid', protocol.TRAP_GETPID, []),
    schedYield: () => call('sched_yield', protocol.TRAP_SCHED_YIELD, []) as 0,
    close: (fd) => call('close', protocol.TRAP_CLOSE, [fd]) as 0,
  };
}
