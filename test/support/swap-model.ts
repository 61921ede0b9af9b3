/**
 * A machine with swap whose kernel worker is played by the test, and a model of what its processes
 * have in memory, for the tests of swap.
 */
import fc from 'fast-check';
import { expect } from 'vitest';

import { handleFault } from '../../kernel/faults/fault.ts';
import { FAULT_DONE, FAULT_WAIT } from '../../kernel/machine/fault-codes.ts';
import { SWAP_STORE } from '../../kernel/faults/swap-in.ts';
import { allocFrame, freeFrame, putFrame } from '../../kernel/frames/frames.ts';
import type { LockingProtocolName } from '../../kernel/locking/protocols.ts';
import { frameWord } from '../../kernel/machine/machine.ts';
import { peekEntry } from '../../kernel/paging/table.ts';
import { createProcess } from '../../kernel/lifecycle/create.ts';
import { exitProcess, releaseProcess } from '../../kernel/lifecycle/exit.ts';
import { processOf } from '../../kernel/processes/pid-table.ts';
import { agePages, evictPages } from '../../kernel/reclaim/evict.ts';
import {
  beginSwapRead,
  beginSwapWrite,
  endSwapWrite,
  finishSwapRead,
} from '../../kernel/objects/swap-map.ts';
import { sysMmap } from '../../kernel/syscalls/mmap.ts';
import { sysMunmap } from '../../kernel/syscalls/munmap.ts';
import { peek, poke } from '../../shared/atomics.ts';
import * as BOOT from '../../shared/layout/boot.ts';
import * as FRAME from '../../shared/layout/frame.ts';
import * as PROCESS from '../../shared/layout/process.ts';
import { PAGE_SIZE, TABLE_ENTRIES } from '../../shared/limits.ts';
import * as M from '../../shared/abi/mman.ts';
import * as pte from '../../shared/pte.ts';
import { expectClean, quiesce, testMachine, testProcess } from './kernel-helpers.ts';
import type { TestMachine } from './kernel-helpers.ts';

const RW: number = M.PROT_READ | M.PROT_WRITE;
export const PRIVATE: number = M.MAP_PRIVATE | M.MAP_ANONYMOUS | M.MAP_FIXED;
export const SHARED: number = M.MAP_SHARED | M.MAP_ANONYMOUS | M.MAP_FIXED;
export const BASE: number = 0x10000000;
export const VPN: number = BASE / PAGE_SIZE;

export interface Process {
  readonly pid: number;
  readonly proc: number;
  readonly space: number;
}

/** A machine with swap, and what the kernel worker does with the store. */
export class World {
  readonly t: TestMachine;
  readonly store: Map<number, Int32Array> = new Map();

  constructor(protocol: LockingProtocolName = 'rcu', swapSlots = 64) {
    this.t = testMachine({ protocol, swapSlots });
  }

  evict(process: Process, ...pages: number[]): number {
    const { cpu } = this.t;
    const vpns = pages.map((page) => VPN + page);
    const { slots, pages: count } = evictPages(cpu, process.space, vpns);
    for (const slot of slots) this.write(slot);
    return count;
  }

  write(slot: number): void {
    const { cpu, machine } = this.t;
    const pfn = beginSwapWrite(cpu, slot);
    if (pfn === 0) {
      endSwapWrite(cpu, slot, true);
      return;
    }
    const at = frameWord(machine, pfn);
    this.store.set(slot, machine.words.slice(at, at + TABLE_ENTRIES));
    putFrame(cpu, pfn);
    endSwapWrite(cpu, slot, true);
  }

  /** Reads a slot as the kernel worker does; false when nobody wants it any more. */
  read(slot: number): boolean {
    const { cpu, machine } = this.t;
    const uses = beginSwapRead(cpu, slot);
    const pfn = allocFrame(cpu, FRAME.USED);
    const page = this.store.get(slot);
    if (page === undefined) throw new Error(`slot ${slot} was never written`);
    machine.words.set(page, frameWord(machine, pfn));
    const done = finishSwapRead(cpu, slot, uses, pfn);
    if (!done) freeFrame(cpu, pfn);
    return done;
  }

  touch({ space }: Process, page: number, write: boolean): void {
    const { cpu } = this.t;
    for (let turn = 0; turn < 4; turn++) {
      const outcome = handleFault(cpu, space, VPN + page, write);
      if (outcome === FAULT_WAIT) {
        expect(cpu.faultObject).toBe(SWAP_STORE);
        expect(this.read(cpu.faultPage)).toBe(true);
      } else expect(outcome).toBe(FAULT_DONE);
    }
  }

  wordAt({ space }: Process, page: number): number {
    const entry = peekEntry(this.t.cpu, space, VPN + page);
    expect(pte.isPresent(entry)).toBe(true);
    return frameWord(this.t.machine, pte.pfnOf(entry));
  }

  get(process: Process, page: number): number {
    this.touch(process, page, false);
    return peek(this.t.machine.words, this.wordAt(process, page));
  }

  set(process: Process, page: number, value: number): void {
    this.touch(process, page, true);
    poke(this.t.machine.words, this.wordAt(process, page), value);
  }

  map({ proc }: Process, page: number, pages: number, flags: number): void {
    const at = BASE + page * PAGE_SIZE;
    expect(sysMmap(this.t.cpu, proc, at, pages * PAGE_SIZE, RW, flags, -1, 0)).toBe(at);
  }

  process(): Process {
    return testProcess(this.t);
  }

  fork(parent: Process): Process {
    const { cpu, machine } = this.t;
    const pid = createProcess(cpu, { name: 'child', cpu: 0, parent: parent.pid, fork: true });
    expect(pid).toBeGreaterThan(0);
    const proc = processOf(machine, pid);
    return { pid, proc, space: peek(machine.words, proc + PROCESS.SPACE) };
  }

  end(process: Process): void {
    exitProcess(this.t.cpu, process.pid, 0, 0, 0);
    releaseProcess(this.t.cpu, process.pid);
    quiesce(this.t);
  }

  used(): number {
    return peek(this.t.machine.words, BOOT.SWAP_USED);
  }
}

type Step = {
  readonly op: 'set' | 'evict' | 'unmap' | 'map' | 'fork' | 'exit' | 'age';
  readonly who: number;
  readonly page: number;
};

function runSteps(protocol: LockingProtocolName, steps: readonly Step[]): void {
  const w = new World(protocol, 12);
  const live: { process: Process; pages: (number | null)[] }[] = [
    { process: w.process(), pages: [null, null, null, null] },
  ];
  let value = 1;
  for (const { op, who, page } of steps) {
    const actor = live[who % live.length];
    if (actor === undefined) return;
    const { process, pages } = actor;
    const at = BASE + page * PAGE_SIZE;
    if (op === 'fork' && live.length < 4)
      live.push({ process: w.fork(process), pages: [...pages] });
    if (op === 'exit' && live.length > 1) {
      live.splice(who % live.length, 1);
      w.end(process);
    }
    if (op === 'evict') w.evict(process, page, page + 1);
    if (op === 'age') agePages(w.t.cpu, process.space, [VPN + page]);
    if (op === 'map') {
      w.map(process, page, 1, PRIVATE);
      pages[page] = 0;
    }
    if (op === 'unmap') {
      expect(sysMunmap(w.t.cpu, process.proc, at, PAGE_SIZE)).toBe(0);
      pages[page] = null;
    }
    if (op === 'set' && pages[page] !== null) {
      w.set(process, page, ++value);
      pages[page] = value;
    }
  }
  expectClean(w.t);
  for (const { process, pages } of live) {
    pages.forEach((expected, page) => {
      if (expected !== null) expect(w.get(process, page)).toBe(expected);
    });
  }
  expectClean(w.t);
  for (const { process } of live) w.end(process);
  expect(w.used()).toBe(0);
  expectClean(w.t);
}

/** Processes under `protocol` keep every page, whatever is swapped out when. */
export function compareSwap(protocol: LockingProtocolName): void {
  const step = fc.record({
    op: fc.constantFrom('set', 'set', 'evict', 'evict', 'unmap', 'map', 'fork', 'exit', 'age'),
    who: fc.nat(3),
    page: fc.nat(3),
  }) as fc.Arbitrary<Step>;
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => runSteps(protocol, steps)),
    { numRuns: 80, seed: 11 },
  );
}
