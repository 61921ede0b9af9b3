/** Faults that race with faults and with range operations on one address space. */
import { MAP_GROWSDOWN, PROT_READ } from '../../../../shared/abi/mman.ts';
import { ANON, RW, mapPages, newThreads } from '../kit.ts';
import type { Scenario, World } from '../kit.ts';
import { mprotect, munmap } from '../operations.ts';
import { read, touchPages, write } from '../user.ts';

/** One page of anonymous memory, never touched. */
function onePage(world: World): void {
  newThreads(world);
  mapPages(world, 0, 0, 1);
}

/** Two whole spans, far from each other, never touched. */
function twoSpans(world: World): void {
  newThreads(world);
  mapPages(world, 0, 0, 1024);
  mapPages(world, 0, 2048, 1024);
}

export const faultScenarios: readonly Scenario[] = [
  {
    name: 'fault-fault-read',
    about: 'two CPUs read one untouched page',
    cpus: [[read(0)], [read(0)]],
    setup(world: World): void {
      onePage(world);
    },
  },
  {
    name: 'fault-fault-read-write',
    about: 'one CPU reads a page that another writes for the first time',
    cpus: [[read(0)], [write(0, 7)]],
    setup(world: World): void {
      onePage(world);
    },
  },
  {
    name: 'fault-fault-write',
    about: 'two CPUs write one untouched page',
    cpus: [
      [write(0, 7), read(0)],
      [write(0, 8), read(0)],
    ],
    setup(world: World): void {
      onePage(world);
    },
  },
  {
    name: 'fault-munmap',
    about: 'a page is unmapped while another CPU touches it for the first time',
    cpus: [[write(0, 7), read(0)], [munmap(0, 1)]],
    setup(world: World): void {
      onePage(world);
    },
  },
  {
    name: 'stack-grow',
    about: 'two threads fault below one stack, at different depths',
    cpus: [
      [write(590, 7), read(590)],
      [write(580, 8), read(580)],
    ],
    setup(world: World): void {
      newThreads(world);
      mapPages(world, 0, 600, 1, RW, ANON | MAP_GROWSDOWN);
    },
  },
  {
    name: 'stack-grow-munmap',
    about: 'a stack grows while it is unmapped',
    cpus: [[write(590, 7), read(600)], [munmap(580, 21)]],
    setup(world: World): void {
      newThreads(world);
      mapPages(world, 0, 600, 1, RW, ANON | MAP_GROWSDOWN);
    },
  },
  {
    name: 'table-made-table-freed',
    about: 'a fault makes a table while a munmap frees another of the same space',
    cpus: [[write(2048, 7)], [munmap(0, 1024)]],
    setup(world: World): void {
      twoSpans(world);
      touchPages(world, 0, 0, 1);
    },
  },
  {
    name: 'table-candidates',
    about: 'two faults make a table for one span, and a third one for another',
    cpus: [[write(0, 7)], [write(1, 8)], [write(2048, 9)]],
    setup(world: World): void {
      twoSpans(world);
    },
  },
  {
    name: 'fault-mprotect',
    about: 'a page becomes read-only while another CPU writes it for the first time',
    cpus: [[write(0, 7), write(0, 8)], [mprotect(0, 1, PROT_READ)]],
    setup(world: World): void {
      onePage(world);
    },
  },
];
