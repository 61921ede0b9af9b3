/** Shootdowns: translations that must be gone when the call that removed them returns. */
import type { Cpu } from '../../../../kernel/machine/cpu.ts';
import { enterUserMode } from '../../../../kernel/mmu/user-mode.ts';
import type { UserMode } from '../../../../kernel/mmu/user-mode.ts';
import { PROT_READ } from '../../../../shared/abi/mman.ts';
import { contextOn, mapPages, newProcess, newThreads } from '../kit.ts';
import type { Operation, Scenario, World } from '../kit.ts';
import { kill, mprotect, munmap } from '../operations.ts';
import { read, stayInUser, touchPages, write } from '../user.ts';

/** Threads with `pages` touched pages, and the CPUs below `users` in user mode with a full TLB. */
function hot(world: World, pages: number, users: number): void {
  newThreads(world);
  mapPages(world, 0, 0, pages);
  touchPages(world, 0, 0, pages);
  for (let id = 0; id < users; id++) stayInUser(world, id, 0, pages);
}

/** The CPU changes to the process whose block is `values[name]`, as another one's turn begins. */
function switchTo(name: string): Operation {
  return {
    name: `switch to ${name}`,
    run(world: World, cpu: Cpu): number {
      world.procs[cpu.id] = world.values[name] as number;
      enterUserMode(world.modes[cpu.id] as UserMode, contextOn(world, cpu.id));
      return 0;
    },
  };
}

/** A page under another table than page 0, so that faults on both run at once. */
const FAR = 1024;

export const tlbScenarios: readonly Scenario[] = [
  {
    name: 'shootdown-user',
    about: 'a program reads a page through its TLB while the page is unmapped',
    cpus: [[read(0), read(0)], [munmap(0, 1)]],
    setup(world: World): void {
      hot(world, 2, 1);
    },
  },
  {
    name: 'shootdown-return',
    about: 'a CPU returns to user mode while a page is unmapped',
    cpus: [[mprotect(1, 1, PROT_READ), read(0)], [munmap(0, 1)]],
    setup(world: World): void {
      hot(world, 2, 1);
    },
  },
  {
    name: 'shootdown-write-protect',
    about: 'a program writes through its TLB while the page becomes read-only and writable again',
    cpus: [
      [write(0, 7), write(0, 8)],
      [mprotect(0, 1, PROT_READ), mprotect(0, 1, 3)],
    ],
    setup(world: World): void {
      hot(world, 1, 1);
    },
  },
  {
    name: 'shootdown-dirty',
    about: 'a walk sets A and D while the permission changes',
    cpus: [[write(0, 7), write(0, 8)], [mprotect(0, 1, PROT_READ | 4)]],
    setup(world: World): void {
      newThreads(world);
      mapPages(world, 0, 0, 1);
      touchPages(world, 0, 0, 1, false);
    },
  },
  {
    name: 'shootdown-each-other',
    about: 'two CPUs in user mode unmap what the other one uses',
    cpus: [
      [read(0), munmap(1, 1)],
      [read(1), munmap(0, 1)],
    ],
    setup(world: World): void {
      hot(world, 3, 2);
    },
  },
  {
    name: 'shootdown-two-initiators',
    about: 'two CPUs unmap pages that a third one uses',
    cpus: [[read(0), read(1)], [munmap(0, 1)], [munmap(1, 1)]],
    setup(world: World): void {
      hot(world, 3, 1);
    },
  },
  {
    name: 'shootdown-two-faults',
    about: 'two faults at once take the zero page from a third CPU',
    cpus: [[write(0, 7)], [write(FAR, 8)], [read(FAR)]],
    setup(world: World): void {
      const cpu = world.cpus[2] as Cpu;
      newThreads(world);
      mapPages(world, 0, 0, 1);
      mapPages(world, 0, FAR, 1);
      read(0).run(world, cpu);
      read(FAR).run(world, cpu);
    },
  },
  {
    name: 'shootdown-observer',
    about: 'a page is unmapped; one CPU uses its old translation, another finds the page gone',
    cpus: [[read(0), read(0)], [munmap(0, 1)], [read(0)]],
    setup(world: World): void {
      hot(world, 2, 1);
    },
  },
  {
    name: 'shootdown-two-pages',
    about: 'two pages are unmapped that a program reads',
    cpus: [[read(1), read(0)], [munmap(0, 2)]],
    setup(world: World): void {
      newThreads(world);
      mapPages(world, 0, 0, 3);
      stayInUser(world, 0, 0, 2);
    },
  },
  {
    name: 'shootdown-many-pages',
    about: 'more pages are unmapped than a TLB drops one by one',
    cpus: [[read(39), read(40)], [munmap(0, 40)]],
    setup(world: World): void {
      hot(world, 41, 1);
    },
  },
  {
    name: 'shootdown-refault',
    about: 'a page is touched for the first time while it is unmapped: walk, fault, and walk again',
    cpus: [[write(0, 7), read(0)], [munmap(0, 1)]],
    setup(world: World): void {
      newThreads(world);
      mapPages(world, 0, 0, 2);
      touchPages(world, 0, 1, 1);
      stayInUser(world, 0, 1, 1);
    },
  },
  {
    name: 'space-switch',
    about: 'a CPU changes to a space whose generation is behind what it acknowledged for the last',
    cpus: [[switchTo('b'), read(0), read(0)], [munmap(0, 1)]],
    setup(world: World): void {
      newProcess(world, 1);
      mapPages(world, 1, 0, 2);
      touchPages(world, 1, 0, 2);
      world.values['b'] = world.procs[1] as number;
      newProcess(world, 0);
      mapPages(world, 0, 0, 4);
      touchPages(world, 0, 0, 4);
      // The first space is generations ahead.
      munmap(2, 1).run(world, world.cpus[0] as Cpu);
      munmap(3, 1).run(world, world.cpus[0] as Cpu);
      stayInUser(world, 0, 0, 1);
    },
  },
  {
    name: 'kill-user',
    about: 'a program in user mode is killed',
    linearizable: false,
    cpus: [[read(0), write(0, 3), read(1)], [kill('pid')]],
    setup(world: World): void {
      world.values['pid'] = newThreads(world);
      mapPages(world, 0, 0, 2);
      touchPages(world, 0, 0, 2);
      stayInUser(world, 0, 0, 1);
    },
  },
];
