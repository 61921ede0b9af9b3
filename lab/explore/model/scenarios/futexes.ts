/** Futexes: no wake-up is lost, and no waiter is left behind. */
import { blockCpu, leaveKernel } from '../../../../kernel/machine/cpu-mode.ts';
import { enterKernel, unblockCpu } from '../../../../kernel/mmu/kernel-entry.ts';
import type { Cpu } from '../../../../kernel/machine/cpu.ts';
import {
  futexBegin,
  futexFinish,
  futexSleep,
  futexWake,
} from '../../../../kernel/processes/futex.ts';
import { sysFutex } from '../../../../kernel/processes/futex-requeue.ts';
import { startProcess } from '../../../../kernel/processes/process.ts';
import { createProcess } from '../../../../kernel/lifecycle/create.ts';
import { processOf } from '../../../../kernel/processes/pid-table.ts';
import { FUTEX_CMP_REQUEUE, FUTEX_REQUEUE } from '../../../../shared/abi/futex-operations.ts';
import { PAGE_SIZE } from '../../../../shared/limits.ts';
import {
  BASE,
  BASE_VPN,
  RW,
  SHARED,
  enter,
  leave,
  mapPages,
  newProcess,
  newThreads,
} from '../kit.ts';
import type { Operation, Scenario, World } from '../kit.ts';
import { exit, munmap } from '../operations.ts';
import { access, touchPages, write } from '../user.ts';

/** Turns of a program's loop around its wait. */
const TURNS_MAX = 8;

/** What every program does: waits until the first word of a page is not 0, and returns it. */
function awaitWord(page: number): Operation {
  return {
    name: `await a change of page ${page}`,
    run(world: World, cpu: Cpu): number {
      const proc = world.procs[cpu.id] as number;
      for (let turn = 0; turn < TURNS_MAX; turn++) {
        const value = access(world, cpu, BASE_VPN + page, false, 0);
        if (value !== 0) return value;
        enter(cpu);
        const waiter = futexBegin(cpu, proc, BASE + page * PAGE_SIZE, 0);
        if (waiter > 0) {
          blockCpu(cpu);
          futexSleep(cpu, proc, waiter, Infinity);
          unblockCpu(cpu);
          futexFinish(cpu, proc, waiter);
        }
        leave(world, cpu);
      }
      return -1;
    },
  };
}

/** Queues a waiter. Whether there is one now. */
const begin: Operation = {
  name: 'futex begin',
  run(world: World, cpu: Cpu): number {
    enter(cpu);
    const waiter = futexBegin(cpu, world.procs[cpu.id] as number, BASE, 0);
    leave(world, cpu);
    (world.mine[cpu.id] as number[])[0] = waiter;
    return waiter > 0 ? 1 : waiter;
  },
};

/** Gives up the wait. Whether the waiter had been woken. */
const finish: Operation = {
  name: 'futex finish',
  run(world: World, cpu: Cpu): number {
    const waiter = (world.mine[cpu.id] as number[])[0] as number;
    if (waiter <= 0) return waiter;
    enter(cpu);
    const isWoken = futexFinish(cpu, world.procs[cpu.id] as number, waiter);
    leave(world, cpu);
    return isWoken ? 1 : 0;
  },
};

function wake(count: number, page: number = 0): Operation {
  return {
    name: `futex wake ${count}${page === 0 ? '' : ` at page ${page}`}`,
    run(world: World, cpu: Cpu): number {
      enter(cpu);
      const at = BASE + page * PAGE_SIZE;
      const woken = futexWake(cpu, world.procs[cpu.id] as number, at, count);
      leave(world, cpu);
      return woken;
    },
  };
}

/** The same, as what the program on CPU 0 waits for: how many wait depends on the order. */
const wakeAll: Operation = {
  name: 'futex wake all',
  run(world: World, cpu: Cpu): number {
    wake(9).run(world, cpu);
    return 0;
  },
};

/** Moves a waiter of one page's first word to another's; only while it is 0, if `compares`. */
function requeue(page: number, to: number, compares: boolean = false): Operation {
  return {
    name: `futex requeue page ${page} to page ${to}${compares ? ' if 0' : ''}`,
    run(world: World, cpu: Cpu): number {
      enter(cpu);
      const proc = world.procs[cpu.id] as number;
      const operation = compares ? FUTEX_CMP_REQUEUE : FUTEX_REQUEUE;
      const [at, target] = [BASE + page * PAGE_SIZE, BASE + to * PAGE_SIZE];
      const moved = sysFutex(cpu, proc, at, operation, 0, 1, target, 0);
      leave(world, cpu);
      return moved;
    },
  };
}

/** Two such pages, and a waiter for the first word of each of the first `waiters`. */
function twoWords(world: World, waiters: number): void {
  const cpu = world.cpus[0] as Cpu;
  newThreads(world);
  mapPages(world, 0, 0, 2);
  touchPages(world, 0, 0, 2);
  enterKernel(cpu);
  for (let page = 0; page < waiters; page++) {
    futexBegin(cpu, world.procs[0] as number, BASE + page * PAGE_SIZE, 0);
  }
  leaveKernel(cpu);
}

/** A thread on each CPU, whose first page holds 0. A waiter belongs to its thread. */
function word(world: World): void {
  newThreads(world);
  mapPages(world, 0, 0, 1);
  touchPages(world, 0, 0, 1);
}

/** Two processes that share a page; the one on CPU 1 waits for its first word already. */
function sharedWord(world: World): void {
  const cpu = world.cpus[0] as Cpu;
  const parent = newProcess(world, 0);
  mapPages(world, 0, 0, 1, RW, SHARED);
  touchPages(world, 0, 0, 1);
  enterKernel(cpu);
  const pid = createProcess(cpu, { name: 'c', cpu: 1, parent, inherit: true });
  startProcess(cpu, pid);
  const proc = processOf(world.machine, pid);
  futexBegin(cpu, proc, BASE, 0);
  leaveKernel(cpu);
  world.procs[1] = proc;
  world.values['child'] = pid;
}

export const futexScenarios: readonly Scenario[] = [
  {
    name: 'futex-wait-wake',
    about: 'a CPU waits for a word that another one changes and wakes: no wake-up is lost',
    // The waits end only after the wake, in any order.
    linearizable: false,
    cpus: [[awaitWord(0)], [write(0, 7), wakeAll]],
    setup(world: World): void {
      word(world);
    },
  },
  {
    name: 'futex-give-up-wake',
    about: 'a waiter gives up while it is woken: who wakes and who waits agree about it',
    cpus: [
      [begin, finish],
      [wake(1), wake(1)],
    ],
    setup(world: World): void {
      word(world);
    },
  },
  {
    name: 'futex-two-waiters',
    about: 'two CPUs queue themselves and give up while a third one wakes one of them',
    perProtocol: false,
    cpus: [[begin, finish], [begin, finish], [wake(1)]],
    setup(world: World): void {
      word(world);
    },
  },
  {
    name: 'futex-requeue-finish',
    about: 'a waiter gives up while it is moved to another word, and woken there',
    cpus: [
      [begin, finish],
      [requeue(0, 1), wake(1, 1)],
    ],
    setup(world: World): void {
      twoWords(world, 0);
    },
  },
  {
    name: 'futex-cmp-requeue',
    about: 'a waiter is moved only while its word is unchanged, and woken by who changes it',
    perProtocol: false,
    cpus: [[requeue(0, 1, true)], [write(0, 7), wake(9)]],
    setup(world: World): void {
      twoWords(world, 1);
    },
  },
  {
    name: 'futex-requeue-crossed',
    about: 'two CPUs move waiters between two words in opposite directions',
    perProtocol: false,
    cpus: [[requeue(0, 1)], [requeue(1, 0)]],
    setup(world: World): void {
      twoWords(world, 2);
    },
  },
  {
    name: 'futex-exit-wake',
    about: 'a process that waits ends while another one wakes it',
    perProtocol: false,
    cpus: [[wake(1)], [exit('child')]],
    setup(world: World): void {
      sharedWord(world);
    },
  },
  {
    name: 'futex-wait-munmap',
    about: 'the word is unmapped while a waiter compares it',
    cpus: [[begin, finish], [munmap(0, 1)]],
    setup(world: World): void {
      word(world);
    },
  },
];
