/**
 * getrlimit(2), setrlimit(2) and prlimit(2) for the limits that this machine has: DATA, STACK,
 * MEMLOCK, AS. Others are EINVAL. The structure in user memory is Linux's: two 64-bit numbers.
 */
import { CAP_SYS_RESOURCE } from '../../shared/abi/capabilities.ts';
import { peek, poke } from '../../shared/atomics.ts';
import * as E from '../../shared/abi/errno.ts';
import * as BOOT from '../../shared/layout/boot.ts';
import * as PROCESS from '../../shared/layout/process.ts';
import * as SPACE from '../../shared/layout/space.ts';
import type { Pid, ProcessBlock, SpaceBlock, VirtAddr, WordIndex } from '../../shared/units.ts';
import type { Cpu } from '../machine/cpu.ts';
import { lock, unlock } from '../machine/spinlock.ts';
import { spaceOfPid } from '../processes/pid-table.ts';
import { hasCapability, limitAt } from '../space/rlimits.ts';
import { copyFromUser, copyToUser } from '../mmu/user-copy.ts';

const BYTES: number = SPACE.RLIMIT_WORDS * 4;

/** Writes {soft, hard} of a resource to `address`. 0, -EINVAL or -EFAULT, or -WAIT_PAGE. */
export function sysGetrlimit(
  cpu: Cpu,
  proc: ProcessBlock,
  resource: number,
  address: VirtAddr,
): number {
  const space: SpaceBlock = peek(cpu.words, proc + PROCESS.SPACE);
  const at = limitAt(space, resource);
  return at < 0 ? -E.EINVAL : writeLimit(cpu, space, address, readWords(cpu, at));
}

/** Reads {soft, hard} from `address`. 0, -EFAULT, -EINVAL, -EPERM for raising hard, -WAIT_PAGE. */
export function sysSetrlimit(
  cpu: Cpu,
  proc: ProcessBlock,
  resource: number,
  address: VirtAddr,
): number {
  const space: SpaceBlock = peek(cpu.words, proc + PROCESS.SPACE);
  const limit = new Uint32Array(SPACE.RLIMIT_WORDS);
  const refusal = readLimit(cpu, space, address, limit);
  return refusal === 0 ? changeLimit(cpu, space, space, resource, limit) : refusal;
}

/**
 * prlimit(2): sets the limits of a process (0: the caller) to those at `newAddress`, and then
 * writes what they were to `oldAddress`; 0 leaves either out. 0, -EFAULT, -EINVAL, -EPERM, -ESRCH.
 */
export function sysPrlimit(
  cpu: Cpu,
  proc: ProcessBlock,
  pid: Pid,
  resource: number,
  newAddress: VirtAddr,
  oldAddress: VirtAddr,
): number {
  const space: SpaceBlock = peek(cpu.words, proc + PROCESS.SPACE);
  const limit = new Uint32Array(SPACE.RLIMIT_WORDS);
  if (newAddress !== 0) {
    const refusal = readLimit(cpu, space, newAddress, limit);
    if (refusal !== 0) return refusal;
  }
  const before = new Uint32Array(SPACE.RLIMIT_WORDS);
  // The lock keeps another process's space: its end takes it before the space is freed.
  lock(cpu, BOOT.PROC_LOCK);
  const target = pid === 0 ? space : spaceOfPid(cpu, pid);
  const change = newAddress === 0 ? null : limit;
  const refusal = exchangeLimit(cpu, space, target, resource, change, before);
  unlock(cpu, BOOT.PROC_LOCK);
  if (refusal !== 0) return refusal;
  return oldAddress === 0 ? 0 : writeLimit(cpu, space, oldAddress, before);
}

/** Reads a limit of `target` to `before`, and sets it to `change`. 0, or -errno. */
function exchangeLimit(
  cpu: Cpu,
  space: SpaceBlock,
  target: SpaceBlock,
  resource: number,
  change: Uint32Array | null,
  before: Uint32Array,
): number {
  if (target === 0) return -E.ESRCH;
  const at = limitAt(target, resource);
  if (at < 0) return -E.EINVAL;
  before.set(readWords(cpu, at));
  return change === null ? 0 : changeLimit(cpu, space, target, resource, change);
}

function readWords(cpu: Cpu, at: WordIndex): Uint32Array {
  const limit = new Uint32Array(SPACE.RLIMIT_WORDS);
  for (let i = 0; i < SPACE.RLIMIT_WORDS; i++) limit[i] = peek(cpu.words, at + i);
  return limit;
}

/** 0, -EFAULT or -WAIT_PAGE. */
function readLimit(cpu: Cpu, space: SpaceBlock, address: VirtAddr, limit: Uint32Array): number {
  const copied = copyFromUser(cpu, space, address, new Uint8Array(limit.buffer));
  if (copied < 0) return copied;
  return copied < BYTES ? -E.EFAULT : 0;
}

function writeLimit(cpu: Cpu, space: SpaceBlock, address: VirtAddr, limit: Uint32Array): number {
  const copied = copyToUser(cpu, space, address, new Uint8Array(limit.buffer));
  if (copied < 0) return copied;
  return copied < BYTES ? -E.EFAULT : 0;
}

/** Sets a limit of `target` for a process of `space`. 0, -EINVAL, -EPERM for raising hard. */
function changeLimit(
  cpu: Cpu,
  space: SpaceBlock,
  target: SpaceBlock,
  resource: number,
  limit: Uint32Array,
): number {
  const at = limitAt(target, resource);
  if (at < 0 || isAbove(limit, 0, limit, 2)) return -E.EINVAL;
  const isRaised = isAbove(limit, 2, readWords(cpu, at), 2);
  if (isRaised && !hasCapability(cpu, space, CAP_SYS_RESOURCE)) return -E.EPERM;
  for (let i = 0; i < SPACE.RLIMIT_WORDS; i++) poke(cpu.words, at + i, (limit[i] as number) | 0);
  return 0;
}

/** Whether the 64-bit number at word `i` of `left` is above that at word `j` of `right`. */
function isAbove(left: Uint32Array, i: number, right: Uint32Array, j: number): boolean {
  const [low, high] = [left[i] as number, left[i + 1] as number];
  const [otherLow, otherHigh] = [right[j] as number, right[j + 1] as number];
  return high !== otherHigh ? high > otherHigh : low > otherLow;
}
