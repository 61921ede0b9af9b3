/** Signals that are sent while their process changes what it does about them, or takes them. */
import { createProcess } from '../../../../kernel/lifecycle/create.ts';
import type { Cpu } from '../../../../kernel/machine/cpu.ts';
import { pendingSignal } from '../../../../kernel/mmu/poll.ts';
import { processOf } from '../../../../kernel/processes/pid-table.ts';
import * as SIGNALS from '../../../../kernel/processes/signals.ts';
import { SIGCHLD, SIGKILL, SIGUSR1, SIGUSR2, signalBit } from '../../../../shared/abi/signals.ts';
import { enter, leave, mapPages, newProcess, newThreads } from '../kit.ts';
import type { Operation, Scenario, World } from '../kit.ts';
import { HANDLED, deliverSignals, read, stayInUser, touchPages, write } from '../user.ts';

const { ACTION_CATCH, ACTION_DEFAULT, ACTION_IGNORE } = SIGNALS;
const SENDER = 9;
const NO_CHILD = 0;

/** Sends a signal to process `values.pid`: SIGNAL_*. */
function send(signal: number): Operation {
  return {
    name: `send signal ${signal}`,
    run(world: World, cpu: Cpu): number {
      enter(cpu);
      const result = SIGNALS.sendSignal(cpu, world.values['pid'] as number, signal, SENDER);
      leave(world, cpu);
      return result;
    },
  };
}

/** Sets the action of the process's own signal. Its action then. */
function act(signal: number, action: number): Operation {
  return {
    name: `action of ${signal} becomes ${action}`,
    run(world: World, cpu: Cpu): number {
      enter(cpu);
      const proc = world.procs[cpu.id] as number;
      SIGNALS.setAction(cpu, proc, signal, action);
      const result = SIGNALS.actionOf(cpu, proc, signal);
      leave(world, cpu);
      return result;
    },
  };
}

/** Blocks exactly these signals. What was blocked before. */
function block(set: number): Operation {
  return {
    name: `block ${set}`,
    run(world: World, cpu: Cpu): number {
      enter(cpu);
      const before = SIGNALS.setMask(cpu, world.procs[cpu.id] as number, set);
      leave(world, cpu);
      return before;
    },
  };
}

/** What a handler has got, here or at an access before; minus the signal that ends the process. */
const take: Operation = {
  name: 'take signals',
  run(world: World, cpu: Cpu): number {
    enter(cpu);
    const taken = deliverSignals(cpu, world.procs[cpu.id] as number);
    const mine = world.mine[cpu.id] as number[];
    const result = taken === 0 ? (mine[HANDLED] ?? 0) : taken;
    mine[HANDLED] = 0;
    leave(world, cpu);
    return result;
  },
};

/** The lowest signal that is pending and not blocked; 0 for none. */
const takeOne: Operation = {
  name: 'take a signal',
  run(world: World, cpu: Cpu): number {
    enter(cpu);
    const result = SIGNALS.takeSignal(cpu, world.procs[cpu.id] as number);
    leave(world, cpu);
    return result;
  },
};

/** A child of `values.pid`: what it blocks, and whether it ignores SIGUSR1. */
const inherit: Operation = {
  name: 'fork, look at the signals',
  run(world: World, cpu: Cpu): number {
    enter(cpu);
    const parent = world.values['pid'] as number;
    const pid = createProcess(cpu, { name: 'c', cpu: cpu.id, parent, fork: true });
    const child = pid > 0 ? processOf(world.machine, pid) : NO_CHILD;
    const ignores = SIGNALS.ignoresSignal(cpu, pid, SIGUSR1) ? 1 : 0;
    const result = child === NO_CHILD ? pid : SIGNALS.maskOf(cpu, child) * 2 + ignores;
    leave(world, cpu);
    return result;
  },
};

/** A process on CPU 0 with this action for SIGUSR1; on CPU 1 is the kernel worker. */
function alone(world: World, action: number): void {
  world.values['pid'] = newProcess(world, 0);
  act(SIGUSR1, action).run(world, world.cpus[0] as Cpu);
}

/** What is to be taken, and whether the process is to end. */
function pending(world: World): string {
  const cpu = world.cpus[0] as Cpu;
  const proc = world.procs[0] as number;
  const set = SIGNALS.pendingSet(cpu, proc);
  const sender = SIGNALS.signalSender(cpu, proc, SIGUSR1);
  return `pending ${set}, from ${sender}, ends by ${pendingSignal(cpu, proc)}`;
}

function scenario(
  name: string,
  about: string,
  action: number,
  cpus: Scenario['cpus'],
  isLookedAt = false,
): Scenario {
  return {
    ...{ name, about, cpus, perProtocol: false },
    setup(world: World): void {
      alone(world, action);
    },
    observe(world: World): string {
      return isLookedAt ? pending(world) : '';
    },
  };
}

export const signalScenarios: readonly Scenario[] = [
  {
    name: 'signal-taken',
    about: 'a signal is sent twice while it is taken: each is taken, or the two are one',
    perProtocol: false,
    cpus: [
      [takeOne, takeOne],
      [send(SIGUSR1), send(SIGUSR1)],
    ],
    setup(world: World): void {
      alone(world, ACTION_CATCH);
    },
    observe(world: World): string {
      return pending(world);
    },
  },
  {
    name: 'signal-two',
    about: 'two signals are sent while one is taken: the other one stays',
    perProtocol: false,
    cpus: [
      [takeOne, takeOne],
      [send(SIGUSR2), send(SIGUSR1)],
    ],
    setup(world: World): void {
      alone(world, ACTION_CATCH);
      act(SIGUSR2, ACTION_CATCH).run(world, world.cpus[0] as Cpu);
    },
    observe(world: World): string {
      return pending(world);
    },
  },
  scenario(
    'signal-ignore',
    'a signal is sent while its process ignores it from now on: it does not end the process',
    ACTION_CATCH,
    [[act(SIGUSR1, ACTION_IGNORE), take], [send(SIGUSR1)]],
  ),
  scenario(
    'signal-catch',
    'a signal that is ignored is sent while its process begins to catch it',
    ACTION_IGNORE,
    [[act(SIGUSR1, ACTION_CATCH), take], [send(SIGUSR1)]],
  ),
  scenario(
    'signal-catch-again',
    'a signal is sent while its process catches it, and ignores it again',
    ACTION_IGNORE,
    [[act(SIGUSR1, ACTION_CATCH), act(SIGUSR1, ACTION_IGNORE)], [send(SIGUSR1)]],
  ),
  scenario(
    'signal-mask',
    'a signal is sent while its process blocks it and lets it through',
    ACTION_CATCH,
    [[block(signalBit(SIGUSR1)), take, block(0), take], [send(SIGUSR1)]],
    true,
  ),
  scenario(
    'signal-mask-kill',
    'SIGKILL is sent while its process blocks all signals',
    ACTION_CATCH,
    [
      [block(-1), take],
      [send(SIGKILL), send(SIGCHLD)],
    ],
    true,
  ),
  scenario(
    'signal-other-action',
    'a signal that is caught is sent while the action of another one changes',
    ACTION_CATCH,
    [[act(SIGUSR2, ACTION_CATCH), act(SIGUSR2, ACTION_DEFAULT), take], [send(SIGUSR1)]],
    true,
  ),
  scenario(
    'signal-inherit',
    'a child gets what its parent blocks and ignores while that changes',
    ACTION_DEFAULT,
    [[act(SIGUSR1, ACTION_IGNORE), block(signalBit(SIGUSR2))], [inherit]],
  ),
  {
    name: 'signal-seen',
    about: 'who has read what was written after a signal was sent finds the signal',
    perProtocol: false,
    cpus: [
      [read(0), take],
      [send(SIGUSR1), write(0, 7)],
    ],
    setup(world: World): void {
      world.values['pid'] = newThreads(world);
      mapPages(world, 0, 0, 1);
      touchPages(world, 0, 0, 1);
      act(SIGUSR1, ACTION_CATCH).run(world, world.cpus[0] as Cpu);
      stayInUser(world, 0, 0, 1);
    },
  },
];
