/** Pinned pages: their holder uses frames directly, while their process forks or drops them. */
import type { Cpu } from '../../../../kernel/machine/cpu.ts';
import { frameWord } from '../../../../kernel/machine/machine.ts';
import { pinPages, unpinPages } from '../../../../kernel/mmu/pin.ts';
import { load, peek, store } from '../../../../shared/atomics.ts';
import { MADV_DONTNEED } from '../../../../shared/abi/mman.ts';
import * as PIN from '../../../../shared/layout/pin.ts';
import * as PROCESS from '../../../../shared/layout/process.ts';
import { BASE, enter, leave, mapPages, newProcess, newThreads } from '../kit.ts';
import type { Operation, Scenario, World } from '../kit.ts';
import { exit, madvise, munmap } from '../operations.ts';
import { read, stayInUser, touchPages, write } from '../user.ts';
import { fork, forked } from './forks.ts';
import { evict, writeOut } from './swaps.ts';

/** Pins page 0 of the CPU's process. 0, or the errno. */
function pin(writes: boolean): Operation {
  return {
    name: writes ? 'pin page 0' : 'pin page 0 to read',
    run(world: World, cpu: Cpu): number {
      enter(cpu);
      const made = pinPages(cpu, world.procs[cpu.id] as number, BASE, 1, writes);
      leave(world, cpu);
      (world.mine[cpu.id] as number[])[1] = made;
      return made < 0 ? made : 0;
    },
  };
}

/** First word of the frame that this CPU has pinned, or the setup; 0 without a pin. */
function pinnedWord(world: World, cpu: Cpu): number {
  const made = (world.mine[cpu.id] as number[])[1] ?? world.values['pin'] ?? 0;
  return made > 0 ? frameWord(cpu.machine, peek(cpu.words, made + PIN.FRAMES)) : 0;
}

/** What the holder of the pin reads. */
const readPin: Operation = {
  name: 'read through the pin',
  run(world: World, cpu: Cpu): number {
    const at = pinnedWord(world, cpu);
    // ORDER: the holder's access, which no translation guards.
    return at === 0 ? -1 : load(cpu.words, at);
  },
};

/** The holder of the pin stores, as a device would. */
function writePin(value: number): Operation {
  return {
    name: `write ${value} through the pin`,
    run(world: World, cpu: Cpu): number {
      const at = pinnedWord(world, cpu);
      if (at === 0) return -1;
      // ORDER: as above.
      store(cpu.words, at, value);
      return 0;
    },
  };
}

const unpin: Operation = {
  name: 'unpin',
  run(world: World, cpu: Cpu): number {
    const made = (world.mine[cpu.id] as number[])[1] ?? 0;
    if (made <= 0) return -1;
    enter(cpu);
    unpinPages(cpu, world.procs[cpu.id] as number, made);
    leave(world, cpu);
    (world.mine[cpu.id] as number[])[1] = 0;
    return 0;
  },
};

/** One process on all CPUs with pages that were written. */
function threads(world: World, pages: number = 1): void {
  newThreads(world);
  mapPages(world, 0, 0, pages);
  touchPages(world, 0, 0, pages);
  world.values['parent'] = peek(world.machine.words, (world.procs[0] as number) + PROCESS.PID);
}

/** Parent and child on two CPUs, which share a page that reads 5. */
function family(world: World): void {
  world.values['parent'] = newProcess(world, 0);
  mapPages(world, 0, 0, 1);
  write(0, 5).run(world, world.cpus[0] as Cpu);
  touchPages(world, 0, 0, 1, false);
  forked(world);
}

export const pinScenarios: readonly Scenario[] = [
  {
    name: 'pin-cow',
    about: 'a child pins the page that it shares, and lets it go; its parent writes there',
    cpus: [
      [write(0, 6), write(0, 7)],
      [pin(false), munmap(0, 1), readPin, unpin],
    ],
    setup(world: World): void {
      family(world);
    },
  },
  {
    name: 'pin-fork',
    about: 'thread and holder of a pin see each other’s stores while another thread forks',
    cpus: [[fork], [write(0, 7), readPin, writePin(8), read(0)]],
    setup(world: World): void {
      threads(world);
      const cpu = world.cpus[1] as Cpu;
      pin(true).run(world, cpu);
      world.values['pin'] = (world.mine[1] as number[])[1] as number;
      stayInUser(world, 1, 0, 1);
    },
  },
  {
    name: 'pin-fork-order',
    about:
      'a thread writes a pinned page, and then another, while its process forks: in that order',
    cpus: [[fork], [write(0, 7), write(1, 8)]],
    setup(world: World): void {
      threads(world, 2);
      pin(true).run(world, world.cpus[1] as Cpu);
      stayInUser(world, 1, 0, 2);
    },
  },
  {
    name: 'pin-evict',
    about: 'a page is pinned while another CPU takes it out of memory',
    cpus: [
      [evict(0, 0), writeOut(1)],
      [pin(true), writePin(7), read(0), unpin],
    ],
    setup(world: World): void {
      threads(world);
    },
  },
  {
    name: 'pin-dontneed',
    about: 'a pinned page is dropped by another thread: its holder keeps the frame',
    perProtocol: false,
    cpus: [
      [madvise(0, 1, MADV_DONTNEED), write(0, 9)],
      [pin(true), writePin(7), readPin, unpin],
    ],
    setup(world: World): void {
      threads(world);
    },
  },
  {
    name: 'pin-pin',
    about: 'two threads pin one page and let it go while it is unmapped',
    perProtocol: false,
    cpus: [
      [pin(true), munmap(0, 1), unpin],
      [pin(false), unpin],
    ],
    setup(world: World): void {
      threads(world);
    },
  },
  {
    name: 'pin-exit',
    about: 'a child pins a page of its own and ends, while its parent writes the page they shared',
    perProtocol: false,
    cpus: [
      [write(0, 6), read(0)],
      [pin(true), exit('child')],
    ],
    setup(world: World): void {
      family(world);
    },
  },
];
