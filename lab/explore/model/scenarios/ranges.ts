/** Operations on ranges that overlap, share a table, or meet faults. */
import { peekEntry } from '../../../../kernel/paging/table.ts';
import { MADV_DONTFORK, PROT_NONE, PROT_READ } from '../../../../shared/abi/mman.ts';
import * as pte from '../../../../shared/pte.ts';
import { BASE_VPN, mapPages, newThreads, spaceOf } from '../kit.ts';
import type { Scenario, World } from '../kit.ts';
import { fault, madvise, mmap, mprotect, mremap, munmap, reap } from '../operations.ts';
import { read, stayInUser, touchPages, write } from '../user.ts';

/** Span of 1024 pages; the first page of the next span. */
const SPAN = 1024;

/** Threads of one process, with `pages` pages mapped and touched. */
function touched(world: World, pages: number): void {
  newThreads(world);
  mapPages(world, 0, 0, pages);
  touchPages(world, 0, 0, pages);
}

/** What pages 0 to `pages` allow: '-' where nothing is mapped. */
function permissions(world: World, pages: number): string {
  const cpu = world.cpus[0];
  let text = '';
  if (cpu === undefined) return text;
  for (let page = 0; page < pages; page++) {
    const entry = peekEntry(cpu, spaceOf(world, 0), BASE_VPN + page);
    text += entry === 0 ? '-' : String(pte.logicalRwx(entry) >> 1);
  }
  return text;
}

export const rangeScenarios: readonly Scenario[] = [
  {
    name: 'mprotect-mprotect',
    about: 'two CPUs change the permissions of overlapping ranges',
    cpus: [[mprotect(0, 2, PROT_READ)], [mprotect(1, 2, PROT_NONE)]],
    setup(world: World): void {
      touched(world, 3);
    },
    observe(world: World): string {
      return permissions(world, 3);
    },
  },
  {
    name: 'mprotect-munmap',
    about: 'a range is unmapped while part of it changes its permission',
    cpus: [[mprotect(0, 2, PROT_READ)], [munmap(1, 2)]],
    setup(world: World): void {
      touched(world, 3);
    },
    observe(world: World): string {
      return permissions(world, 3);
    },
  },
  {
    name: 'munmap-munmap',
    about: 'the two halves of a table are unmapped at once, and the table with the last',
    cpus: [[munmap(0, 1)], [munmap(1, 1)]],
    setup(world: World): void {
      touched(world, 2);
    },
    observe(world: World): string {
      return permissions(world, 2);
    },
  },
  {
    name: 'table-freed-under-kernel',
    about: 'a fault walks to a table that is unlinked and whose frame is used again',
    cpus: [[fault(0, false)], [munmap(0, 1), reap, mmap(SPAN, 1), fault(SPAN, true)]],
    setup(world: World): void {
      touched(world, 1);
    },
  },
  {
    name: 'table-freed-under-mmu',
    about: "a program's walk is in a table that is unlinked and whose frame is used again",
    cpus: [
      [read(0), read(0)],
      [munmap(0, 1), reap, mmap(SPAN, 1), fault(SPAN, true)],
    ],
    setup(world: World): void {
      touched(world, 1);
    },
  },
  {
    name: 'table-freed-under-walk',
    about: 'as before, but the page was never touched: only the table needs a shootdown',
    cpus: [[read(0)], [munmap(0, 1), reap, mmap(SPAN, 1), fault(SPAN, true)]],
    setup(world: World): void {
      newThreads(world);
      mapPages(world, 0, 0, 1);
    },
  },
  {
    name: 'span-fault-fault',
    about: 'two pages of a reserved 4 MiB span are touched first: one push-down',
    cpus: [[write(0, 7)], [write(1, 8)]],
    setup(world: World): void {
      newThreads(world);
      mapPages(world, 0, 0, SPAN);
    },
  },
  {
    name: 'span-fault-mprotect',
    about: 'a reserved span is pushed down by a fault and by mprotect of a part',
    cpus: [[write(0, 7), write(512, 8)], [mprotect(512, 1, PROT_READ)]],
    setup(world: World): void {
      newThreads(world);
      mapPages(world, 0, 0, SPAN);
    },
  },
  {
    name: 'span-fault-munmap',
    about: 'a reserved span is unmapped while a fault pushes it down',
    cpus: [[write(0, 7), read(0)], [munmap(0, SPAN)]],
    setup(world: World): void {
      newThreads(world);
      mapPages(world, 0, 0, SPAN);
    },
  },
  {
    name: 'span-fault-advice',
    about: 'a reserved span is pushed down by a fault and by advice that divides its area',
    cpus: [[write(0, 7)], [madvise(512, SPAN, MADV_DONTFORK)]],
    setup(world: World): void {
      newThreads(world);
      mapPages(world, 0, 0, 2 * SPAN);
    },
  },
  {
    name: 'area-split-merge',
    about: 'an area is split and merged again while its parts are written',
    cpus: [
      [mprotect(1, 1, PROT_READ), mprotect(1, 1, 3)],
      [write(1, 7), write(2, 8)],
    ],
    setup(world: World): void {
      touched(world, 3);
    },
  },
  {
    name: 'mmap-fixed-replace',
    about: 'MAP_FIXED puts fresh memory in the place of a page that is written and read',
    cpus: [[mmap(0, 1)], [write(0, 5), read(0)]],
    setup(world: World): void {
      touched(world, 2);
    },
  },
  {
    name: 'mremap-fault',
    about: 'a page moves to another address while a CPU touches both for the first time',
    cpus: [[mremap(0, 1, 1, 16)], [write(0, 7), read(16)]],
    setup(world: World): void {
      newThreads(world);
      mapPages(world, 0, 0, 2);
    },
  },
  {
    name: 'mremap-user',
    about: 'a page moves under a CPU that has it in its TLB',
    cpus: [[mremap(0, 1, 1, 16), read(16)], [write(0, 7)]],
    setup(world: World): void {
      touched(world, 2);
      stayInUser(world, 1, 0, 1);
    },
  },
  {
    name: 'mremap-shrink',
    about: 'a moving mapping gets shorter while its last page is written',
    // First the rest goes, then the pages move: accesses see both steps, as on Linux.
    linearizable: false,
    cpus: [[mremap(0, 2, 1, 16)], [write(1, 7), read(0)]],
    setup(world: World): void {
      touched(world, 3);
    },
  },
  {
    name: 'mmap-mmap',
    about: 'two CPUs map next to each other: their areas become one',
    cpus: [
      [mmap(0, 1), munmap(0, 1)],
      [mmap(1, 1), write(1, 6)],
    ],
    setup(world: World): void {
      newThreads(world);
    },
    observe(world: World): string {
      return permissions(world, 2);
    },
  },
];
