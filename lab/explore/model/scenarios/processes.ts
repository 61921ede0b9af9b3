/** A process that ends, and whose block is another's at once, while another CPU reaches for it. */
import { createProcess } from '../../../../kernel/lifecycle/create.ts';
import { exitProcess, releaseProcess } from '../../../../kernel/lifecycle/exit.ts';
import type { Cpu } from '../../../../kernel/machine/cpu.ts';
import { processOf } from '../../../../kernel/processes/pid-table.ts';
import { startProcess, withholdProcess } from '../../../../kernel/processes/process.ts';
import { limitAt } from '../../../../kernel/space/rlimits.ts';
import { sysGetpriority, sysSetpriority } from '../../../../kernel/syscalls/priority.ts';
import { sysPrlimit } from '../../../../kernel/syscalls/rlimit.ts';
import { peek } from '../../../../shared/atomics.ts';
import { PRIO_PROCESS, RLIMIT_STACK } from '../../../../shared/abi/mman.ts';
import * as PROCESS from '../../../../shared/layout/process.ts';
import { STACK_LIMIT } from '../../../../shared/limits.ts';
import { BASE, enter, leave, mapPages, newThreads } from '../kit.ts';
import type { Operation, Scenario, World } from '../kit.ts';
import { touchPages } from '../user.ts';

const NICE = 7;

/** Creates a process that no CPU has started. Its pid. */
function create(cpu: Cpu): number {
  return createProcess(cpu, { name: 'n', parent: 0 });
}

/** Kills `values.old` before it has been started, and starts a new process. 0: it was too late. */
const killAndRestart: Operation = {
  name: 'kill a process that has not started, start another',
  run(world: World, cpu: Cpu): number {
    enter(cpu);
    const old = world.values['old'] as number;
    let result = 0;
    if (withholdProcess(cpu, old)) {
      exitProcess(cpu, old, 0, 0, 0);
      releaseProcess(cpu, old);
      result = startProcess(cpu, create(cpu)) === 0 ? 1 : -1;
    }
    leave(world, cpu);
    return result;
  },
};

const startOld: Operation = {
  name: 'start a process',
  run(world: World, cpu: Cpu): number {
    enter(cpu);
    const result = startProcess(cpu, world.values['old'] as number);
    leave(world, cpu);
    return result;
  },
};

/** Ends `values.old` and makes another process; 1 when that is as it was made. */
const replaceOld: Operation = {
  name: 'end a process, create another',
  run(world: World, cpu: Cpu): number {
    enter(cpu);
    const old = world.values['old'] as number;
    exitProcess(cpu, old, 0, 0, 0);
    releaseProcess(cpu, old);
    const proc = processOf(world.machine, create(cpu));
    const space = peek(cpu.words, proc + PROCESS.SPACE);
    const limit = peek(cpu.words, limitAt(space, RLIMIT_STACK));
    const isAsMade = peek(cpu.words, proc + PROCESS.NICE) === 0 && limit === STACK_LIMIT;
    leave(world, cpu);
    return isAsMade ? 1 : -1;
  },
};

/** Of the process with that pid, if it is still there; which of the two is no matter. */
const setNice: Operation = {
  name: 'setpriority',
  run(world: World, cpu: Cpu): number {
    enter(cpu);
    const self = world.procs[cpu.id] as number;
    sysSetpriority(cpu, self, PRIO_PROCESS, world.values['old'] as number, NICE);
    leave(world, cpu);
    return 0;
  },
};

/** Sets the own nice value. */
function beNice(nice: number): Operation {
  return {
    name: `nice ${nice}`,
    run(world: World, cpu: Cpu): number {
      enter(cpu);
      const self = world.procs[cpu.id] as number;
      const result = sysSetpriority(cpu, self, PRIO_PROCESS, world.values['old'] as number, nice);
      leave(world, cpu);
      return result;
    },
  };
}

/** The nice value of `values.old`, as the syscall gives it. */
const nice: Operation = {
  name: 'getpriority',
  run(world: World, cpu: Cpu): number {
    enter(cpu);
    const self = world.procs[cpu.id] as number;
    const result = sysGetpriority(cpu, self, PRIO_PROCESS, world.values['old'] as number);
    leave(world, cpu);
    return result;
  },
};

const setLimit: Operation = {
  name: 'prlimit',
  run(world: World, cpu: Cpu): number {
    enter(cpu);
    const self = world.procs[cpu.id] as number;
    sysPrlimit(cpu, self, world.values['old'] as number, RLIMIT_STACK, BASE, 0);
    leave(world, cpu);
    return 0;
  },
};

/** Two threads with a page of zeroes, and a process that has not started. */
function setup(world: World): void {
  newThreads(world);
  mapPages(world, 0, 0, 1);
  touchPages(world, 0, 0, 1);
  const cpu = world.cpus[0] as Cpu;
  enter(cpu);
  world.values['old'] = create(cpu);
  leave(world, cpu);
}

export const processScenarios: readonly Scenario[] = [
  {
    name: 'start-kill',
    about: 'a CPU starts a process that another kills, and whose block the next one gets',
    perProtocol: false,
    cpus: [[killAndRestart], [startOld]],
    setup(world: World): void {
      setup(world);
    },
  },
  {
    name: 'priority-end',
    about: 'the nice value of a process is set while it ends, and its block is reused',
    perProtocol: false,
    cpus: [[replaceOld], [setNice]],
    setup(world: World): void {
      setup(world);
    },
  },
  {
    name: 'priority-priority',
    about: 'two threads set the nice value of a process, which may only rise, and read it',
    perProtocol: false,
    cpus: [
      [beNice(5), nice],
      [beNice(7), nice],
    ],
    setup(world: World): void {
      setup(world);
    },
  },
  {
    name: 'limits-end',
    about: 'the limits of a process are set while it ends, and its space is reused',
    perProtocol: false,
    cpus: [[replaceOld], [setLimit]],
    setup(world: World): void {
      setup(world);
    },
  },
];
