/** What scenarios with a file begin with. */
import { enterKernel } from '../../../../kernel/mmu/kernel-entry.ts';
import type { Cpu } from '../../../../kernel/machine/cpu.ts';
import { leaveKernel } from '../../../../kernel/machine/cpu-mode.ts';
import { openFd } from '../../../../kernel/objects/fd.ts';
import { createObject, putObject } from '../../../../kernel/objects/object.ts';
import { sysMmap } from '../../../../kernel/syscalls/mmap.ts';
import { MAP_FIXED, MAP_SHARED, O_RDWR } from '../../../../shared/abi/mman.ts';
import * as OBJECT from '../../../../shared/layout/object.ts';
import { PAGE_SIZE } from '../../../../shared/limits.ts';
import { BASE, RW, enter, leave, newThreads } from '../kit.ts';
import type { Operation, World } from '../kit.ts';

/** A file of `pages` pages, open in the process of CPU 0, and its object. */
export function openFile(world: World, pages: number, kind: number): void {
  const cpu = world.cpus[0] as Cpu;
  enterKernel(cpu);
  const spec = { kind, size: pages * PAGE_SIZE, host: 1, writable: true };
  const object = createObject(cpu, spec);
  world.values['fd'] = openFd(cpu, world.procs[0] as number, object, O_RDWR);
  // From here on only the descriptor refers to the object.
  putObject(cpu, object);
  world.values['object'] = object;
  leaveKernel(cpu);
}

/** One process on all CPUs, with a mapping of a file of two pages. */
export function mappedFile(
  world: World,
  type: number,
  kind: number = OBJECT.SHARED,
  prot: number = RW,
): void {
  newThreads(world);
  openFile(world, 2, kind);
  const cpu = world.cpus[0] as Cpu;
  enterKernel(cpu);
  const fd = world.values['fd'] as number;
  sysMmap(cpu, world.procs[0] as number, BASE, 2 * PAGE_SIZE, prot, type | MAP_FIXED, fd, 0);
  leaveKernel(cpu);
}

/** Maps the first page of the file, shared and writable. */
export const mmapFile: Operation = {
  name: 'mmap the file',
  run(world: World, cpu: Cpu): number {
    enter(cpu);
    const proc = world.procs[0] as number;
    const flags = MAP_SHARED | MAP_FIXED;
    const fd = world.values['fd'] as number;
    const result = sysMmap(cpu, proc, BASE, PAGE_SIZE, RW, flags, fd, 0);
    leave(world, cpu);
    return result;
  },
};
