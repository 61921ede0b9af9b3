/** Memory groups: counts that several spaces and CPUs change, and limits that they meet together. */
import type { Cpu } from '../../../../kernel/cpu/cpu.ts';
import { enterKernel, leaveKernel } from '../../../../kernel/cpu/cpu-mode.ts';
import { createProcess, processOf, startProcess } from '../../../../kernel/processes/process.ts';
import { groupOf } from '../../../../kernel/reclaim/memory-group.ts';
import { load } from '../../../../shared/atomics.ts';
import { G_RESIDENT, P_PID } from '../../../../shared/layout.ts';
import { peek } from '../../../../shared/atomics.ts';
import { mapPages, spaceOf } from '../kit.ts';
import type { Scenario, World } from '../kit.ts';
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

/** Two processes of one group, one on each CPU. */
function pair(world: World): void {
  member(world, 1, member(world, 0, 0));
  world.values['victim'] = peek(world.machine.words, (world.procs[1] as number) + P_PID);
}

/** Not more than the limit, and a page for each CPU that looked at the same time. */
function observe(world: World): string {
  const cpu = world.cpus[0] as Cpu;
  // ORDER: nobody runs any more.
  const resident = load(cpu.words, groupOf(cpu, spaceOf(world, 0)) + G_RESIDENT);
  return resident <= LIMIT + 1 ? 'within the limit' : `${resident} pages`;
}

export const groupScenarios: readonly Scenario[] = [
  {
    name: 'group-full',
    about: 'two processes of a memory group touch more pages than it may have',
    cpus: [
      [fault(0, true), fault(1, true)],
      [fault(0, true), fault(1, true)],
    ],
    // Which of the faults are refused is a matter of luck.
    linearizable: false,
    setup: pair,
    observe,
  },
  {
    name: 'group-exit',
    about: 'a process of a memory group ends while another one takes and gives pages',
    cpus: [[exit('victim')], [fault(0, true), munmap(0, 1), fault(1, true)]],
    linearizable: false,
    setup(world: World): void {
      member(world, 0, 0);
      member(world, 1, peek(world.machine.words, (world.procs[0] as number) + P_PID));
      world.values['victim'] = peek(world.machine.words, (world.procs[0] as number) + P_PID);
      fault(0, true).run(world, world.cpus[0] as Cpu);
    },
  },
];
