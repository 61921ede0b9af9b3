/** Memory groups: counts that several spaces and CPUs change, limits that they meet together. */
import type { Cpu } from '../../../../kernel/machine/cpu.ts';
import * as GROUP from '../../../../shared/layout/group.ts';
import * as PROCESS from '../../../../shared/layout/process.ts';
import { leaveKernel } from '../../../../kernel/machine/cpu-mode.ts';
import { enterKernel } from '../../../../kernel/mmu/kernel-entry.ts';
import { startProcess } from '../../../../kernel/processes/process.ts';
import { createProcess } from '../../../../kernel/lifecycle/create.ts';
import { processOf } from '../../../../kernel/processes/pid-table.ts';
import { groupOf, groupUsage } from '../../../../kernel/frames/memory-group.ts';
import { load, peek } from '../../../../shared/atomics.ts';
import { enter, leave, mapPages, spaceOf } from '../kit.ts';
import type { Operation, Scenario, World } from '../kit.ts';
import { exit, fault, munmap } from '../operations.ts';

const LIMIT = 2;

/** A process on CPU `id`, in a group of its own or in that of `parent`, with two pages to touch. */
function member(world: World, id: number, parent: number): number {
  const cpu = world.cpus[id] as Cpu;
  enterKernel(cpu);
  const spec = { name: 'g', cpu: id, parent };
  const pid = createProcess(cpu, parent === 0 ? { ...spec, memoryMaxPages: LIMIT } : spec);
  startProcess(cpu, pid);
  leaveKernel(cpu);
  world.procs[id] = processOf(world.machine, pid);
  mapPages(world, id, 0, 2);
  return pid;
}

/** A write fault, refused or not: which of several is refused depends on the order. */
function touch(page: number): Operation {
  return {
    name: `touch page ${page}`,
    run(world: World, cpu: Cpu): number {
      fault(page, true).run(world, cpu);
      return 0;
    },
  };
}

/** Two processes of one group, one on each CPU. */
function pair(world: World): void {
  world.values['second'] = member(world, 1, member(world, 0, 0));
  world.values['first'] = peek(world.machine.words, (world.procs[0] as number) + PROCESS.PID);
}

/** A process in a new group; 1 when it is as it was made. */
const begin: Operation = {
  name: 'begin a memory group',
  run(world: World, cpu: Cpu): number {
    enter(cpu);
    const pid = createProcess(cpu, { name: 'n', parent: 0, memoryMaxPages: LIMIT });
    const proc = processOf(world.machine, pid);
    const group = groupOf(cpu, peek(cpu.words, proc + PROCESS.SPACE));
    const usage = groupUsage(world.machine, group);
    leave(world, cpu);
    const isNew = usage?.residentPages === 0 && usage.spaces === 1;
    return isNew && usage.limitPages === LIMIT && usage.residentPagesPeak === 0 ? 1 : -1;
  },
};

/** A child in the group of `values.first`, or -1 when that has ended. */
const join: Operation = {
  name: 'fork into the group',
  run(world: World, cpu: Cpu): number {
    enter(cpu);
    const parent = world.values['first'] as number;
    const pid = createProcess(cpu, { name: 'c', cpu: cpu.id, parent, fork: true });
    leave(world, cpu);
    return pid > 0 ? 1 : -1;
  },
};

/** What a report says of the group of CPU 0's process: no more than there can be. */
const look: Operation = {
  name: 'look at the group',
  run(world: World, cpu: Cpu): number {
    enter(cpu);
    const usage = groupUsage(world.machine, world.values['group'] as number);
    leave(world, cpu);
    return (usage?.residentPages ?? 0) <= LIMIT + 1 ? 1 : -1;
  },
};

export const groupScenarios: readonly Scenario[] = [
  {
    name: 'group-full',
    about: 'two processes of a memory group touch more pages than it may have',
    cpus: [
      [touch(0), touch(1)],
      [touch(0), touch(1)],
    ],
    setup(world: World): void {
      pair(world);
    },
    observe(world: World): string {
      const cpu = world.cpus[0] as Cpu;
      // ORDER: no CPU runs any more.
      const resident = load(cpu.words, groupOf(cpu, spaceOf(world, 0)) + GROUP.RESIDENT);
      // One page more, for a CPU that checked at the same time.
      return resident <= LIMIT + 1 ? 'within the limit' : `${resident} pages`;
    },
  },
  {
    name: 'group-exit',
    about: 'a process of a memory group ends while another one takes and gives pages',
    cpus: [[exit('first')], [touch(0), munmap(0, 1), touch(1)]],
    setup(world: World): void {
      pair(world);
      touch(0).run(world, world.cpus[0] as Cpu);
    },
  },
  {
    name: 'group-last',
    about: 'both processes of a memory group end at once, and its block is the next one’s',
    perProtocol: false,
    cpus: [[exit('first')], [exit('second'), begin]],
    setup(world: World): void {
      pair(world);
      touch(0).run(world, world.cpus[0] as Cpu);
      touch(1).run(world, world.cpus[1] as Cpu);
    },
  },
  {
    name: 'group-join',
    about: 'a memory group gets a process while another one of it ends',
    perProtocol: false,
    cpus: [[join], [exit('second')]],
    setup(world: World): void {
      pair(world);
      touch(0).run(world, world.cpus[0] as Cpu);
    },
  },
  {
    name: 'group-look',
    about: 'a report looks at a memory group while a process of it touches a page and ends',
    perProtocol: false,
    cpus: [
      [look, look],
      [touch(0), exit('second')],
    ],
    setup(world: World): void {
      pair(world);
      const cpu = world.cpus[0] as Cpu;
      world.values['group'] = groupOf(cpu, spaceOf(world, 0));
    },
  },
];
