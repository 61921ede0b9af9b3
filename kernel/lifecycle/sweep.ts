/** The kernel worker's tick under the lazy flush policy: idle spaces give their frames back too. */
import { load, peek } from '../../shared/atomics.ts';
import { P_SPACE, S_LAZY_HEAD } from '../../shared/layout/regions.ts';
import type { Cpu } from '../machine/cpu.ts';
import { sweepLazy } from '../paging/flush-lazy.ts';
import { allPids, processOf } from '../processes/pid-table.ts';

/** Releases what every CPU has swept past, in all spaces. On the CPU that ends processes. */
export function sweepSpaces(cpu: Cpu): void {
  const { machine, words } = cpu;
  for (const pid of allPids(machine)) {
    const space = peek(words, processOf(machine, pid) + P_SPACE);
    // ORDER: only a hint; the list itself is read under the lock.
    if (space === 0 || load(words, space + S_LAZY_HEAD) === 0) continue;
    machine.protocol.lockAreas(cpu, space);
    sweepLazy(cpu, space);
    machine.protocol.unlockAreas(cpu, space);
  }
}
