/**
 * A write fault takes a frame for the page before it has the lock. Under the lock it may find that
 * the page needs another one, or none: whoever came between has changed what is there.
 */
import * as OBJECT from '../../../../shared/layout/object.ts';
import { mapPages, newThreads } from '../kit.ts';
import type { Scenario, World } from '../kit.ts';
import { read, write } from '../user.ts';
import { fork } from './forks.ts';
import { mmapFile, openFile } from './mapped-file.ts';
import { dropClean, evict, writeOut } from './swaps.ts';

/** Two threads and a page that nobody has touched. */
function untouched(world: World): void {
  world.values['parent'] = newThreads(world);
  mapPages(world, 0, 0, 1);
}

/** The same, and a file that can be mapped in its place. */
function beside(world: World, kind: number): void {
  untouched(world);
  openFile(world, 1, kind);
}

export const candidateScenarios: readonly Scenario[] = [
  {
    name: 'candidate-cow',
    about: 'a write fault finds that the page was written and forked meanwhile',
    cpus: [
      [write(0, 7), fork],
      [write(0, 8), read(0)],
    ],
    setup(world: World): void {
      untouched(world);
    },
  },
  {
    name: 'candidate-swap',
    about: 'a write fault finds that the page was written and evicted meanwhile',
    perProtocol: false,
    cpus: [
      [write(0, 7), evict(0, 0)],
      [write(0, 8), read(0)],
    ],
    setup(world: World): void {
      untouched(world);
    },
  },
  {
    name: 'candidate-swap-in',
    about: 'a write fault finds that the page was written and went to the store meanwhile',
    perProtocol: false,
    cpus: [
      [write(0, 7), evict(0, 0), writeOut(1), dropClean],
      [write(0, 8), read(0)],
    ],
    setup(world: World): void {
      untouched(world);
    },
  },
  {
    name: 'candidate-object',
    about: 'a write fault finds that shared memory was mapped in the page’s place meanwhile',
    perProtocol: false,
    cpus: [[mmapFile], [write(0, 8), read(0)]],
    setup(world: World): void {
      beside(world, OBJECT.SHARED);
    },
  },
  {
    name: 'candidate-file',
    about: 'a write fault finds that a file of the host was mapped in the page’s place meanwhile',
    perProtocol: false,
    cpus: [[mmapFile], [write(0, 8), read(0)]],
    setup(world: World): void {
      beside(world, OBJECT.FILE);
    },
  },
];
