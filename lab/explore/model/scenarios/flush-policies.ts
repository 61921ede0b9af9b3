/**
 * The flush policies that are not the default: scenarios of what only `lazy` does, and the others
 * once more under `sync` and `lazy` where a flush matters.
 */
import { PROT_READ } from '../../../../shared/abi/mman.ts';
import { mapPages, newThreads } from '../kit.ts';
import type { Scenario, World } from '../kit.ts';
import { mmap, mprotect, munmap } from '../operations.ts';
import { read, readPolled, stayInUser, touchPages, write } from '../user.ts';
import { scarce } from './machine.ts';

/** Threads with `pages` touched pages, CPU 0 in user mode with all of them in its TLB. */
function hot(world: World, pages: number): void {
  newThreads(world);
  mapPages(world, 0, 0, pages);
  touchPages(world, 0, 0, pages);
  stayInUser(world, 0, 0, pages);
}

export const lazyScenarios: readonly Scenario[] = [
  {
    name: 'lazy-frame-reuse',
    about: 'a frame that a program still reads is unmapped, and another page wants one',
    flushPolicy: 'lazy',
    cpus: [
      [read(0), readPolled(0)],
      [munmap(0, 1), munmap(1, 1), mmap(8, 1), write(8, 5)],
    ],
    setup(world: World): void {
      hot(world, 3);
    },
  },
  {
    name: 'lazy-release',
    about: 'the last frame was unmapped lazily; the next operation gives it back',
    flushPolicy: 'lazy',
    cpus: [[munmap(0, 1), munmap(1024, 1), write(1, 5)]],
    setup(world: World): void {
      newThreads(world);
      scarce(world, 0);
    },
  },
  {
    name: 'lazy-address-reuse',
    about: 'an address is mapped again while a program may still use what was there',
    flushPolicy: 'lazy',
    cpus: [
      [write(0, 7), read(0)],
      [munmap(0, 1), mmap(0, 1), read(0)],
    ],
    setup(world: World): void {
      hot(world, 2);
    },
  },
  {
    name: 'lazy-sweep',
    about: 'a program sweeps while pages are unmapped one after the other',
    flushPolicy: 'lazy',
    cpus: [
      [readPolled(0), read(1), readPolled(2)],
      [munmap(0, 1), munmap(1, 1), munmap(2, 1)],
    ],
    setup(world: World): void {
      hot(world, 4);
    },
  },
  {
    name: 'lazy-restrict',
    about: 'a neighbour is unmapped lazily, but a permission goes at once',
    flushPolicy: 'lazy',
    cpus: [
      [write(1, 7), write(1, 8)],
      [munmap(0, 1), mprotect(1, 1, PROT_READ)],
    ],
    setup(world: World): void {
      hot(world, 3);
    },
  },
];

/** Scenarios in which a policy can go wrong: a TLB is full, or fills, while entries go. */
const SYNC: readonly string[] = [
  'mprotect-munmap',
  'fault-munmap',
  'fault-mprotect',
  'clear-accessed',
  'cow-read-write',
  'mmap-fixed-replace',
  'table-freed-under-mmu',
  'shootdown-user',
  'shootdown-return',
  'shootdown-write-protect',
  'shootdown-each-other',
  'shootdown-two-initiators',
  'shootdown-two-pages',
];
const LAZY: readonly string[] = [
  ...SYNC,
  'munmap-munmap',
  'shootdown-observer',
  'space-switch',
  'kill-user',
  'condemn-entry',
];

export function underOtherPolicies(scenarios: readonly Scenario[]): readonly Scenario[] {
  const variants: Scenario[] = [];
  for (const scenario of scenarios) {
    // What `sync` does differently is in one function that no protocol sees.
    if (SYNC.includes(scenario.name)) variants.push(under(scenario, 'sync', false));
    if (LAZY.includes(scenario.name)) variants.push(under(scenario, 'lazy', true));
  }
  return variants;
}

function under(scenario: Scenario, flushPolicy: 'sync' | 'lazy', perProtocol: boolean): Scenario {
  const name = `${scenario.name}-${flushPolicy}`;
  return { ...scenario, name, flushPolicy, perProtocol };
}
