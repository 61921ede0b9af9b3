/**
 * The words of user memory in which a program keeps its threads' pids: stored when a thread is made
 * (CLONE_PARENT_SETTID, CLONE_CHILD_SETTID), cleared when it ends (CLONE_CHILD_CLEARTID), which is
 * what a join waits for.
 *
 * Guarantees: the word is 0 before a waiter is woken, so that no join is missed: a waiter that
 * comes later finds the 0.
 */
import { load, peek } from '../../shared/atomics.ts';
import * as PROCESS from '../../shared/layout/process.ts';
import * as SPACE from '../../shared/layout/space.ts';
import { EFAULT } from '../../shared/abi/errno.ts';
import type { ProcessBlock, SpaceBlock, VirtAddr } from '../../shared/units.ts';
import { loadWide, storeWide } from '../frames/wide.ts';
import type { Cpu } from '../machine/cpu.ts';
import { WAIT_PAGE } from '../machine/wait-codes.ts';
import { copyToUser } from '../mmu/user-copy.ts';
import { futexWake } from '../processes/futex.ts';

/**
 * Stores a 32-bit word at `address` in a process's memory. 0, -EFAULT (perhaps for want of a frame:
 * wantsMemory), or -WAIT_PAGE.
 */
export function storeUserWord(
  cpu: Cpu,
  proc: ProcessBlock,
  address: VirtAddr,
  value: number,
): number {
  cpu.lacksFrame = false;
  const space: SpaceBlock = peek(cpu.words, proc + PROCESS.SPACE);
  const bytes = new Uint8Array(4);
  for (let i = 0; i < bytes.length; i++) bytes[i] = value >>> (8 * i);
  const copied = copyToUser(cpu, space, address, bytes);
  if (copied === -WAIT_PAGE) return copied;
  return copied === bytes.length ? 0 : -EFAULT;
}

/**
 * A thread leaves its address space: clears its word and wakes one waiter, if others use the space.
 * The answers of storeUserWord; only after 0 it is done, and does nothing when it is called again.
 */
export function clearChildTid(cpu: Cpu, proc: ProcessBlock): number {
  const { machine, words } = cpu;
  const address: VirtAddr = loadWide(machine, proc + PROCESS.CLEAR_TID);
  const space: SpaceBlock = peek(words, proc + PROCESS.SPACE);
  // ORDER: a count that only grows through a user of the space; the last one has nobody to tell.
  const isLast = space === 0 || load(words, space + SPACE.REFS) === 1;
  const outcome = address === 0 || isLast ? 0 : storeUserWord(cpu, proc, address, 0);
  if (outcome !== 0) return outcome;
  storeWide(machine, proc + PROCESS.CLEAR_TID, 0);
  if (address !== 0 && !isLast) futexWake(cpu, proc, address, 1);
  return 0;
}
