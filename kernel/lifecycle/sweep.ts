/** The kernel worker's tick under the lazy flush policy: idle spaces give their frames back too. */
import { load, peek } from '../../shared/atomics.ts';
import * as PROCESS from '../../shared/layout/process.ts';
import * as SPACE from '../../shared/layout/space.ts';
import type { SpaceBlock } from '../../shared/units.ts';
import type { Cpu } from '../machine/cpu.ts';
import { sweepLazy } from '../paging/flush-lazy.ts';
import { allPids, processOf } from '../processes/pid-table.ts';

/** Releases what every CPU has swept past, in all spaces. On the CPU that ends processes. */
export function sweepSpaces(cpu: Cpu): void {
  const { machine, words } = cpu;
  for (const pid of allPids(machine)) {
    const space: SpaceBlock = peek(words, processOf(machine, pid) + PROCESS.SPACE);
    // ORDER: only a hint; the list itself is read under the lock.
    if (space === 0 || load(words, space + SPACE.LAZY_HEAD) === 0) continue;
    machine.protocol.lockAreas(cpu, space);
    sweepLazy(cpu, space);
    machine.protocol.unlockAreas(cpu, space);
  }
}
