/** Operations that fail in the middle, for want of memory or areas, and take it all back. */
import type { Cpu } from '../../../../kernel/machine/cpu.ts';
import { closeRange } from '../../../../kernel/paging/range-op.ts';
import { openRange } from '../../../../kernel/space/open-range.ts';
import { areasOf } from '../../../../kernel/space/space.ts';
import { sysMmap } from '../../../../kernel/syscalls/mmap.ts';
import { poke } from '../../../../shared/atomics.ts';
import { MAP_FIXED, MAP_SHARED, PROT_READ } from '../../../../shared/abi/mman.ts';
import * as BOOT from '../../../../shared/layout/boot.ts';
import * as OBJECT from '../../../../shared/layout/object.ts';
import { PAGE_SIZE } from '../../../../shared/limits.ts';
import { BASE, BASE_VPN, RW, enter, leave, mapPages, newThreads, spaceOf } from '../kit.ts';
import type { Operation, Scenario, World } from '../kit.ts';
import { pagesText } from '../operation-names.ts';
import { mmap, mprotect, munmap } from '../operations.ts';
import { read, stayInUser, touchPages, write } from '../user.ts';
import { fork } from './forks.ts';
import { scarce } from './machine.ts';
import { openFile } from './mapped-file.ts';

/** Last page of a span: a range that begins here and goes on needs tables of two spans. */
const EDGE = 5119;

/** Maps the linear region of two pages at page `page`. */
function mmapLinear(page: number): Operation {
  return {
    name: `mmap a linear region at ${pagesText(page, 2)}`,
    run(world: World, cpu: Cpu): number {
      enter(cpu);
      const proc = world.procs[0] as number;
      const fd = world.values['fd'] as number;
      const at = BASE + page * PAGE_SIZE;
      const flags = MAP_SHARED | MAP_FIXED;
      const result = sysMmap(cpu, proc, at, 2 * PAGE_SIZE, RW, flags, fd, 0);
      leave(world, cpu);
      return result;
    },
  };
}

/** Makes all areas from page `page` on to page `end` read-only, in one change of the set. */
function protectAll(page: number, end: number): Operation {
  return {
    name: `protect all areas of ${pagesText(page, end - page)}`,
    run(world: World, cpu: Cpu): number {
      enter(cpu);
      const { protocol } = cpu.machine;
      const space = spaceOf(world, 0);
      protocol.lockAreas(cpu, space);
      const op = openRange(cpu, space, BASE_VPN + page, BASE_VPN + end);
      const [start, size] = [BASE + page * PAGE_SIZE, (end - page) * PAGE_SIZE];
      const result = areasOf(cpu, space).protect(start, size, () => PROT_READ, op);
      closeRange(op);
      protocol.unlockAreas(cpu, space);
      leave(world, cpu);
      return result.ok ? 1 : 0;
    },
  };
}

/** One area of three touched pages with permission `prot`, and no room for a second area. */
function fullSet(world: World, prot: number): void {
  const cpu = world.cpus[0] as Cpu;
  newThreads(world);
  mapPages(world, 0, 0, 3);
  touchPages(world, 0, 0, 3);
  if (prot !== RW) mprotect(0, 3, prot).run(world, cpu);
  poke(world.machine.words, BOOT.MAP_COUNT_MAX, 1);
}

export const rollbackScenarios: readonly Scenario[] = [
  {
    name: 'rollback-map',
    about: 'memory runs out in an mmap that has filled one span and needs a table for the next',
    linearizable: false,
    cpus: [[mmap(4608, 1024)], [write(1, 7)]],
    setup(world: World): void {
      newThreads(world);
      scarce(world, 1);
    },
  },
  {
    name: 'rollback-present',
    about: 'memory runs out in an mmap of a linear region, one page of which another CPU may read',
    linearizable: false,
    cpus: [[mmapLinear(EDGE)], [read(EDGE), read(EDGE)]],
    setup(world: World): void {
      newThreads(world);
      openFile(world, 2, OBJECT.LINEAR);
      // Mapping records need a frame of their own.
      mmapLinear(8).run(world, world.cpus[0] as Cpu);
      scarce(world, 1);
    },
  },
  {
    name: 'rollback-protect',
    about: 'a page is restricted and gets its permission back, as memory runs out in the next area',
    cpus: [[protectAll(4094, 5632)], [write(4094, 7), write(4094, 8)]],
    setup(world: World): void {
      newThreads(world);
      mapPages(world, 0, 4094, 1);
      touchPages(world, 0, 4094, 1);
      mapPages(world, 0, 4096, 2048);
      scarce(world, 0);
      stayInUser(world, 1, 4094, 1);
    },
  },
  {
    name: 'rollback-fork',
    about: 'memory runs out in a fork, whose pages a thread writes meanwhile',
    linearizable: false,
    cpus: [[fork], [write(0, 7), read(0)]],
    setup(world: World): void {
      world.values['parent'] = newThreads(world);
      scarce(world, 3);
      stayInUser(world, 1, 0, 1);
    },
  },
  {
    name: 'rollback-restrict',
    about: 'an mprotect that needs more areas than there may be, of a page that a program writes',
    cpus: [[mprotect(1, 1, PROT_READ)], [write(1, 7), write(1, 8)]],
    setup(world: World): void {
      fullSet(world, RW);
      stayInUser(world, 1, 1, 1);
    },
  },
  {
    name: 'rollback-grant',
    about: 'an mprotect that needs more areas than there may be would make a page writable',
    cpus: [[mprotect(1, 1, RW)], [write(1, 7), write(1, 8)]],
    setup(world: World): void {
      fullSet(world, PROT_READ);
    },
  },
  {
    name: 'rollback-unmap',
    about: 'a munmap that needs more areas than there may be, of a page that a program writes',
    cpus: [[munmap(1, 1)], [write(1, 7), read(1)]],
    setup(world: World): void {
      fullSet(world, RW);
      stayInUser(world, 1, 1, 1);
    },
  },
];
