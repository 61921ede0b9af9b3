/**
 * The address space of another process, for a while: a reference, so that the space stays although
 * its processes may end meanwhile (Linux: mm_access, mmget).
 *
 * Locking: BOOT.PROC_LOCK while the pid is looked up. A process that ends gives up its space under
 * that lock, and drops its reference after it.
 */
import { CAP_SYS_PTRACE } from '../../shared/abi/capabilities.ts';
import { peek } from '../../shared/atomics.ts';
import { EPERM, ESRCH } from '../../shared/abi/errno.ts';
import * as BOOT from '../../shared/layout/boot.ts';
import * as SPACE from '../../shared/layout/space.ts';
import type { Pid, SpaceBlock } from '../../shared/units.ts';
import type { Cpu } from '../machine/cpu.ts';
import { lock, unlock } from '../machine/spinlock.ts';
import { hasCapability } from '../space/rlimits.ts';
import { getSpace } from '../space/space.ts';
import { spaceOfPid } from './pid-table.ts';

/**
 * The space of process `pid` with a reference, which the caller drops (putSpace), if a process of
 * the space `own` may access its memory; else -ESRCH or -EPERM.
 */
export function borrowSpace(cpu: Cpu, own: SpaceBlock, pid: Pid): SpaceBlock {
  lock(cpu, BOOT.PROC_LOCK);
  const space = spaceOfPid(cpu, pid);
  const isAllowed = space !== 0 && mayAccess(cpu, own, space);
  if (isAllowed) getSpace(cpu, space);
  unlock(cpu, BOOT.PROC_LOCK);
  if (space === 0) return -ESRCH;
  return isAllowed ? space : -EPERM;
}

/** The same without a question, if the process still has the space numbered `id`; else 0. */
export function borrowSpaceAgain(cpu: Cpu, pid: Pid, id: number): SpaceBlock {
  lock(cpu, BOOT.PROC_LOCK);
  const found = spaceOfPid(cpu, pid);
  const space = found !== 0 && peek(cpu.words, found + SPACE.ID) === id ? found : 0;
  if (space !== 0) getSpace(cpu, space);
  unlock(cpu, BOOT.PROC_LOCK);
  return space;
}

/** ptrace_may_access: nobody reaches through another process for capabilities that he lacks. */
function mayAccess(cpu: Cpu, own: SpaceBlock, other: SpaceBlock): boolean {
  const { words } = cpu;
  if (own === other || hasCapability(cpu, own, CAP_SYS_PTRACE)) return true;
  const mine = peek(words, own + SPACE.CAPABILITIES);
  return (peek(words, other + SPACE.CAPABILITIES) & ~mine) === 0;
}
