/**
 * A process's stack: memory of its own with a guard page below it, mapped when the process is made
 * and unmapped when it ends. As in pthread_create, all of it is first mapped without permission,
 * then the part above the guard becomes writable. Only the program uses it.
 */
import { peek } from '../../shared/atomics.ts';
import { EINVAL } from '../../shared/abi/errno.ts';
import * as PROCESS from '../../shared/layout/process.ts';
import { PAGE_SIZE, STACK_BYTES_MAX } from '../../shared/limits.ts';
import * as M from '../../shared/abi/mman.ts';
import { roundUpToPages } from '../../shared/units.ts';
import type { ProcessBlock } from '../../shared/units.ts';
import type { Cpu } from '../machine/cpu.ts';
import { loadWide, storeWide } from '../frames/wide.ts';
import { sysMmap } from '../syscalls/mmap.ts';
import { sysMprotect } from '../syscalls/mprotect.ts';
import { sysMunmap } from '../syscalls/munmap.ts';

/** Maps a stack of `bytes`, rounded up to pages, and its guard. 0 or a negative errno. */
export function mapStack(cpu: Cpu, proc: ProcessBlock, bytes: number): number {
  if (!Number.isInteger(bytes) || bytes < 0 || bytes > STACK_BYTES_MAX) return -EINVAL;
  if (bytes === 0) return 0;
  const size = roundUpToPages(bytes) + PAGE_SIZE;
  const flags = M.MAP_PRIVATE | M.MAP_ANONYMOUS;
  const at = sysMmap(cpu, proc, 0, size, M.PROT_NONE, flags, -1, 0);
  if (at < 0) return at;
  storeWide(cpu.machine, proc + PROCESS.STACK, at);
  storeWide(cpu.machine, proc + PROCESS.STACK_BYTES, size);
  const prot = M.PROT_READ | M.PROT_WRITE;
  const outcome = sysMprotect(cpu, proc, at + PAGE_SIZE, size - PAGE_SIZE, prot);
  if (outcome < 0) unmapStack(cpu, proc);
  return outcome;
}

/** Unmaps the stack of a process that has ended. What the program has sealed stays. */
export function unmapStack(cpu: Cpu, proc: ProcessBlock): void {
  const size = loadWide(cpu.machine, proc + PROCESS.STACK_BYTES);
  if (size === 0 || peek(cpu.words, proc + PROCESS.SPACE) === 0) return;
  sysMunmap(cpu, proc, loadWide(cpu.machine, proc + PROCESS.STACK), size);
  storeWide(cpu.machine, proc + PROCESS.STACK_BYTES, 0);
}
