/** Reports and questions that look at words which another CPU changes at that moment. */
import type { Cpu } from '../../../../kernel/machine/cpu.ts';
import { LOG_PROCESS_EXIT, dmesgLines, logEvent } from '../../../../kernel/machine/log.ts';
import { memoryIsShort } from '../../../../kernel/reclaim/watermarks.ts';
import { sysGetpriority } from '../../../../kernel/syscalls/priority.ts';
import * as SIGNALS from '../../../../kernel/processes/signals.ts';
import { MAP_SHARED, PRIO_PROCESS } from '../../../../shared/abi/mman.ts';
import { SIGUSR1 } from '../../../../shared/abi/signals.ts';
import { RW, SHARED, enter, leave, mapPages, newThreads } from '../kit.ts';
import type { Operation, Scenario, World } from '../kit.ts';
import { mmap, munmap, reap } from '../operations.ts';
import { stayInUser, touchPages, write } from '../user.ts';
import { fork } from './forks.ts';
import { truncate } from './files.ts';
import { mappedFile } from './mapped-file.ts';

/** Records of the explore build's log ring. */
const RING = 4;
const SPAN = 1024;

/** An event with one number twice. */
function log(value: number): Operation {
  return {
    name: `log ${value}`,
    run(world: World, cpu: Cpu): number {
      enter(cpu);
      logEvent(cpu, LOG_PROCESS_EXIT, value, value, value);
      leave(world, cpu);
      return 0;
    },
  };
}

/** Reads the log: 0 when each such event has one number twice. */
const readLog: Operation = {
  name: 'dmesg',
  run(world: World, cpu: Cpu): number {
    enter(cpu);
    let torn = 0;
    for (const line of dmesgLines(world.machine)) {
      const words = line.split(' ');
      const at = words.indexOf('exited');
      if (at > 0 && words[at - 1] !== words[words.length - 1]) torn = 1;
    }
    leave(world, cpu);
    return torn;
  },
};

/** Whether memory is short, which it is not. */
const askForMemory: Operation = {
  name: 'is memory short?',
  run(world: World, cpu: Cpu): number {
    enter(cpu);
    const result = memoryIsShort(world.machine) ? 1 : 0;
    leave(world, cpu);
    return result;
  },
};

/** The priority of the process that comes next, -ESRCH before it is there. */
const askForNext: Operation = {
  name: 'getpriority of the next process',
  run(world: World, cpu: Cpu): number {
    enter(cpu);
    const next = (world.values['parent'] as number) + world.cpus.length;
    const result = sysGetpriority(cpu, world.procs[cpu.id] as number, PRIO_PROCESS, next);
    leave(world, cpu);
    return result;
  },
};

/** What process `values.parent` does about SIGUSR1, and has pending. */
const askForSignals: Operation = {
  name: 'look at signals',
  run(world: World, cpu: Cpu): number {
    enter(cpu);
    const pid = world.values['parent'] as number;
    const ignores = SIGNALS.ignoresSignal(cpu, pid, SIGUSR1) ? 1 : 0;
    leave(world, cpu);
    return ignores;
  },
};

const ignore: Operation = {
  name: 'ignore SIGUSR1',
  run(world: World, cpu: Cpu): number {
    enter(cpu);
    SIGNALS.setAction(cpu, world.procs[cpu.id] as number, SIGUSR1, SIGNALS.ACTION_IGNORE);
    leave(world, cpu);
    return 0;
  },
};

function threads(world: World): void {
  world.values['parent'] = newThreads(world);
}

export const lookScenarios: readonly Scenario[] = [
  {
    name: 'log-read',
    about: 'the full kernel log is read while an event takes the place of the oldest one',
    perProtocol: false,
    cpus: [[readLog], [log(8)]],
    setup(world: World): void {
      for (let i = 0; i < RING; i++) log(7).run(world, world.cpus[0] as Cpu);
    },
  },
  {
    name: 'memory-look',
    about: 'a CPU asks whether memory is short while another one takes a frame',
    perProtocol: false,
    cpus: [[askForMemory], [write(0, 7)]],
    setup(world: World): void {
      threads(world);
      mapPages(world, 0, 0, 1);
    },
  },
  {
    name: 'priority-fork',
    about: 'a CPU asks for a process that another one creates',
    perProtocol: false,
    cpus: [[fork], [askForNext]],
    setup(world: World): void {
      threads(world);
    },
  },
  {
    name: 'signal-look',
    about: 'the kernel worker asks what a process ignores while that changes',
    perProtocol: false,
    cpus: [[ignore], [askForSignals]],
    setup(world: World): void {
      threads(world);
    },
  },
  {
    name: 'objects-objects',
    about: 'two threads map shared anonymous memory: each gets an object',
    cpus: [
      [mmap(0, 1, RW, SHARED), write(0, 7)],
      [mmap(1, 1, RW, SHARED), write(1, 8)],
    ],
    setup(world: World): void {
      threads(world);
    },
  },
  {
    name: 'truncate-populate',
    about: 'a file is cut while a program reads it ahead',
    perProtocol: false,
    cpus: [[truncate(1)], [write(0, 7), write(1, 8)]],
    setup(world: World): void {
      mappedFile(world, MAP_SHARED);
    },
  },
  {
    name: 'limbo-limbo',
    about: 'two threads free tables, each of its own span, after a grace period',
    perProtocol: false,
    cpus: [
      [munmap(0, SPAN), reap],
      [munmap(SPAN, SPAN), reap],
    ],
    setup(world: World): void {
      threads(world);
      mapPages(world, 0, 0, 2 * SPAN);
      touchPages(world, 0, 0, 1);
      stayInUser(world, 1, SPAN, 1);
    },
  },
];
