/** fork and what it shares: pages copied when they are written, references, the last owner. */
import type { Cpu } from '../../../../kernel/machine/cpu.ts';
import { leaveKernel } from '../../../../kernel/machine/cpu-mode.ts';
import { enterKernel } from '../../../../kernel/mmu/kernel-entry.ts';
import { peekEntry } from '../../../../kernel/paging/table.ts';
import { startProcess } from '../../../../kernel/processes/process.ts';
import { allPids, processOf } from '../../../../kernel/processes/pid-table.ts';
import { createProcess } from '../../../../kernel/lifecycle/create.ts';
import { peek } from '../../../../shared/atomics.ts';
import * as PROCESS from '../../../../shared/layout/process.ts';
import { PROT_READ } from '../../../../shared/abi/mman.ts';
import * as pte from '../../../../shared/pte.ts';
import { BASE_VPN, RW, enter, leave, mapPages, newProcess, newThreads } from '../kit.ts';
import type { Operation, Scenario, World } from '../kit.ts';
import { exit, mprotect, munmap, reap } from '../operations.ts';
import { read, stayInUser, touchPages, write } from '../user.ts';

/** Makes a child of process `values.parent`. 0, or the errno. */
export const fork: Operation = {
  name: 'fork',
  run(world: World, cpu: Cpu): number {
    enter(cpu);
    const parent = world.values['parent'] as number;
    const pid = createProcess(cpu, { name: 'c', cpu: cpu.id, parent, fork: true });
    leave(world, cpu);
    return pid < 0 ? pid : 0;
  },
};

/** A child of the process on CPU 0, run by CPU 1. For setups. */
export function forked(world: World): void {
  const cpu = world.cpus[0] as Cpu;
  enterKernel(cpu);
  const parent = world.values['parent'] as number;
  const pid = createProcess(cpu, { name: 'c', cpu: 1, parent, fork: true });
  startProcess(cpu, pid);
  leaveKernel(cpu);
  world.procs[1] = processOf(world.machine, pid);
  world.values['child'] = pid;
}

/** One process on all CPUs with `pages` touched pages. */
function threads(world: World, pages: number): void {
  world.values['parent'] = newThreads(world);
  mapPages(world, 0, 0, pages);
  touchPages(world, 0, 0, pages);
}

/** Parent and child on two CPUs, which share one page. */
function family(world: World): void {
  world.values['parent'] = newProcess(world, 0);
  mapPages(world, 0, 0, 1);
  touchPages(world, 0, 0, 1);
  forked(world);
}

/** One process on all CPUs whose page is still marked as shared, although its child has ended. */
function soleHolder(world: World): void {
  const cpu = world.cpus[0] as Cpu;
  threads(world, 1);
  const thread = world.procs[1] as number;
  forked(world);
  exit('child').run(world, cpu);
  reap.run(world, cpu);
  world.procs[1] = thread;
}

/** What the children's page is: absent, not touched, or its permission. */
function children(world: World, page = 0): string {
  const { machine } = world;
  const cpu = world.cpus[0] as Cpu;
  let seen = '';
  const pids = allPids(machine);
  for (let i = 0; i < pids.length; i++) {
    const proc = processOf(machine, pids[i] as number);
    if (peek(machine.words, proc + PROCESS.PARENT) === 0) continue;
    const entry = peekEntry(cpu, peek(machine.words, proc + PROCESS.SPACE), BASE_VPN + page);
    const touched = pte.isPresent(entry) ? '' : ' untouched';
    seen += entry === 0 ? 'none ' : `${pte.logicalRwx(entry)}${touched} `;
  }
  return seen;
}

export const forkScenarios: readonly Scenario[] = [
  {
    name: 'cow-thread-child',
    about: 'a thread copies a page that another reads, while the child gives up the old frame',
    cpus: [[write(0, 7)], [munmap(0, 1)], [read(0), read(0)]],
    setup(world: World): void {
      threads(world, 1);
      forked(world);
      read(0).run(world, world.cpus[2] as Cpu);
    },
  },
  {
    name: 'cow-write-write',
    about: 'two threads write a page that their child has too',
    cpus: [[write(0, 7)], [], [write(0, 8), read(0)]],
    setup(world: World): void {
      threads(world, 1);
      forked(world);
    },
  },
  {
    name: 'fork-write',
    about: 'a thread writes a page through its old translation while another forks',
    cpus: [[fork], [write(0, 7), write(0, 8), read(0)]],
    setup(world: World): void {
      threads(world, 1);
      stayInUser(world, 1, 0, 1);
    },
  },
  {
    name: 'fork-fault',
    about: 'a thread touches a page for the first time while another forks',
    cpus: [[fork], [write(0, 7), read(0)]],
    setup(world: World): void {
      world.values['parent'] = newThreads(world);
      mapPages(world, 0, 0, 1);
    },
  },
  {
    name: 'fork-first-writes',
    // A write gives its area an identity before it enters the page: fork may come between the two.
    viewed: false,
    about: 'a thread writes two areas for the first time while another forks: in that order',
    cpus: [[fork], [write(0, 7), write(2, 8)]],
    setup(world: World): void {
      world.values['parent'] = newThreads(world);
      mapPages(world, 0, 0, 1);
      mapPages(world, 0, 2, 1);
    },
    observe(world: World): string {
      return children(world, 0) + children(world, 2);
    },
  },
  {
    name: 'fork-mprotect',
    about: 'a thread changes permissions while another forks',
    cpus: [[fork], [mprotect(0, 1, PROT_READ), mprotect(0, 1, RW), write(0, 7)]],
    setup(world: World): void {
      threads(world, 1);
    },
    observe(world: World): string {
      return children(world);
    },
  },
  {
    name: 'fork-munmap',
    about: 'a thread unmaps what another one forks',
    cpus: [[fork], [munmap(0, 1)]],
    setup(world: World): void {
      threads(world, 1);
    },
    observe(world: World): string {
      return children(world);
    },
  },
  {
    name: 'cow-parent-child',
    about: 'parent and child write the page that they share: who is last writes in place',
    cpus: [
      [read(0), write(0, 5), read(0)],
      [write(0, 6), read(0)],
    ],
    setup(world: World): void {
      family(world);
    },
  },
  {
    name: 'cow-child-exit',
    about: 'the child ends while its parent writes the page that they share',
    cpus: [[write(0, 5), read(0)], [exit('child')]],
    setup(world: World): void {
      family(world);
    },
  },
  {
    name: 'cow-mprotect',
    about: 'the parent makes the shared page writable while its child writes it',
    cpus: [
      [mprotect(0, 1, RW), write(0, 5), read(0)],
      [write(0, 6), read(0)],
    ],
    setup(world: World): void {
      world.values['parent'] = newProcess(world, 0);
      mapPages(world, 0, 0, 1);
      touchPages(world, 0, 0, 1);
      protect(world);
      forked(world);
    },
  },
  {
    name: 'cow-munmap-both',
    about: 'parent and child unmap the page that they share: the last one frees its frame',
    cpus: [[munmap(0, 1)], [munmap(0, 1)]],
    setup(world: World): void {
      family(world);
    },
  },
  {
    name: 'reuse-write-write',
    about: 'two threads write a page whose other holder has ended: both take it over in place',
    cpus: [
      [write(0, 5), read(0)],
      [write(0, 6), read(0)],
    ],
    setup(world: World): void {
      soleHolder(world);
    },
  },
  {
    name: 'reuse-fork',
    about: 'a thread takes a page over in place while another forks',
    cpus: [[fork], [write(0, 7), write(0, 8), read(0)]],
    setup(world: World): void {
      soleHolder(world);
    },
  },
];

/** Makes the page of CPU 0's process read-only. For setups. */
function protect(world: World): void {
  const cpu = world.cpus[0] as Cpu;
  mprotect(0, 1, PROT_READ).run(world, cpu);
}
