/** The heap's end, moves that leave the old area, and memory that is not at the first pages. */
import type { Cpu } from '../../../../kernel/machine/cpu.ts';
import { loadWide } from '../../../../kernel/frames/wide.ts';
import { sysBrk } from '../../../../kernel/syscalls/brk.ts';
import { sysMremap } from '../../../../kernel/syscalls/mremap.ts';
import { TLB_SLOTS } from '../../../../kernel/machine/tlb.ts';
import {
  MADV_COLD,
  MADV_DONTNEED,
  MREMAP_DONTUNMAP,
  MREMAP_FIXED,
  MREMAP_MAYMOVE,
  PROT_READ,
} from '../../../../shared/abi/mman.ts';
import * as SPACE from '../../../../shared/layout/space.ts';
import { PAGE_SIZE } from '../../../../shared/limits.ts';
import { BASE, enter, leave, mapPages, newThreads, spaceOf } from '../kit.ts';
import type { Operation, Scenario, World } from '../kit.ts';
import { madvise, mprotect, mremap, munmap } from '../operations.ts';
import { access, read, stayInUser, touchPages, write } from '../user.ts';

/** First page of the heap of CPU 0's process. */
function heapVpn(world: World): number {
  return loadWide(world.machine, spaceOf(world, 0) + SPACE.START_BRK) / PAGE_SIZE;
}

/** Moves the break to `pages` pages of heap. The heap's pages then, or before if it was refused. */
function brk(pages: number): Operation {
  return {
    name: `brk to ${pages} pages`,
    run(world: World, cpu: Cpu): number {
      enter(cpu);
      const firstVpn = heapVpn(world);
      const to = (firstVpn + pages) * PAGE_SIZE;
      const result = sysBrk(cpu, world.procs[cpu.id] as number, to);
      leave(world, cpu);
      return result / PAGE_SIZE - firstVpn;
    },
  };
}

/** A store to page `page` of the heap. */
function writeHeap(page: number, value: number): Operation {
  return {
    name: `write ${value} to heap page ${page}`,
    run(world: World, cpu: Cpu): number {
      return access(world, cpu, heapVpn(world) + page, true, value);
    },
  };
}

/** A load of page `page` of the heap. */
function readHeap(page: number): Operation {
  return {
    name: `read heap page ${page}`,
    run(world: World, cpu: Cpu): number {
      return access(world, cpu, heapVpn(world) + page, false, 0);
    },
  };
}

/** Moves a page to page `to`, and leaves the old area without it. */
function moveLeaving(page: number, to: number): Operation {
  return {
    name: `mremap page ${page} to ${to}, the old area stays`,
    run(world: World, cpu: Cpu): number {
      enter(cpu);
      const [at, target] = [BASE + page * PAGE_SIZE, BASE + to * PAGE_SIZE];
      const flags = MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP;
      const proc = world.procs[cpu.id] as number;
      const result = sysMremap(cpu, proc, at, PAGE_SIZE, PAGE_SIZE, flags, target);
      leave(world, cpu);
      return result;
    },
  };
}

/** Threads with a heap of `pages` pages. */
function heap(world: World, pages: number): void {
  newThreads(world);
  brk(pages).run(world, world.cpus[0] as Cpu);
}

/** Threads with two touched pages from `page` on. */
function touchedAt(world: World, page: number): void {
  newThreads(world);
  mapPages(world, 0, page, 2);
  touchPages(world, 0, page, 2);
}

/** Threads with a touched page whose accessed bit was cleared: no TLB has it. */
function aged(world: World): void {
  newThreads(world);
  mapPages(world, 0, 0, 1);
  touchPages(world, 0, 0, 1);
  madvise(0, 1, MADV_COLD).run(world, world.cpus[0] as Cpu);
}

/** A page in the upper half of its span's table. */
const HIGH = 700;
/** The last page of a span. */
const EDGE = 2047;
/** A page with which no other shares a table. */
const FAR = 3 * 1024 * 1024 + 1023;
/** A page with the TLB slot of page 0. */
const COLLIDING = TLB_SLOTS;

export const heapAndMoveScenarios: readonly Scenario[] = [
  {
    name: 'brk-brk',
    about: 'two threads move the end of the heap',
    cpus: [[brk(2)], [brk(3)]],
    setup(world: World): void {
      heap(world, 1);
    },
  },
  {
    name: 'brk-shrink-write',
    about: 'the heap shrinks and grows again under a thread that uses it',
    cpus: [
      [writeHeap(1, 7), readHeap(1)],
      [brk(1), brk(2)],
    ],
    setup(world: World): void {
      heap(world, 2);
      writeHeap(1, 5).run(world, world.cpus[0] as Cpu);
    },
  },
  {
    name: 'brk-grow-fault',
    about: 'the heap grows while a thread touches the page above it',
    cpus: [[writeHeap(1, 7), readHeap(1)], [brk(2)]],
    setup(world: World): void {
      heap(world, 1);
    },
  },
  {
    name: 'move-leaving-write',
    about: 'a page moves away while its program writes it, and the old area stays',
    cpus: [
      [write(0, 7), read(0)],
      [moveLeaving(0, 4), read(4)],
    ],
    setup(world: World): void {
      newThreads(world);
      mapPages(world, 0, 0, 1);
      stayInUser(world, 0, 0, 1);
    },
  },
  {
    name: 'move-leaving-munmap',
    about: 'a page moves away and leaves its area while that is unmapped',
    cpus: [[moveLeaving(0, 4)], [munmap(0, 1)]],
    setup(world: World): void {
      newThreads(world);
      mapPages(world, 0, 0, 1);
      touchPages(world, 0, 0, 1);
    },
  },
  {
    name: 'aged-move',
    about: 'a page that counts as not used is used again while it moves',
    cpus: [[read(0), write(0, 7)], [mremap(0, 1, 1, 4)]],
    setup(world: World): void {
      aged(world);
    },
  },
  {
    name: 'aged-munmap',
    about: 'a page that counts as not used is used again while it is unmapped',
    cpus: [[read(0), write(0, 7)], [munmap(0, 1)]],
    setup(world: World): void {
      aged(world);
    },
  },
  {
    name: 'aged-discard',
    about: 'a page that counts as not used is used again while it is dropped',
    cpus: [[read(0), read(0)], [madvise(0, 1, MADV_DONTNEED)]],
    setup(world: World): void {
      aged(world);
    },
  },
  {
    name: 'high-munmap-write',
    about: 'a page in the upper half of its table is written while it is unmapped',
    cpus: [[write(HIGH, 7), read(HIGH)], [munmap(HIGH, 1)]],
    setup(world: World): void {
      touchedAt(world, HIGH);
      stayInUser(world, 0, HIGH, 1);
    },
  },
  {
    name: 'high-protect-fault',
    about: 'pages in the upper half of their table: one is touched, one restricted',
    cpus: [[write(HIGH + 1, 7)], [mprotect(HIGH, 2, PROT_READ)]],
    setup(world: World): void {
      newThreads(world);
      mapPages(world, 0, HIGH, 3);
      touchPages(world, 0, HIGH, 1);
    },
  },
  {
    name: 'edge-munmap',
    about: 'the last page of a span and the first of the next are unmapped while both are used',
    cpus: [[write(EDGE, 7), read(EDGE + 1)], [munmap(EDGE, 2)]],
    setup(world: World): void {
      touchedAt(world, EDGE);
      stayInUser(world, 0, EDGE, 2);
    },
  },
  {
    name: 'far-discard',
    about: 'a page far from all others is dropped while it is written',
    cpus: [[write(FAR, 7), read(FAR)], [madvise(FAR, 1, MADV_DONTNEED)]],
    setup(world: World): void {
      touchedAt(world, FAR);
      stayInUser(world, 0, FAR, 1);
    },
  },
  {
    name: 'same-slot',
    about: 'two pages that share a slot of the TLB: one is unmapped, the other used',
    cpus: [[write(0, 7), read(COLLIDING), read(0)], [munmap(0, 1)]],
    setup(world: World): void {
      touchedAt(world, 0);
      mapPages(world, 0, COLLIDING, 1);
      touchPages(world, 0, COLLIDING, 1);
      stayInUser(world, 0, 0, 1);
    },
  },
];
