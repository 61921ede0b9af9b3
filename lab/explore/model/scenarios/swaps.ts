/**
 * Swap: pages that leave memory while they are used, and come back. CPU 0 does the kernel worker's
 * part; the store is a frame, one word a slot.
 */
import type { Cpu } from '../../../../kernel/machine/cpu.ts';
import { putFrame } from '../../../../kernel/frames/frames.ts';
import { frameWord } from '../../../../kernel/machine/machine.ts';
import { findCandidates } from '../../../../kernel/reclaim/candidates.ts';
import type { Candidate } from '../../../../kernel/reclaim/candidates.ts';
import { agePages, evictPages } from '../../../../kernel/reclaim/evict.ts';
import {
  beginSwapWrite,
  dropCleanFrames,
  endSwapWrite,
} from '../../../../kernel/objects/swap-map.ts';
import { load, peek, store } from '../../../../shared/atomics.ts';
import { MADV_FREE } from '../../../../shared/abi/mman.ts';
import * as PROCESS from '../../../../shared/layout/process.ts';
import { BASE_VPN, enter, leave, mapPages, newProcess, newThreads, spaceOf } from '../kit.ts';
import type { Operation, Scenario, World } from '../kit.ts';
import { exit, madvise, mmap, munmap, reap } from '../operations.ts';
import { swapIn, swapStoreWord } from '../swap-store.ts';
import { read, stayInUser, touchPages, write } from '../user.ts';
import { fork, forked } from './forks.ts';

/** Evicts a page of the process of CPU `id`, which no program can observe. */
export function evict(id: number, page: number): Operation {
  return {
    name: `evict page ${page}`,
    run(world: World, cpu: Cpu): number {
      enter(cpu);
      evictPages(cpu, spaceOf(world, id), [BASE_VPN + page]);
      leave(world, cpu);
      return 0;
    },
  };
}

/** Writes slot `slot` to the store, if it must be. */
export function writeOut(slot: number): Operation {
  return {
    name: `write slot ${slot}`,
    run(world: World, cpu: Cpu): number {
      enter(cpu);
      const pfn = beginSwapWrite(cpu, slot);
      if (pfn !== 0) {
        // ORDER: the kernel worker's copy of the page.
        store(cpu.words, swapStoreWord(slot), load(cpu.words, frameWord(cpu.machine, pfn)));
        putFrame(cpu, pfn);
        endSwapWrite(cpu, slot, true);
      }
      leave(world, cpu);
      return 0;
    },
  };
}

/** Reads slot `slot` from the store, for a fault that found no frame a while ago. */
function readIn(slot: number): Operation {
  return {
    name: `read slot ${slot}`,
    run(world: World, cpu: Cpu): number {
      enter(cpu);
      swapIn(cpu, slot);
      leave(world, cpu);
      return 0;
    },
  };
}

/** Frees unused frames whose pages are in the store as well. */
export const dropClean: Operation = {
  name: 'drop clean frames',
  run(world: World, cpu: Cpu): number {
    enter(cpu);
    dropCleanFrames(cpu, 1, 1);
    leave(world, cpu);
    return 0;
  },
};

/** A reclaim pass over the process of CPU `id`: it scans, then evicts the pages it found. */
export function reclaim(id: number): Operation {
  return {
    name: 'reclaim',
    run(world: World, cpu: Cpu): number {
      enter(cpu);
      const space = spaceOf(world, id);
      const found: Candidate[] = [];
      findCandidates(cpu, space, BASE_VPN, 1, found);
      const first = found[0];
      if (first !== undefined) evictPages(cpu, space, [first.vpn]);
      leave(world, cpu);
      return 0;
    },
  };
}

/** Clears a page's accessed bit. */
export function age(page: number): Operation {
  return {
    name: `age page ${page}`,
    run(world: World, cpu: Cpu): number {
      enter(cpu);
      agePages(cpu, spaceOf(world, 1), [BASE_VPN + page]);
      leave(world, cpu);
      return 0;
    },
  };
}

/** One process on all CPUs with `pages` pages whose first words are 100 + their number. */
function threads(world: World, pages: number): void {
  newThreads(world);
  mapPages(world, 0, 0, pages);
  fill(world, pages);
}

function fill(world: World, pages: number): void {
  const cpu = world.cpus[0] as Cpu;
  for (let page = 0; page < pages; page++) write(page, 100 + page).run(world, cpu);
  touchPages(world, 0, 0, pages, false);
}

/** The same, with page 0 in the store alone. */
function swapped(world: World): void {
  threads(world, 1);
  const cpu = world.cpus[0] as Cpu;
  evict(0, 0).run(world, cpu);
  writeOut(1).run(world, cpu);
}

/** Parent and child on two CPUs, with one page in the store that both have. */
function family(world: World): void {
  world.values['parent'] = newProcess(world, 0);
  mapPages(world, 0, 0, 1);
  fill(world, 1);
  const cpu = world.cpus[0] as Cpu;
  evict(0, 0).run(world, cpu);
  writeOut(1).run(world, cpu);
  forked(world);
}

export const swapScenarios: readonly Scenario[] = [
  {
    name: 'evict-write',
    about: 'a page is swapped out while a thread writes it through its old translation',
    cpus: [
      [evict(0, 0), writeOut(1)],
      [write(0, 7), read(0)],
    ],
    setup(world: World): void {
      threads(world, 1);
      stayInUser(world, 1, 0, 1);
    },
  },
  {
    name: 'evict-freed',
    about: 'a page is dropped after MADV_FREE while a thread writes it again',
    cpus: [[evict(0, 0)], [write(0, 7), read(0)]],
    setup(world: World): void {
      threads(world, 1);
      madvise(0, 1, MADV_FREE).run(world, world.cpus[0] as Cpu);
    },
  },
  {
    name: 'evict-fault',
    about: 'a page is written to the store while a thread takes it back',
    cpus: [[writeOut(1)], [write(0, 7), read(0)]],
    setup(world: World): void {
      threads(world, 1);
      evict(0, 0).run(world, world.cpus[0] as Cpu);
    },
  },
  {
    name: 'evict-munmap',
    about: 'a page is swapped out while it is unmapped',
    cpus: [[evict(0, 0), writeOut(1)], [munmap(0, 1)]],
    setup(world: World): void {
      threads(world, 1);
    },
  },
  {
    name: 'swap-in-twice',
    about: 'two threads fault on a page in the store',
    cpus: [[read(0)], [write(0, 7), read(0)]],
    setup(world: World): void {
      swapped(world);
    },
  },
  {
    name: 'swap-read-write',
    about: 'a slot is read for a page that has gone while its new page is written to it',
    cpus: [[readIn(1), read(0)], [writeOut(1)]],
    setup(world: World): void {
      swapped(world);
      const cpu = world.cpus[0] as Cpu;
      write(0, 7).run(world, cpu);
      evict(0, 0).run(world, cpu);
    },
  },
  {
    name: 'swap-slot-reused',
    about: 'a page comes back and goes again to the only slot while its first answer is under way',
    cpus: [
      [read(0), read(0)],
      [write(0, 7), evict(1, 0), writeOut(1)],
    ],
    setup(world: World): void {
      swapped(world);
    },
  },
  {
    name: 'swap-fork-exit',
    about: 'the child ends while its parent takes the page back that both have in swap',
    cpus: [[read(0), write(0, 7)], [exit('child')]],
    setup(world: World): void {
      family(world);
    },
  },
  {
    name: 'swap-parent-child',
    about: 'parent and child take one slot back and write',
    cpus: [
      [write(0, 5), read(0)],
      [write(0, 6), read(0)],
    ],
    setup(world: World): void {
      family(world);
    },
  },
  {
    name: 'evict-fork',
    about: 'a page is swapped out while another thread forks: both sides read it',
    cpus: [
      [evict(0, 0), writeOut(1)],
      [fork, write(0, 7), read(0)],
    ],
    setup(world: World): void {
      threads(world, 1);
      world.values['parent'] = peek(world.machine.words, (world.procs[0] as number) + PROCESS.PID);
    },
  },
  {
    name: 'evict-cow',
    about: "the parent's page is swapped out while its child writes the frame that they share",
    cpus: [
      [evict(0, 0), writeOut(1), read(0)],
      [write(0, 6), read(0)],
    ],
    setup(world: World): void {
      world.values['parent'] = newProcess(world, 0);
      mapPages(world, 0, 0, 1);
      fill(world, 1);
      forked(world);
    },
  },
  {
    name: 'reclaim-munmap',
    about: 'reclaim walks the tables without a lock while the last page of one is unmapped',
    perProtocol: false,
    cpus: [[reclaim(0)], [munmap(0, 1), reap]],
    setup(world: World): void {
      threads(world, 1);
    },
  },
  {
    name: 'reclaim-mmap',
    about: 'reclaim walks the tables without a lock while an area is mapped over another',
    perProtocol: false,
    cpus: [[reclaim(0)], [mmap(0, 1)]],
    setup(world: World): void {
      threads(world, 1);
    },
  },
  {
    name: 'swap-drop-clean',
    about: 'frames that the store has too are given back while a page comes in and is written',
    cpus: [
      [dropClean, dropClean],
      [read(0), write(0, 7), read(0)],
    ],
    setup(world: World): void {
      swapped(world);
    },
  },
  {
    name: 'age-access',
    about: "a page's accessed bit is cleared while a thread uses it, and then the page goes",
    cpus: [
      [age(0), munmap(0, 1)],
      [read(0), write(0, 7)],
    ],
    setup(world: World): void {
      // Two pages, so that the table stays and no flush comes from its end.
      threads(world, 2);
      stayInUser(world, 1, 0, 1);
    },
  },
];
