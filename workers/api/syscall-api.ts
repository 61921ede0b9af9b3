/**
 * The types of the syscalls whose arguments and results are numbers: those of the table in
 * shared/abi/syscalls.ts, which says what they do, and futexWait, which is more than one of them.
 */
import type { CloneOptions, SpawnOptions } from './machine-api.ts';
import type { NumericSyscalls } from '../../shared/abi/syscalls.ts';

/** The syscalls of numbers, which return their result or throw SyscallError. */
export interface SyncSyscalls extends NumericSyscalls {
  /**
   * Waits until the word at `address` is woken, if it holds `expected` now. Returns 0, perhaps
   * spuriously: look at the word again. EAGAIN: it holds another value; ETIMEDOUT after
   * `timeoutMs` (Infinity); EINTR: a handler ran; EFAULT EINVAL ENOMEM.
   *
   * The word is identified by what is mapped, as on Linux without FUTEX_PRIVATE_FLAG: processes
   * that share memory meet. `sync` and `local` sleep with the whole Worker: EDEADLK when there is
   * no limit and every process that can reach the word runs on this same Worker.
   */
  futexWait(address: number, expected: number, timeoutMs?: number): 0;
}

/** The calls of `proc.sync` with other arguments; each as the method of `proc` of that name. */
export interface StagedSyscalls {
  /** A descriptor. */
  open(name: string, flags?: number): number;
  /** Removes a name. */
  unlink(name: string): 0;
  /** A descriptor. */
  memfdCreate(name: string, flags?: number): number;
  /** The child's pid. */
  spawn(module: URL | string, options?: SpawnOptions): number;
  /** The thread's pid. */
  clone(entry: string, options?: CloneOptions): number;
  /** The child's pid. */
  fork(entry: string, ...args: readonly unknown[]): number;
}

/** The same syscalls by comlink to the kernel worker. */
export type AsyncSyscalls = {
  readonly [Name in keyof SyncSyscalls]: (
    ...args: Parameters<SyncSyscalls[Name]>
  ) => Promise<ReturnType<SyncSyscalls[Name]>>;
};
