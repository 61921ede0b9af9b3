/**
 * Goal: a process is killed for want of memory only when nothing can go, however slow the host is.
 * Method: the reclaimer on a machine without Workers. What they would do while it pauses, or while
 * the store is written, the test does at each pause: the host is as slow as can be.
 */
import { describe, expect, it } from 'vitest';

import { reclaimPolicy } from '../../kernel/index.ts';
import { handleFault } from '../../kernel/faults/fault.ts';
import { createProcess } from '../../kernel/lifecycle/create.ts';
import { exitProcess, releaseProcess } from '../../kernel/lifecycle/exit.ts';
import { leaveKernel } from '../../kernel/machine/cpu-mode.ts';
import { Cursor } from '../../kernel/machine/cursor.ts';
import { FAULT_DONE, FAULT_NO_MEMORY } from '../../kernel/machine/fault-codes.ts';
import { enterKernel } from '../../kernel/mmu/kernel-entry.ts';
import { openAtRoot } from '../../kernel/paging/covering.ts';
import { peekEntry, seek } from '../../kernel/paging/table.ts';
import { spaceOfPid } from '../../kernel/processes/pid-table.ts';
import { dispatch } from '../../kernel/syscalls/dispatch.ts';
import { or, peek } from '../../shared/atomics.ts';
import * as M from '../../shared/abi/mman.ts';
import * as S from '../../shared/abi/syscalls.ts';
import * as BOOT from '../../shared/layout/boot.ts';
import { PAGE_SIZE } from '../../shared/limits.ts';
import * as pte from '../../shared/pte.ts';
import { MemoryPressure } from '../../workers/kernel/memory/memory-pressure.ts';
import { Reclaimer } from '../../workers/kernel/memory/reclaimer.ts';
import { Swapper } from '../../workers/kernel/memory/swapper.ts';
import { expectClean, testMachine, testProcess } from '../support/kernel-helpers.ts';
import type { TestMachine } from '../support/kernel-helpers.ts';

const BASE = 0x10000000;
const VPN = BASE / PAGE_SIZE;
const RW: number = M.PROT_READ | M.PROT_WRITE;
const PRIVATE: number = M.MAP_PRIVATE | M.MAP_ANONYMOUS | M.MAP_FIXED;
const SHARED: number = M.MAP_SHARED | M.MAP_ANONYMOUS | M.MAP_FIXED;

/** A machine whose kernel worker is a Reclaimer, and whose programs act when it gives way. */
class World {
  readonly t: TestMachine;
  readonly killed: number[] = [];
  readonly pauses: number[] = [];
  readonly reclaimer: Reclaimer;
  /** What programs do while the reclaimer pauses or the store is written. */
  meanwhile: () => void = () => {};

  constructor(frames: number, swapSlots: number, scanPages = 16384) {
    this.t = testMachine({ frames, swapSlots });
    const { cpu } = this.t;
    const pages = new Map<number, Uint8Array>();
    const store = {
      write: async (slot: number, page: Uint8Array) => {
        if (slot % 16 === 0) this.programs();
        pages.set(slot, page);
      },
      read: async (slot: number) => pages.get(slot) ?? new Uint8Array(0),
      close: async () => {},
    };
    this.reclaimer = new Reclaimer({
      cpu,
      scanPages,
      policy: reclaimPolicy('clock', () => 0)!,
      swapper:
        swapSlots === 0 ? null : new Swapper({ cpu, openStore: async () => store, log: () => {} }),
      writeBack: { isNeeded: false, syncAll: async () => 0 },
      pressure: new MemoryPressure(),
      objects: () => [],
      kill: async (pid) => {
        this.killed.push(pid);
        this.end(pid);
      },
      pause: async (ms) => {
        this.pauses.push(ms);
        this.programs();
      },
    });
  }

  programs(): void {
    enterKernel(this.t.cpu);
    this.meanwhile();
    leaveKernel(this.t.cpu);
  }

  /** A process that has touched as many of its pages as there were frames for; how many. */
  process(pages: number, flags = PRIVATE): { pid: number; touched: number } {
    const { cpu } = this.t;
    const { pid, proc } = testProcess(this.t);
    expect(dispatch(cpu, proc, S.SYS_MMAP, BASE, pages * PAGE_SIZE, RW, flags, -1, 0)).toBe(BASE);
    let touched = 0;
    while (touched < pages && this.touch(pid, touched) === FAULT_DONE) touched++;
    return { pid, touched };
  }

  touch(pid: number, page: number): number {
    return handleFault(this.t.cpu, spaceOfPid(this.t.cpu, pid), VPN + page, true);
  }

  fork(parent: number): number {
    return createProcess(this.t.cpu, { name: 'child', cpu: 0, parent, fork: true });
  }

  /** Uses every resident page of a process: the MMU sets the accessed bits. */
  use(pid: number, pages: number): void {
    const { cpu } = this.t;
    const cursor = new Cursor();
    const space = spaceOfPid(cpu, pid);
    openAtRoot(cpu, cursor, space, VPN, VPN + pages);
    for (let page = 0; page < pages; page++) {
      if (!pte.isPresent(peekEntry(cpu, space, VPN + page))) continue;
      or(cpu.words, seek(cpu, cursor, VPN + page), pte.PTE_A);
    }
  }

  end(pid: number): void {
    enterKernel(this.t.cpu);
    exitProcess(this.t.cpu, pid, 0, 9, 0);
    releaseProcess(this.t.cpu, pid);
    leaveKernel(this.t.cpu);
  }

  /** Reclaims for a fault of `pid` that found no frame. */
  async reclaimFor(pid: number): Promise<boolean> {
    leaveKernel(this.t.cpu);
    const isWorthwhile = await this.reclaimer.directReclaimOrKill(pid);
    enterKernel(this.t.cpu);
    return isWorthwhile;
  }

  swapUsed(): number {
    return peek(this.t.machine.words, BOOT.SWAP_USED);
  }
}

describe('when swap has room nobody is killed', () => {
  it('although programs use all their pages between any two passes', async () => {
    const w = new World(600, 4096);
    const { pid, touched } = w.process(1000);
    expect(w.touch(pid, touched)).toBe(FAULT_NO_MEMORY);
    w.meanwhile = () => w.use(pid, touched);
    expect(await w.reclaimFor(pid)).toBe(true);
    expect(w.touch(pid, touched)).toBe(FAULT_DONE);
    expect(w.killed).toEqual([]);
    expectClean(w.t);
  });

  it('although a program takes each page back while it is written, for five rounds', async () => {
    const w = new World(600, 4096);
    const { pid, touched } = w.process(1000);
    let left = 5 * touched;
    w.meanwhile = () => {
      for (let page = 0; page < touched && left > 0; page++) {
        if (pte.isPresent(peekEntry(w.t.cpu, spaceOfPid(w.t.cpu, pid), VPN + page))) continue;
        expect(w.touch(pid, page)).toBe(FAULT_DONE);
        left--;
      }
    };
    expect(await w.reclaimFor(pid)).toBe(true);
    expect(left).toBe(0);
    expect(w.killed).toEqual([]);
    expectClean(w.t);
  });

  it('although a frame goes only when a second process, far off, lets go of it', async () => {
    // One look takes in the parent alone.
    const w = new World(3000, 8192, 1400);
    const { pid } = w.process(1500);
    const child = w.fork(pid);
    expect(child).toBeGreaterThan(0);
    const hungry = w.process(3000);
    expect(w.touch(hungry.pid, hungry.touched)).toBe(FAULT_NO_MEMORY);
    expect(await w.reclaimFor(hungry.pid)).toBe(true);
    expect(w.touch(hungry.pid, hungry.touched)).toBe(FAULT_DONE);
    expect(w.killed).toEqual([]);
    expectClean(w.t);
  });
});

describe('when nothing can go somebody is killed, soon', () => {
  it('the largest process, when swap is full; the others go on', async () => {
    const w = new World(600, 40);
    const small = w.process(100);
    const large = w.process(1000);
    w.meanwhile = () => {
      w.use(large.pid, large.touched);
      w.use(small.pid, small.touched);
    };
    for (let page = small.touched, kills = 0; kills === 0; page++) {
      expect(w.touch(large.pid, large.touched + page)).toBe(FAULT_NO_MEMORY);
      expect(await w.reclaimFor(small.pid)).toBe(true);
      kills = w.killed.length;
      while (kills === 0 && w.touch(large.pid, large.touched) === FAULT_DONE) large.touched++;
    }
    expect(w.killed).toEqual([large.pid]);
    expect(w.pauses.length).toBeLessThan(20);
    expectClean(w.t);
  });

  it('a process with memory that does not go to swap, which has room', async () => {
    const w = new World(600, 4096);
    const other = testProcess(w.t).pid;
    const { pid } = w.process(1000, SHARED);
    expect(await w.reclaimFor(other)).toBe(true);
    expect(w.killed).toEqual([pid]);
    expectClean(w.t);
  });

  it('all threads of the victim, since the memory goes with the last of them', async () => {
    const w = new World(600, 0);
    const other = testProcess(w.t).pid;
    const { pid } = w.process(1000);
    const thread = createProcess(w.t.cpu, { name: 't', cpu: 0, parent: pid, thread: true });
    expect(await w.reclaimFor(other)).toBe(true);
    expect(w.killed).toEqual([pid, thread]);
    expect(w.touch(other, 0)).not.toBe(FAULT_NO_MEMORY);
    expectClean(w.t);
  });

  it('with its threads, the one whose fault it is, by its own fault', async () => {
    const w = new World(600, 0);
    const { pid } = w.process(1000);
    const thread = createProcess(w.t.cpu, { name: 't', cpu: 0, parent: pid, thread: true });
    expect(await w.reclaimFor(pid)).toBe(false);
    expect(w.killed).toEqual([thread]);
    expectClean(w.t);
  });

  it('one at a time: a second fault waits for the memory of the first one killed', async () => {
    const w = new World(600, 0);
    const others = [testProcess(w.t).pid, testProcess(w.t).pid];
    const first = w.process(400);
    const second = w.process(300);
    leaveKernel(w.t.cpu);
    const worthwhile = others.map((pid) => w.reclaimer.directReclaimOrKill(pid));
    expect(await Promise.all(worthwhile)).toEqual([true, true]);
    enterKernel(w.t.cpu);
    expect(w.killed).toEqual([first.pid]);
    expect(spaceOfPid(w.t.cpu, second.pid)).not.toBe(0);
    expectClean(w.t);
  });
});
