/** madvise against faults and against another madvise; the zero page; mincore. */
import {
  MADV_DONTNEED,
  MADV_GUARD_INSTALL,
  MADV_GUARD_REMOVE,
  MADV_DONTFORK,
  MADV_POPULATE_READ,
  MADV_POPULATE_WRITE,
  MADV_REMOVE,
  PROT_READ,
} from '../../../../shared/abi/mman.ts';
import type { Cpu } from '../../../../kernel/machine/cpu.ts';
import { sysMadvise } from '../../../../kernel/syscalls/madvise.ts';
import { PAGE_SIZE, SPAN_PAGES } from '../../../../shared/limits.ts';
import { BASE, RW, SHARED, enter, leave, mapPages, newThreads } from '../kit.ts';
import type { Scenario, World } from '../kit.ts';
import { madvise, mincore, mprotect, munmap } from '../operations.ts';
import { read, stayInUser, touchPages, write } from '../user.ts';

/** Two pages of anonymous memory; page 0 is written. */
function written(world: World): void {
  newThreads(world);
  mapPages(world, 0, 0, 2);
  touchPages(world, 0, 0, 1);
}

export const adviceScenarios: readonly Scenario[] = [
  {
    name: 'zero-page-write',
    about: 'a CPU that has read the zero page, and one that writes the page for the first time',
    cpus: [[read(0), read(0)], [write(0, 7)]],
    setup(world: World): void {
      newThreads(world);
      mapPages(world, 0, 0, 1);
      touchPages(world, 0, 0, 1, false);
    },
  },
  {
    name: 'zero-page-protect',
    about: 'the zero page becomes writable while another CPU writes it',
    cpus: [
      [mprotect(0, 1, RW), write(0, 7)],
      [write(0, 8), read(0)],
    ],
    setup(world: World): void {
      newThreads(world);
      mapPages(world, 0, 0, 1, PROT_READ);
      touchPages(world, 0, 0, 1, false);
    },
  },
  {
    name: 'discard-fault',
    about: 'pages are discarded while another CPU writes and reads them',
    cpus: [[write(0, 7), read(0)], [madvise(0, 2, MADV_DONTNEED)]],
    setup(world: World): void {
      written(world);
    },
  },
  {
    name: 'discard-user',
    about: 'pages are discarded under a CPU that has them in its TLB',
    cpus: [
      [madvise(0, 1, MADV_DONTNEED), read(0)],
      [write(0, 7), read(0)],
    ],
    setup(world: World): void {
      newThreads(world);
      mapPages(world, 0, 0, 1);
      stayInUser(world, 1, 0, 1);
    },
  },
  {
    name: 'guard-fault',
    about: 'a guard is installed, and removed, while another CPU writes the page',
    cpus: [
      [write(0, 7), read(0)],
      [madvise(0, 1, MADV_GUARD_INSTALL), madvise(0, 1, MADV_GUARD_REMOVE)],
    ],
    setup(world: World): void {
      written(world);
    },
  },
  {
    name: 'guard-span',
    about: 'a page of a guarded span is opened while another CPU touches its neighbour',
    cpus: [[write(1, 7)], [madvise(0, 1, MADV_GUARD_REMOVE), write(0, 8)]],
    setup(world: World): void {
      newThreads(world);
      mapPages(world, 0, 0, 1024);
      const cpu = world.cpus[0] as Cpu;
      enter(cpu);
      sysMadvise(cpu, world.procs[0] as number, BASE, 1024 * PAGE_SIZE, MADV_GUARD_INSTALL);
      leave(world, cpu);
    },
  },
  {
    name: 'advice-split-fault',
    about: 'an area is divided by advice while another CPU faults in it',
    cpus: [[write(1, 7), read(0)], [madvise(0, 1, MADV_DONTFORK)]],
    setup(world: World): void {
      written(world);
    },
  },
  {
    name: 'populate-munmap',
    about: 'pages are populated while they are unmapped',
    cpus: [[madvise(0, 2, MADV_POPULATE_WRITE)], [munmap(0, 1)]],
    linearizable: false,
    setup(world: World): void {
      written(world);
    },
  },
  {
    name: 'zero-span-write',
    about: 'a span is populated for reading while a page of it is written',
    cpus: [
      [madvise(0, SPAN_PAGES, MADV_POPULATE_READ), read(0)],
      [write(0, 7), read(1)],
    ],
    setup(world: World): void {
      newThreads(world);
      mapPages(world, 0, 0, SPAN_PAGES);
    },
  },
  {
    name: 'zero-span-munmap',
    about: 'a span of the zero page is read and written while a page of it is unmapped',
    cpus: [[read(1), write(1, 7)], [munmap(1, 1)]],
    setup(world: World): void {
      newThreads(world);
      mapPages(world, 0, 0, SPAN_PAGES);
      const cpu = world.cpus[0] as Cpu;
      enter(cpu);
      const pages = SPAN_PAGES * PAGE_SIZE;
      sysMadvise(cpu, world.procs[0] as number, BASE, pages, MADV_POPULATE_READ);
      leave(world, cpu);
    },
  },
  {
    name: 'punch-fault',
    about: 'a hole is punched into a shared object while another CPU writes the page',
    cpus: [[madvise(0, 1, MADV_REMOVE)], [write(0, 7), read(0)]],
    setup(world: World): void {
      newThreads(world);
      mapPages(world, 0, 0, 1, RW, SHARED);
      touchPages(world, 0, 0, 1);
    },
  },
  {
    name: 'mincore-munmap',
    about: 'mincore looks at pages that are unmapped',
    cpus: [[mincore(0, 2, 8)], [munmap(0, 2)]],
    setup(world: World): void {
      newThreads(world);
      mapPages(world, 0, 0, 2);
      mapPages(world, 0, 8, 1);
      touchPages(world, 0, 0, 1);
      touchPages(world, 0, 8, 1);
    },
  },
];
