/**
 * Ending a process: its descriptors, futex waiters, stack and use of the address space go at once,
 * its block once its end has been reported.
 *
 * Locking: BOOT.PROC_LOCK for the pid table; the block belongs to the CPU that ends the process.
 */
import { peek, poke, store } from '../../shared/atomics.ts';
import { ESRCH } from '../../shared/abi/errno.ts';
import * as BOOT from '../../shared/layout/boot.ts';
import * as PROCESS from '../../shared/layout/process.ts';
import * as SLAB from '../../shared/layout/slabs.ts';
import { PROCESSES_MAX } from '../../shared/limits.ts';
import { panic } from '../../shared/panic.ts';
import { SIGBUS, SIGSEGV } from '../../shared/abi/signals.ts';
import { vpnOf } from '../../shared/units.ts';
import type { Pid, ProcessBlock, SpaceBlock, VirtAddr } from '../../shared/units.ts';
import type { Cpu } from '../machine/cpu.ts';
import { assertInKernel, assertNoLockHeld } from '../machine/held-locks.ts';
import { dropDescriptors } from '../objects/fd.ts';
import { dropFutexes } from '../processes/futex.ts';
import { LOG_PROCESS_EXIT, LOG_PROCESS_KILLED, LOG_SEGFAULT, logEvent } from '../machine/log.ts';
import { slabFree } from '../frames/slab.ts';
import { dropPins } from '../mmu/pin.ts';
import { processOf } from '../processes/pid-table.ts';
import { putSpace } from '../space/space.ts';
import { unmapStack } from './thread-stack.ts';
import { lock, unlock } from '../machine/spinlock.ts';
import { storeWide } from '../frames/wide.ts';

/**
 * Ends a process: closes its descriptors and drops its use of the address space. The block stays
 * as a zombie until `releaseProcess`. On the CPU that ends processes, or the process's own.
 */
export function exitProcess(
  cpu: Cpu,
  pid: Pid,
  code: number,
  signal: number,
  address: VirtAddr,
): number {
  assertInKernel(cpu);
  assertNoLockHeld(cpu);
  const { words } = cpu;
  const proc = processOf(cpu.machine, pid);
  if (proc === 0) return -ESRCH;
  if (peek(words, proc + PROCESS.STATE) === PROCESS.ZOMBIE) return 0;
  // Under the lock, where other CPUs look at it.
  lock(cpu, BOOT.PROC_LOCK);
  poke(words, proc + PROCESS.STATE, PROCESS.ZOMBIE);
  unlock(cpu, BOOT.PROC_LOCK);
  poke(words, proc + PROCESS.EXIT_CODE, code);
  poke(words, proc + PROCESS.EXIT_SIGNAL, signal);
  storeWide(cpu.machine, proc + PROCESS.EXIT_ADDRESS, address);
  dropFutexes(cpu, proc);
  dropPins(cpu, proc);
  dropDescriptors(cpu, proc);
  unmapStack(cpu, proc);
  putSpace(cpu, takeSpace(cpu, proc));
  if (signal === 0) logEvent(cpu, LOG_PROCESS_EXIT, pid, code, 0);
  else if (signal !== SIGSEGV && signal !== SIGBUS)
    logEvent(cpu, LOG_PROCESS_KILLED, pid, signal, 0);
  else logEvent(cpu, LOG_SEGFAULT, pid, vpnOf(address), signal);
  return 0;
}

/** Under the lock, so that whoever finds the space by its pid and holds that lock may use it. */
function takeSpace(cpu: Cpu, proc: ProcessBlock): SpaceBlock {
  lock(cpu, BOOT.PROC_LOCK);
  const space: SpaceBlock = peek(cpu.words, proc + PROCESS.SPACE);
  poke(cpu.words, proc + PROCESS.SPACE, 0);
  unlock(cpu, BOOT.PROC_LOCK);
  return space;
}

/** Frees the block of a zombie, after its end has been reported to its waiters. */
export function releaseProcess(cpu: Cpu, pid: Pid): number {
  const { words, machine } = cpu;
  const proc = processOf(machine, pid);
  if (proc === 0) return -ESRCH;
  if (peek(words, proc + PROCESS.STATE) !== PROCESS.ZOMBIE)
    panic('releaseProcess: still alive', pid);
  lock(cpu, BOOT.PROC_LOCK);
  // ORDER: unreachable before the block is reused.
  store(words, machine.procTable + (pid % PROCESSES_MAX), 0);
  poke(words, BOOT.PROC_COUNT, peek(words, BOOT.PROC_COUNT) - 1);
  unlock(cpu, BOOT.PROC_LOCK);
  slabFree(cpu, SLAB.PROCESS, proc);
  return 0;
}
