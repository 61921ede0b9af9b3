/** The locks themselves, and the smallest scenario of all. */
import type { Cpu } from '../../../../kernel/machine/cpu.ts';
import { readLock, readUnlock, writeLock, writeUnlock } from '../../../../kernel/machine/rwlock.ts';
import { lock, unlock } from '../../../../kernel/machine/spinlock.ts';
import { add, peek, poke } from '../../../../shared/atomics.ts';
import { enter, leave, newThreads } from '../kit.ts';
import type { Operation, Scenario, World } from '../kit.ts';
import { COUNTER, LOCK } from '../scratch.ts';

/** Adds 1 to a plain counter under a spinlock. Returns its value before. */
const countLocked: Operation = {
  name: 'count under a lock',
  run(world: World, cpu: Cpu): number {
    enter(cpu);
    lock(cpu, LOCK);
    const before = peek(cpu.words, COUNTER);
    poke(cpu.words, COUNTER, before + 1);
    unlock(cpu, LOCK);
    leave(world, cpu);
    return before;
  },
};

const countWriting: Operation = {
  name: 'count under a write lock',
  run(world: World, cpu: Cpu): number {
    enter(cpu);
    writeLock(cpu, LOCK);
    const before = peek(cpu.words, COUNTER);
    poke(cpu.words, COUNTER, before + 1);
    writeUnlock(cpu, LOCK);
    leave(world, cpu);
    return before;
  },
};

const readCounter: Operation = {
  name: 'read under a read lock',
  run(world: World, cpu: Cpu): number {
    enter(cpu);
    readLock(cpu, LOCK);
    const value = peek(cpu.words, COUNTER);
    readUnlock(cpu, LOCK);
    leave(world, cpu);
    return value;
  },
};

/** Six ordered accesses to one word, and nothing else. */
const sixSteps: Operation = {
  name: 'six steps',
  run(_world: World, cpu: Cpu): number {
    const { words } = cpu;
    // ORDER: any; this measures the explorer.
    add(words, LOCK, 1);
    add(words, LOCK, 1);
    add(words, LOCK, 1);
    add(words, LOCK, -1);
    add(words, LOCK, -1);
    add(words, LOCK, -1);
    return 0;
  },
};

export const lockScenarios: readonly Scenario[] = [
  {
    name: 'lock',
    about: 'three CPUs count under one spinlock; sleepers are woken',
    perProtocol: false,
    cpus: [[countLocked], [countLocked], [countLocked]],
    setup(world: World): void {
      newThreads(world);
    },
  },
  {
    name: 'rwlock',
    about: 'a reader and two writers of one counter',
    perProtocol: false,
    cpus: [[countWriting], [countWriting], [readCounter]],
    setup(world: World): void {
      newThreads(world);
    },
  },
  {
    name: 'six-steps',
    about: 'the smallest scenario, for measuring the explorer itself: twice six steps on one word',
    perProtocol: false,
    audited: false,
    cpus: [[sixSteps], [sixSteps]],
    setup(world: World): void {
      newThreads(world);
    },
  },
];
