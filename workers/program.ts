/**
 * What a user program imports, as 'faultline/program'. Nothing in here needs a machine, so that a
 * program's module can also be loaded by a test or a type checker.
 */
import type { Proc, Program } from './api/machine-api.ts';

export * from '../shared/abi/futex-operations.ts';
export * from '../shared/abi/mman.ts';
export * from '../shared/abi/prctl.ts';
export * from '../shared/abi/sched.ts';
export {
  WCONTINUED,
  WEXITSTATUS,
  WIFEXITED,
  WIFSIGNALED,
  WNOHANG,
  WTERMSIG,
  WUNTRACED,
  __WALL,
} from '../shared/abi/wait-status.ts';
export { relocate } from '../shared/relocation.ts';
export type { Relocation, UsedRange } from '../shared/relocation.ts';
export type { Unit, VirtAddr } from '../shared/units.ts';
export { BARRIER_BYTES, Barrier } from './sync/barrier.ts';
export { BoundedQueue, queueBytes } from './sync/bounded-queue.ts';
export { CONDITION_BYTES, Condition } from './sync/condition.ts';
export type { FutexProcess } from './sync/futex-process.ts';
export { MUTEX_BYTES, Mutex } from './sync/mutex.ts';
export { MemoryFault, ProcessKilled, SyscallError } from './wire/errors.ts';
export type {
  CloneOptions,
  ExecOptions,
  ExitStatus,
  FaultHandler,
  FaultInfo,
  Memory,
  PinnedMemory,
  Proc,
  Program,
  SignalAction,
  SignalHandler,
  SignalInfo,
  SignalName,
  SpawnOptions,
  StagedSyscalls,
  SyncSyscalls,
  WaitResult,
} from './api/machine-api.ts';

/**
 * Makes a program of its main function; a program's module exports it as default. `main` gets the
 * process and the arguments given to `spawn`, and returns the exit code (none means 0).
 *
 * What `main` throws ends the process with SIGABRT, a MemoryFault with the fault's signal. Several
 * processes may share one Worker and so the module's variables: keep state inside `main`.
 */
export function defineProgram<Args extends unknown[]>(
  main: (proc: Proc, ...args: Args) => Promise<number | void> | number | void,
): Program;
// The arguments' types are between the program and its spawner; here they are only passed on.
export function defineProgram(main: Program): Program {
  if (typeof main !== 'function') throw new TypeError('defineProgram: main must be a function');
  return main;
}
