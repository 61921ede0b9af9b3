/** Processes whose start one CPU carries out while another asks about it, or takes it back. */
import { createProcess } from '../../../../kernel/lifecycle/create.ts';
import type { Cpu } from '../../../../kernel/machine/cpu.ts';
import {
  beginProgram,
  hasBegun,
  processCpu,
  recallProcess,
  rehomeProcess,
  startProcess,
} from '../../../../kernel/processes/process.ts';
import { enter, leave } from '../kit.ts';
import type { Operation, Scenario, World } from '../kit.ts';

/** What is known of `values.new`: whether it has begun, where it runs. */
const ask: Operation = {
  name: 'ask about a start',
  run(world: World, cpu: Cpu): number {
    enter(cpu);
    const pid = world.values['new'] as number;
    const begun = hasBegun(world.machine, pid) ? 1 : 0;
    const where = processCpu(world.machine, pid);
    leave(world, cpu);
    // One that has begun is somewhere.
    return begun === 1 && where === 0 ? -1 : 0;
  },
};

const startAndBegin: Operation = {
  name: 'start a process, begin its program',
  run(world: World, cpu: Cpu): number {
    enter(cpu);
    const pid = world.values['new'] as number;
    const result = startProcess(cpu, pid);
    if (result === 0) beginProgram(cpu, pid);
    leave(world, cpu);
    return result;
  },
};

const start: Operation = {
  name: 'start a process',
  run(world: World, cpu: Cpu): number {
    enter(cpu);
    const result = startProcess(cpu, world.values['new'] as number);
    leave(world, cpu);
    return result;
  },
};

/** Takes `values.new` back, and says which CPU it is to wait for. */
const recall: Operation = {
  name: 'recall a process',
  run(world: World, cpu: Cpu): number {
    enter(cpu);
    const pid = world.values['new'] as number;
    const isBack = recallProcess(cpu, pid);
    if (isBack) rehomeProcess(cpu, pid, 1);
    leave(world, cpu);
    return isBack ? 1 : 0;
  },
};

function created(world: World): void {
  const cpu = world.cpus[0] as Cpu;
  enter(cpu);
  world.values['new'] = createProcess(cpu, { name: 'n', parent: 0 });
  leave(world, cpu);
}

export const startScenarios: readonly Scenario[] = [
  {
    name: 'start-ask',
    about: 'the kernel worker asks about a process that a CPU starts',
    perProtocol: false,
    cpus: [[ask, ask], [startAndBegin]],
    setup(world: World): void {
      created(world);
    },
  },
  {
    name: 'start-recall',
    about: 'a process is taken back from a dead CPU while another one is told to start it',
    perProtocol: false,
    cpus: [[recall], [start, start]],
    setup(world: World): void {
      created(world);
      // By the CPU that is dead now.
      start.run(world, world.cpus[0] as Cpu);
    },
  },
];
