/** Memory that nobody has touched: entries that stand for 4 MiB or 4 GiB, filled and looked at. */
import { mapPages, newThreads } from '../kit.ts';
import type { Scenario, World } from '../kit.ts';
import { mmap } from '../operations.ts';
import { copyByteFrom } from '../pairs/copies.ts';
import { reclaim } from './swaps.ts';

const SPAN = 1024;
const GIANT: number = 2 ** 20;

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
];
