/**
 * getpriority(2) and setpriority(2) with PRIO_PROCESS. Any process may change any, as those of one
 * user may; to lower a nice value takes CAP_SYS_NICE, because RLIMIT_NICE is 0.
 */
import { load, peek, store } from '../../shared/atomics.ts';
import { CAP_SYS_NICE } from '../../shared/abi/capabilities.ts';
import { EACCES, EINVAL, ESRCH } from '../../shared/abi/errno.ts';
import * as BOOT from '../../shared/layout/boot.ts';
import * as PROCESS from '../../shared/layout/process.ts';
import { NICE_MAX, NICE_MIN } from '../../shared/limits.ts';
import { PRIO_PROCESS } from '../../shared/abi/mman.ts';
import type { ProcessBlock, SpaceBlock } from '../../shared/units.ts';
import type { Cpu } from '../machine/cpu.ts';
import { lock, unlock } from '../machine/spinlock.ts';
import { hasCapability } from '../space/rlimits.ts';
import { processOf } from '../processes/pid-table.ts';

/** The block of process `who` (0: the caller), or a negative errno. The pid table is locked. */
function target(cpu: Cpu, proc: ProcessBlock, which: number, who: number): ProcessBlock {
  if (which !== PRIO_PROCESS || !Number.isInteger(who)) return -EINVAL;
  const found = who === 0 ? proc : processOf(cpu.machine, who);
  if (found === 0 || peek(cpu.words, found + PROCESS.STATE) === PROCESS.ZOMBIE) return -ESRCH;
  return found;
}

/** 20 minus the nice value, 1 to 40, as the raw syscall; -EINVAL or -ESRCH. */
export function sysGetpriority(cpu: Cpu, proc: ProcessBlock, which: number, who: number): number {
  lock(cpu, BOOT.PROC_LOCK);
  const found = target(cpu, proc, which, who);
  // ORDER: a momentary value.
  const result = found < 0 ? found : 20 - load(cpu.words, found + PROCESS.NICE);
  unlock(cpu, BOOT.PROC_LOCK);
  return result;
}

/** Sets the nice value, cut to -20 to 19. 0, -EACCES, -EINVAL or -ESRCH. */
export function sysSetpriority(
  cpu: Cpu,
  proc: ProcessBlock,
  which: number,
  who: number,
  nice: number,
): number {
  // The lock keeps another process's block from being freed, and made something else's, meanwhile.
  lock(cpu, BOOT.PROC_LOCK);
  const found = target(cpu, proc, which, who);
  const outcome = found < 0 ? found : setNice(cpu, proc, found, nice);
  unlock(cpu, BOOT.PROC_LOCK);
  return outcome;
}

function setNice(cpu: Cpu, proc: ProcessBlock, found: ProcessBlock, nice: number): number {
  if (!Number.isInteger(nice)) return -EINVAL;
  const value = Math.max(NICE_MIN, Math.min(NICE_MAX, nice));
  const space: SpaceBlock = peek(cpu.words, proc + PROCESS.SPACE);
  // ORDER: a momentary value.
  const isLowered = value < load(cpu.words, found + PROCESS.NICE);
  if (isLowered && !hasCapability(cpu, space, CAP_SYS_NICE)) return -EACCES;
  // ORDER: the process's CPU reads it at its next turn.
  store(cpu.words, found + PROCESS.NICE, value);
  return 0;
}
