/** Memory groups: counts that several spaces and CPUs change, limits that they meet together. */
import type { Cpu } from '../../../../kernel/machine/cpu.ts';
import * as GROUP from '../../../../shared/layout/group.ts';
import * as PROCESS from '../../../../shared/layout/process.ts';
import { leaveKernel } from '../../../../kernel/machine/cpu-mode.ts';
import { enterKernel } from '../../../../kernel/mmu/kernel-entry.ts';
import { startProcess } from '../../../../kernel/processes/process.ts';
import { createProcess } from '../../../../kernel/lifecycle/create.ts';
import { processOf } from '../../../../kernel/processes/pid-table.ts';
import { groupOf } from '../../../../kernel/frames/memory-group.ts';
import { load, peek } from '../../../../shared/atomics.ts';
import { mapPages, spaceOf } from '../kit.ts';
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
    name: `touch ${page}`,
    run(world: World, cpu: Cpu): number {
      fault(page, true).run(world, cpu);
      return 0;
    },
  };
}

/** Two processes of one group, one on each CPU. */
function pair(world: World): void {
  member(world, 1, member(world, 0, 0));
  world.values['first'] = peek(world.machine.words, (world.procs[0] as number) + PROCESS.PID);
}

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
];
