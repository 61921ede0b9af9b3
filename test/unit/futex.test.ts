/**
 * Goal: a wake reaches whoever waits for that word, once, in order, and nobody else; a wait that
 * ends in any way leaves nothing behind. One thread plays all CPUs; real concurrency is in
 * futex.test.ts, every interleaving in the explorer.
 */
import { describe, expect, it } from 'vitest';
import { audit } from '../../kernel/audit/audit.ts';
import { futexBegin, futexFinish, futexSleep, futexWake } from '../../kernel/processes/futex.ts';
import { createProcess } from '../../kernel/lifecycle/create.ts';
import { exitProcess } from '../../kernel/lifecycle/exit.ts';
import { sysFutex } from '../../kernel/processes/futex-requeue.ts';
import { processOf } from '../../kernel/processes/pid-table.ts';
import { sendSignal, setAction, ACTION_CATCH } from '../../kernel/processes/signals.ts';
import { slabLive } from '../../kernel/frames/slab.ts';
import { sysMmap } from '../../kernel/syscalls/mmap.ts';
import { sysMunmap } from '../../kernel/syscalls/munmap.ts';
import { copyToUser } from '../../kernel/mmu/user-copy.ts';
import { peek } from '../../shared/atomics.ts';
import { EAGAIN, EFAULT, EINVAL } from '../../shared/abi/errno.ts';
import { FUTEX_CMP_REQUEUE, FUTEX_REQUEUE, FUTEX_WAKE } from '../../shared/abi/futex-operations.ts';
import * as PROCESS from '../../shared/layout/process.ts';
import * as SLAB from '../../shared/layout/slabs.ts';
import * as M from '../../shared/abi/mman.ts';
import { SIGUSR1 } from '../../shared/abi/signals.ts';
import { testMachine, testProcess } from '../support/kernel-helpers.ts';

function newKernel() {
  const machine = testMachine();
  return { cpu: machine.cpu, ...testProcess(machine) };
}

const RW = M.PROT_READ | M.PROT_WRITE;
const PRIVATE = M.MAP_PRIVATE | M.MAP_ANONYMOUS;
const SHARED = M.MAP_SHARED | M.MAP_ANONYMOUS;

function world() {
  const { cpu, proc, pid } = newKernel();
  const map = (flags: number): number => sysMmap(cpu, proc, 0, 8192, RW, flags, -1, 0);
  const child = (spec: { inherit?: boolean; fork?: boolean; thread?: boolean }): number =>
    processOf(cpu.machine, createProcess(cpu, { name: 'c', parent: pid, ...spec }));
  const set = (of: number, address: number, value: number): void => {
    const bytes = new Uint8Array(new Int32Array([value]).buffer);
    expect(copyToUser(cpu, peek(cpu.words, of + PROCESS.SPACE), address, bytes)).toBe(4);
  };
  const clean = (): void => {
    expect(audit(cpu).violations).toEqual([]);
    expect(slabLive(cpu.machine, SLAB.FUTEX)).toBe(0);
  };
  return { cpu, proc, pid, map, child, set, clean };
}

describe('a futex', () => {
  it('queues a waiter only while the word holds what is expected', () => {
    const { cpu, proc, map, set, clean } = world();
    const at = map(PRIVATE);
    expect(futexBegin(cpu, proc, at, 1)).toBe(-EAGAIN);
    set(proc, at, -5);
    expect(futexBegin(cpu, proc, at, 0)).toBe(-EAGAIN);
    const waiter = futexBegin(cpu, proc, at, 2 ** 32 - 5);
    expect(waiter).toBeGreaterThan(0);
    expect(audit(cpu).checked['futexWaiters']).toBe(1);
    expect(futexWake(cpu, proc, at, 1)).toBe(1);
    expect(futexFinish(cpu, proc, waiter)).toBe(true);
    clean();
  });

  it('wakes in the order of waiting, no more than asked for, and only that word', () => {
    const { cpu, proc, map, clean } = world();
    const at = map(PRIVATE);
    const words = [at, at, at + 4, at, at + 4096];
    const waiters = words.map((word) => futexBegin(cpu, proc, word, 0));
    expect(futexWake(cpu, proc, at, 0)).toBe(0);
    expect(futexWake(cpu, proc, at, 2)).toBe(2);
    expect(futexWake(cpu, proc, at + 4096, 5)).toBe(1);
    const woken = waiters.map((waiter) => futexFinish(cpu, proc, waiter));
    expect(woken).toEqual([true, true, false, false, true]);
    expect(futexWake(cpu, proc, at, 9)).toBe(0);
    clean();
  });

  it('refuses addresses that are no words of memory', () => {
    const { cpu, proc, map, clean } = world();
    const at = map(PRIVATE);
    for (const bad of [at + 2, at + 0.5, NaN]) {
      expect(futexBegin(cpu, proc, bad, 0)).toBe(-EINVAL);
      expect(futexWake(cpu, proc, bad, 1)).toBe(-EINVAL);
    }
    for (const bad of [-4, 0, at + 8192, 2 ** 42]) {
      expect(futexBegin(cpu, proc, bad, 0)).toBe(-EFAULT);
      expect(futexWake(cpu, proc, bad, 1)).toBe(-EFAULT);
    }
    expect(futexBegin(cpu, proc, at, 0.5)).toBe(-EINVAL);
    expect(futexWake(cpu, proc, at, -1)).toBe(-EINVAL);
    const none = sysMmap(cpu, proc, 0, 4096, M.PROT_NONE, PRIVATE, -1, 0);
    expect(futexBegin(cpu, proc, none, 0)).toBe(-EFAULT);
    clean();
  });

  it('is one word in all processes that share it, and in threads if it is private', () => {
    const { cpu, proc, map, child, clean } = world();
    const shared = map(SHARED);
    const own = map(PRIVATE);
    const [heir, fork, thread] = [
      child({ inherit: true }),
      child({ fork: true }),
      child({ thread: true }),
    ];
    for (const [waker, at, expected] of [
      [heir, shared, 1],
      [fork, shared, 1],
      [thread, shared, 1],
      [fork, own, 0],
      [thread, own, 1],
    ] as const) {
      const waiter = futexBegin(cpu, proc, at, 0);
      expect(futexWake(cpu, waker, at, 1)).toBe(expected);
      futexFinish(cpu, proc, waiter);
    }
    clean();
  });

  it('moves waiters to another word, in order, after those that it wakes', () => {
    const { cpu, proc, map, clean } = world();
    const at = map(PRIVATE);
    const waiters = [0, 1, 2, 3, 4].map(() => futexBegin(cpu, proc, at, 0));
    const there = futexBegin(cpu, proc, at + 4096, 0);
    expect(sysFutex(cpu, proc, at, FUTEX_REQUEUE, 1, 2, at + 4096, 0)).toBe(3);
    expect(audit(cpu).violations).toEqual([]);
    // The one that waited there already is first; then those that were moved.
    expect(futexWake(cpu, proc, at + 4096, 2)).toBe(2);
    expect(futexWake(cpu, proc, at, 1)).toBe(1);
    const woken = [...waiters, there].map((waiter) => futexFinish(cpu, proc, waiter));
    expect(woken).toEqual([true, true, false, true, false, true]);
    expect(futexWake(cpu, proc, at, 9) + futexWake(cpu, proc, at + 4096, 9)).toBe(0);
    clean();
  });

  it('moves only while the word is as expected; onto itself, everybody stays', () => {
    const { cpu, proc, map, set, clean } = world();
    const at = map(SHARED);
    const waiters = [0, 1, 2].map(() => futexBegin(cpu, proc, at, 0));
    set(proc, at, 7);
    expect(sysFutex(cpu, proc, at, FUTEX_CMP_REQUEUE, 1, 9, at + 8, 0)).toBe(-EAGAIN);
    expect(sysFutex(cpu, proc, at, FUTEX_CMP_REQUEUE, 0, 9, at, 7)).toBe(3);
    expect(audit(cpu).violations).toEqual([]);
    expect(sysFutex(cpu, proc, at, FUTEX_WAKE, 0, 0, 0, 0)).toBe(1);
    expect(futexWake(cpu, proc, at, 9)).toBe(2);
    for (const waiter of waiters) futexFinish(cpu, proc, waiter);
    clean();
  });

  it('keeps a waiter whose mapping goes, until it gives up', () => {
    const { cpu, proc, map, clean } = world();
    const at = map(SHARED);
    const waiter = futexBegin(cpu, proc, at, 0);
    sysMunmap(cpu, proc, at, 8192);
    expect(futexWake(cpu, proc, at, 1)).toBe(-EFAULT);
    expect(futexFinish(cpu, proc, waiter)).toBe(false);
    clean();
  });

  it('forgets the waiters of a process that ends, queued and woken', () => {
    const { cpu, proc, map, child, clean } = world();
    const at = map(SHARED);
    const heir = child({ inherit: true });
    for (let i = 0; i < 4; i++) futexBegin(cpu, heir, at, 0);
    expect(futexWake(cpu, proc, at, 2)).toBe(2);
    exitProcess(cpu, peek(cpu.words, heir + 1), 0, 0, 0);
    expect(futexWake(cpu, proc, at, 2)).toBe(0);
    clean();
  });

  it('sleeps for the time given, unless it is woken or a signal comes', () => {
    const { cpu, proc, pid, map, clean } = world();
    const at = map(PRIVATE);
    const first = futexBegin(cpu, proc, at, 0);
    const startedMs = performance.now();
    futexSleep(cpu, proc, first, 50);
    expect(performance.now() - startedMs).toBeGreaterThan(45);
    expect(futexFinish(cpu, proc, first)).toBe(false);
    const second = futexBegin(cpu, proc, at, 0);
    futexWake(cpu, proc, at, 1);
    futexSleep(cpu, proc, second, Infinity);
    expect(futexFinish(cpu, proc, second)).toBe(true);
    const third = futexBegin(cpu, proc, at, 0);
    setAction(cpu, proc, SIGUSR1, ACTION_CATCH);
    sendSignal(cpu, pid, SIGUSR1, 0);
    futexSleep(cpu, proc, third, Infinity);
    expect(futexFinish(cpu, proc, third)).toBe(false);
    clean();
  });
});
