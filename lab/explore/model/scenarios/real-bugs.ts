/** What real kernels got wrong, where no other scenario shows it already (museum/). */
import { MAP_GROWSDOWN, PROT_READ } from '../../../../shared/abi/mman.ts';
import { ANON, RW, mapPages, newThreads } from '../kit.ts';
import type { Scenario, World } from '../kit.ts';
import { mmap, mprotect, mremap, munmap, reap } from '../operations.ts';
import { read, stayInUser, touchPages, write } from '../user.ts';
import { evict } from './swaps.ts';

export const realBugScenarios: readonly Scenario[] = [
  {
    name: 'mremap-munmap',
    about: 'a page moves, and is unmapped where it is then, under a thread that used it before',
    cpus: [
      [mremap(0, 1, 1, 16), munmap(16, 1)],
      [read(0), write(0, 7)],
    ],
    setup(world: World): void {
      newThreads(world);
      mapPages(world, 0, 0, 2);
      stayInUser(world, 1, 0, 2);
    },
  },
  {
    name: 'area-search-munmap',
    about: 'a fault searches the areas while the last of them is unmapped, and another is made',
    cpus: [[write(0, 7)], [munmap(0, 1), reap, mmap(2, 1), write(2, 8)]],
    setup(world: World): void {
      newThreads(world);
      mapPages(world, 0, 0, 1);
    },
  },
  {
    name: 'evict-mprotect',
    about: 'a page is taken out of memory while another thread makes it read-only, and then writes',
    cpus: [[evict(0, 0)], [mprotect(0, 1, PROT_READ), write(0, 7), read(0)]],
    setup(world: World): void {
      newThreads(world);
      mapPages(world, 0, 0, 1);
      touchPages(world, 0, 0, 1);
      stayInUser(world, 1, 0, 1);
    },
  },
  {
    name: 'stack-grow-beside-munmap',
    about: 'a stack grows into the span in which another thread unmaps the only other area',
    cpus: [[munmap(700, 1)], [write(1020, 7), read(1020)]],
    setup(world: World): void {
      newThreads(world);
      mapPages(world, 0, 700, 1);
      touchPages(world, 0, 700, 1);
      mapPages(world, 0, 1024, 1, RW, ANON | MAP_GROWSDOWN);
    },
  },
  {
    name: 'shootdown-large',
    about: 'more pages are unmapped than are flushed one by one, under a thread that uses them',
    perProtocol: false,
    cpus: [[munmap(0, 4)], [read(0), write(3, 7)]],
    setup(world: World): void {
      newThreads(world);
      mapPages(world, 0, 0, 5);
      stayInUser(world, 1, 0, 4);
    },
  },
];
