/** What the machine is like before a pair of operations: kinds of memory, and places of it. */
import type { Cpu } from '../../../../kernel/machine/cpu.ts';
import { peek } from '../../../../shared/atomics.ts';
import { MAP_PRIVATE, MAP_SHARED } from '../../../../shared/abi/mman.ts';
import * as OBJECT from '../../../../shared/layout/object.ts';
import * as PROCESS from '../../../../shared/layout/process.ts';
import { ANON, RW, SHARED, mapPages, newThreads } from '../kit.ts';
import type { World } from '../kit.ts';
import { fork } from '../scenarios/forks.ts';
import { mappedFile } from '../scenarios/mapped-file.ts';
import { evict, writeOut } from '../scenarios/swaps.ts';
import { stayInUser, touchPages, write } from '../user.ts';
import type { Place } from './surface.ts';

/** A state, and where in it the operations of CPU 0 and CPU 1 work. */
export interface State {
  readonly name: string;
  readonly about: string;
  readonly hasFile?: boolean;
  readonly places: readonly [Place, Place];
  /** Runs alone, before the operations. */
  setup(world: World): void;
}

/** Pages 0 to 2 of a span; both use page 1. */
const LOW: readonly [Place, Place] = [
  { page: 0, pages: 2, common: 1 },
  { page: 1, pages: 2, common: 1 },
];
/** Both files have two pages. */
const FILE: readonly [Place, Place] = [
  { page: 0, pages: 2, common: 1 },
  { page: 1, pages: 1, common: 1 },
];
/** The last two pages of a span and the first of the next: two tables; both use the second. */
const EDGE: readonly [Place, Place] = [
  { page: 1022, pages: 2, common: 1023 },
  { page: 1023, pages: 2, common: 1023 },
];
/** The upper half of a table. */
const HIGH: readonly [Place, Place] = [
  { page: 600, pages: 2, common: 601 },
  { page: 601, pages: 2, common: 601 },
];
/** A span as a whole, and a page of it. */
const SPAN: readonly [Place, Place] = [
  { page: 0, pages: 1024, common: 1 },
  { page: 1, pages: 1, common: 1 },
];

function threads(world: World, page: number, pages: number, flags: number): void {
  world.values['parent'] = newThreads(world);
  mapPages(world, 0, page, pages, RW, flags);
}

/** The last page stays untouched; CPU 1 has the others in its TLB. */
function touched(world: World, page: number, flags: number = ANON): void {
  threads(world, page, 3, flags);
  touchPages(world, 0, page, 2);
  stayInUser(world, 1, page, 2);
}

function file(world: World, type: number): void {
  mappedFile(world, type);
  const cpu = world.cpus[0] as Cpu;
  const pid = peek(world.machine.words, (world.procs[0] as number) + PROCESS.PID);
  world.values['parent'] = pid;
  write(1, 3).run(world, cpu);
  touchPages(world, 0, 0, 1, false);
}

/** The states; a pair is explored in each of them. */
export const STATES: readonly State[] = [
  {
    name: 'anon',
    about: 'private memory, two of three pages touched',
    places: LOW,
    setup(world: World): void {
      touched(world, 0);
    },
  },
  {
    name: 'untouched',
    about: 'private memory that nobody has touched',
    places: LOW,
    setup(world: World): void {
      threads(world, 0, 3, ANON);
    },
  },
  {
    name: 'zero',
    about: 'private memory of which pages were read: the zero page',
    places: LOW,
    setup(world: World): void {
      threads(world, 0, 3, ANON);
      touchPages(world, 0, 0, 2, false);
    },
  },
  {
    name: 'edge',
    about: 'private memory across a 4 MiB boundary',
    places: EDGE,
    setup(world: World): void {
      touched(world, EDGE[0].page);
    },
  },
  {
    name: 'high',
    about: 'private memory in the upper half of a table',
    places: HIGH,
    setup(world: World): void {
      touched(world, HIGH[0].page);
    },
  },
  {
    name: 'span',
    about: 'a whole span of private memory, and one touched page of it',
    places: SPAN,
    setup(world: World): void {
      threads(world, 0, 1024, ANON);
      touchPages(world, 0, 1, 1);
      stayInUser(world, 1, 1, 1);
    },
  },
  {
    name: 'untouched-span',
    about: 'a whole span of private memory that nobody has touched',
    places: SPAN,
    setup(world: World): void {
      threads(world, 0, 1024, ANON);
    },
  },
  {
    name: 'giant',
    about: '4 GiB of private memory that nobody has touched: one entry of the root',
    places: SPAN,
    setup(world: World): void {
      threads(world, 0, 2 ** 20, ANON);
    },
  },
  {
    name: 'shared',
    about: 'shared anonymous memory, two of three pages touched',
    places: LOW,
    setup(world: World): void {
      touched(world, 0, SHARED);
    },
  },
  {
    name: 'forked',
    about: 'private memory that a child shares until it is written',
    places: LOW,
    setup(world: World): void {
      threads(world, 0, 3, ANON);
      touchPages(world, 0, 0, 2);
      fork.run(world, world.cpus[0] as Cpu);
    },
  },
  {
    name: 'swapped',
    about: 'private memory with page 1 in the swap store',
    places: LOW,
    setup(world: World): void {
      threads(world, 0, 3, ANON);
      const cpu = world.cpus[0] as Cpu;
      write(1, 5).run(world, cpu);
      touchPages(world, 0, 0, 1);
      evict(0, 1).run(world, cpu);
      writeOut(1).run(world, cpu);
    },
  },
  {
    name: 'file',
    about: 'a shared mapping of a file, page 1 written',
    hasFile: true,
    places: FILE,
    setup(world: World): void {
      file(world, MAP_SHARED);
    },
  },
  {
    name: 'private-file',
    about: 'a private mapping of a file, page 1 copied',
    hasFile: true,
    places: FILE,
    setup(world: World): void {
      file(world, MAP_PRIVATE);
    },
  },
  {
    name: 'host-file',
    about: 'a shared mapping of a file of the host, no page in memory',
    hasFile: true,
    places: FILE,
    setup(world: World): void {
      mappedFile(world, MAP_SHARED, OBJECT.FILE);
      const pid = peek(world.machine.words, (world.procs[0] as number) + PROCESS.PID);
      world.values['parent'] = pid;
    },
  },
];
