/** Seals of files in memory, against mappings that may write. */
import type { Cpu } from '../../../../kernel/machine/cpu.ts';
import { addSeals } from '../../../../kernel/objects/seals.ts';
import { sysMlock } from '../../../../kernel/syscalls/mlock.ts';
import { F_SEAL_WRITE, MAP_SHARED } from '../../../../shared/abi/mman.ts';
import * as OBJECT from '../../../../shared/layout/object.ts';
import { PAGE_SIZE } from '../../../../shared/limits.ts';
import { BASE, enter, leave, newThreads } from '../kit.ts';
import type { Operation, Scenario, World } from '../kit.ts';
import { munmap } from '../operations.ts';
import { stayInUser, write } from '../user.ts';
import { mappedFile, mmapFile, openFile } from './mapped-file.ts';

const sealWrite: Operation = {
  name: 'seal against writing',
  run(world: World, cpu: Cpu): number {
    enter(cpu);
    const result = addSeals(cpu, world.values['object'] as number, F_SEAL_WRITE);
    leave(world, cpu);
    return result;
  },
};

const mlock: Operation = {
  name: 'mlock the mapping',
  run(world: World, cpu: Cpu): number {
    enter(cpu);
    const result = sysMlock(cpu, world.procs[0] as number, BASE, 2 * PAGE_SIZE);
    leave(world, cpu);
    return result;
  },
};

export const sealScenarios: readonly Scenario[] = [
  {
    name: 'seal-mmap',
    about: 'a file is sealed against writing while a CPU maps it to write: one of the two fails',
    perProtocol: false,
    cpus: [[sealWrite], [mmapFile, munmap(0, 1)]],
    setup(world: World): void {
      newThreads(world);
      openFile(world, 1, OBJECT.SHARED);
    },
  },
  {
    name: 'seal-munmap',
    about: 'a file is sealed while its last mapping goes under a CPU that writes through it',
    cpus: [[munmap(0, 2)], [sealWrite, write(0, 9)]],
    setup(world: World): void {
      mappedFile(world, MAP_SHARED);
      stayInUser(world, 1, 0, 1);
    },
  },
  {
    name: 'seal-mlock',
    about: 'a file is sealed while the area of its only mapping is written anew',
    perProtocol: false,
    cpus: [[sealWrite], [mlock]],
    setup(world: World): void {
      mappedFile(world, MAP_SHARED);
    },
  },
];
