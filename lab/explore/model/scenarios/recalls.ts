/** A process that a CPU has started, whose Worker is ended: its program runs once, somewhere. */
import { condemnCpu } from '../../../../kernel/machine/cpu-mode.ts';
import type { Cpu } from '../../../../kernel/machine/cpu.ts';
import { createProcess } from '../../../../kernel/lifecycle/create.ts';
import { reapCpu } from '../../../../kernel/lifecycle/reap-cpu.ts';
import { beginProgram, recallProcess, startProcess } from '../../../../kernel/processes/process.ts';
import { processOf } from '../../../../kernel/processes/pid-table.ts';
import { peek, poke } from '../../../../shared/atomics.ts';
import * as PROCESS from '../../../../shared/layout/process.ts';
import { endCpu } from '../../runtime/facade.ts';
import { enter, leave, newProcess } from '../kit.ts';
import type { Operation, Scenario, World } from '../kit.ts';

/** What a CPU does with a process of its run queue: claims it, loads its module, runs its code. */
function runProcess(world: World, cpu: Cpu): void {
  const pid = world.values['new'] as number;
  if (startProcess(cpu, pid) !== 0) return;
  // Loading takes turns of the event loop, between which the CPU is idle.
  leave(world, cpu);
  enter(cpu);
  beginProgram(cpu, pid);
  // Counted in a word that a running process has no use for.
  const at = processOf(cpu.machine, pid) + PROCESS.EXIT_CODE;
  poke(cpu.words, at, peek(cpu.words, at) + 1);
  if (peek(cpu.words, at) > 1) throw new Error('the program of one process has begun twice');
}

const run: Operation = {
  name: 'run the new process',
  run(world: World, cpu: Cpu): number {
    enter(cpu);
    runProcess(world, cpu);
    leave(world, cpu);
    return 0;
  },
};

/** Ends CPU 1's Worker as the kernel worker does, and runs what it gets back. */
const recall: Operation = {
  name: 'recall from CPU 1',
  run(world: World, cpu: Cpu): number {
    enter(cpu);
    if (condemnCpu(cpu, 1)) {
      endCpu(1);
      const isBack = recallProcess(cpu, world.values['new'] as number);
      reapCpu(cpu, 1);
      if (isBack) runProcess(world, cpu);
    }
    leave(world, cpu);
    return 0;
  },
};

export const recallScenarios: readonly Scenario[] = [
  {
    name: 'recall-begin',
    about: 'a process is taken back from a CPU that is about to begin its program',
    perProtocol: false,
    linearizable: false,
    cpus: [[recall], [run]],
    setup(world: World): void {
      newProcess(world, 0);
      const cpu = world.cpus[0] as Cpu;
      enter(cpu);
      world.values['new'] = createProcess(cpu, { name: 'n', home: 1, parent: 0 });
      leave(world, cpu);
    },
  },
];
