/** Memory that nobody has touched: entries that stand for 4 MiB or 4 GiB, filled and looked at. */
import { MADV_POPULATE_READ, PROT_NONE } from '../../../../shared/abi/mman.ts';
import { mapPages, newThreads } from '../kit.ts';
import type { Scenario, World } from '../kit.ts';
import { madvise, mmap, mprotect } from '../operations.ts';
import { copyByteFrom } from '../pairs/copies.ts';
import { read, write } from '../user.ts';
import { reclaim } from './swaps.ts';

const SPAN = 1024;
const GIANT: number = 2 ** 20;
const populateRead = madvise(0, SPAN, MADV_POPULATE_READ);

export const untouchedScenarios: readonly Scenario[] = [
  {
    name: 'span-mmap-copy',
    about: 'a span is mapped anew while the kernel copies from a page of it',
    cpus: [[mmap(0, SPAN)], [copyByteFrom(1)]],
    setup(world: World): void {
      newThreads(world);
      mapPages(world, 0, 0, SPAN);
    },
  },
  {
    name: 'giant-mmap-reclaim',
    about: 'a span of 4 GiB is mapped anew while reclaim looks for pages',
    perProtocol: false,
    cpus: [[mmap(0, SPAN)], [reclaim(0)]],
    setup(world: World): void {
      newThreads(world);
      mapPages(world, 0, 0, GIANT);
    },
  },
  {
    name: 'giant-populate-write',
    about: 'a span of 4 GiB is read ahead while a page of it is written',
    cpus: [[populateRead], [write(1, 7), read(1)]],
    setup(world: World): void {
      newThreads(world);
      mapPages(world, 0, 0, GIANT);
    },
  },
  {
    name: 'span-populate-write',
    about: 'a span is read ahead by two threads while a page of it is written',
    perProtocol: false,
    cpus: [[populateRead], [populateRead, write(1, 7)]],
    setup(world: World): void {
      newThreads(world);
      mapPages(world, 0, 0, SPAN);
    },
  },
  {
    name: 'span-populate-protect',
    about: 'a span is read ahead while it is protected from reading',
    perProtocol: false,
    cpus: [[populateRead], [mprotect(0, SPAN, PROT_NONE), read(1)]],
    setup(world: World): void {
      newThreads(world);
      mapPages(world, 0, 0, SPAN);
    },
  },
];
