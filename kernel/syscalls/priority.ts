/** getpriority(2) and setpriority(2) with PRIO_PROCESS. Any process may change any, as root. */
import { load, peek, store } from '../../shared/atomics.ts';
import { EINVAL, ESRCH } from '../../shared/abi/errno.ts';
import * as PROCESS from '../../shared/layout/process.ts';
import { NICE_MAX, NICE_MIN } from '../../shared/limits.ts';
import { PRIO_PROCESS } from '../../shared/abi/mman.ts';
import type { ProcessBlock } from '../../shared/units.ts';
import type { Cpu } from '../machine/cpu.ts';
import { processOf } from '../processes/pid-table.ts';

/** The block of process `who`, 0 being the caller; or a negative errno. */
function target(cpu: Cpu, proc: ProcessBlock, which: number, who: number): ProcessBlock {
  if (which !== PRIO_PROCESS || !Number.isInteger(who)) return -EINVAL;
  const found = who === 0 ? proc : processOf(cpu.machine, who);
  if (found === 0 || peek(cpu.words, found + PROCESS.STATE) === PROCESS.ZOMBIE) return -ESRCH;
  return found;
}

/** 20 minus the nice value, 1 to 40, as the raw syscall; -EINVAL or -ESRCH. */
export function sysGetpriority(cpu: Cpu, proc: ProcessBlock, which: number, who: number): number {
  const found = target(cpu, proc, which, who);
  // ORDER: a momentary value.
  return found < 0 ? found : 20 - load(cpu.words, found + PROCESS.NICE);
}

/** Sets the nice value, cut to -20 to 19. 0, -EINVAL or -ESRCH. */
export function sysSetpriority(
  cpu: Cpu,
  proc: ProcessBlock,
  which: number,
  who: number,
  nice: number,
): number {
  const found = target(cpu, proc, which, who);
  if (found < 0) return found;
  if (!Number.isInteger(nice)) return -EINVAL;
  // ORDER: the process's CPU reads it at its next turn.
  store(cpu.words, found + PROCESS.NICE, Math.max(NICE_MIN, Math.min(NICE_MAX, nice)));
  return 0;
}
