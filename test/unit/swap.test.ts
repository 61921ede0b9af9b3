import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { handleFault } from '../../kernel/faults/fault.ts';
import { FAULT_DONE, FAULT_WAIT } from '../../kernel/machine/fault-codes.ts';
import { SWAP_STORE } from '../../kernel/faults/swap-in.ts';
import { frameUsage } from '../../kernel/index.ts';
import { allocFrame, freeFrame, putFrame } from '../../kernel/frames/frames.ts';
import type { LockingProtocolName } from '../../kernel/locking/protocols.ts';
import { PROTOCOL_NAMES } from '../../kernel/locking/protocols.ts';
import { frameWord } from '../../kernel/machine/machine.ts';
import { peekEntry } from '../../kernel/paging/table.ts';
import { createProcess } from '../../kernel/lifecycle/create.ts';
import { exitProcess, releaseProcess } from '../../kernel/lifecycle/exit.ts';
import { processOf } from '../../kernel/processes/pid-table.ts';
import { findCandidates } from '../../kernel/reclaim/candidates.ts';
import type { Candidate } from '../../kernel/reclaim/candidates.ts';
import { agePages, evictPages } from '../../kernel/reclaim/evict.ts';
import {
  beginSwapRead,
  beginSwapWrite,
  dropCleanFrames,
  endSwapWrite,
  finishSwapRead,
} from '../../kernel/objects/swap-map.ts';
import { sysMmap } from '../../kernel/syscalls/mmap.ts';
import { sysMprotect } from '../../kernel/syscalls/mprotect.ts';
import { sysMunmap } from '../../kernel/syscalls/munmap.ts';
import { peek, poke } from '../../shared/atomics.ts';
import * as BOOT from '../../shared/layout/boot.ts';
import * as FRAME from '../../shared/layout/frame.ts';
import * as PROCESS from '../../shared/layout/process.ts';
import { PAGE_SIZE, TABLE_ENTRIES } from '../../shared/limits.ts';
import * as M from '../../shared/abi/mman.ts';
import * as pte from '../../shared/pte.ts';
import { expectClean, quiesce, testMachine, testProcess } from '../support/kernel-helpers.ts';
import type { TestMachine } from '../support/kernel-helpers.ts';

const RW = M.PROT_READ | M.PROT_WRITE;
const PRIVATE = M.MAP_PRIVATE | M.MAP_ANONYMOUS | M.MAP_FIXED;
const SHARED = M.MAP_SHARED | M.MAP_ANONYMOUS | M.MAP_FIXED;
const BASE = 0x10000000;
const VPN = BASE / PAGE_SIZE;

interface Process {
  readonly pid: number;
  readonly proc: number;
  readonly space: number;
}

/** A machine with swap, and what the kernel worker does with the store. */
class World {
  readonly t: TestMachine;
  readonly store = new Map<number, Int32Array>();

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

describe.each(PROTOCOL_NAMES)('swap under %s', (protocol) => {
  it('takes pages out and brings them back as they were', () => {
    const w = new World(protocol);
    const p = w.process();
    w.map(p, 0, 4, PRIVATE);
    for (const page of [0, 1, 2]) w.set(p, page, page + 10);
    expect(w.evict(p, 0, 1, 2, 3)).toBe(3);
    expect(w.used()).toBe(3);
    expectClean(w.t);
    for (const page of [0, 1, 2, 3]) {
      expect(pte.isPresent(peekEntry(w.t.cpu, p.space, VPN + page))).toBe(false);
    }
    expect([0, 1, 2, 3].map((page) => w.get(p, page))).toEqual([10, 11, 12, 0]);
    expect(w.used()).toBe(0);
    w.set(p, 0, 20);
    expect(w.get(p, 0)).toBe(20);
    expectClean(w.t);
  });

  it('gives a page back that is written at that moment', () => {
    const w = new World(protocol);
    const p = w.process();
    w.map(p, 0, 1, PRIVATE);
    w.set(p, 0, 1);
    const { slots } = evictPages(w.t.cpu, p.space, [VPN]);
    const slot = slots[0] as number;
    const pfn = beginSwapWrite(w.t.cpu, slot);
    expect(handleFault(w.t.cpu, p.space, VPN, true)).toBe(FAULT_DONE);
    putFrame(w.t.cpu, pfn);
    expect(endSwapWrite(w.t.cpu, slot, true)).toBe(0);
    w.set(p, 0, 2);
    expect(w.get(p, 0)).toBe(2);
    expectClean(w.t);
  });

  it('does not take a late answer of the store for the page that has the slot now', () => {
    const w = new World(protocol, 1);
    const p = w.process();
    w.map(p, 0, 2, PRIVATE);
    w.set(p, 0, 1);
    w.evict(p, 0);
    const uses = beginSwapRead(w.t.cpu, 1);
    const old = w.store.get(1) as Int32Array;
    expect(w.get(p, 0)).toBe(1);
    w.set(p, 1, 2);
    expect(w.evict(p, 1)).toBe(1);
    const pfn = allocFrame(w.t.cpu, FRAME.USED);
    w.t.machine.words.set(old, frameWord(w.t.machine, pfn));
    expect(finishSwapRead(w.t.cpu, 1, uses, pfn)).toBe(false);
    freeFrame(w.t.cpu, pfn);
    expect(w.get(p, 1)).toBe(2);
    expectClean(w.t);
  });

  it('does not ask the store for a page that is on its way there', () => {
    const w = new World(protocol, 1);
    const p = w.process();
    w.map(p, 0, 1, PRIVATE);
    w.set(p, 0, 1);
    expect(evictPages(w.t.cpu, p.space, [VPN]).slots).toEqual([1]);
    expect(beginSwapRead(w.t.cpu, 1)).toBe(0);
    const pfn = beginSwapWrite(w.t.cpu, 1);
    expect(beginSwapRead(w.t.cpu, 1)).toBe(0);
    putFrame(w.t.cpu, pfn);
    endSwapWrite(w.t.cpu, 1, true);
    expect(beginSwapRead(w.t.cpu, 1)).not.toBe(0);
    expect(sysMunmap(w.t.cpu, p.proc, VPN * PAGE_SIZE, PAGE_SIZE)).toBe(0);
    expect(beginSwapRead(w.t.cpu, 1)).toBe(0);
    expectClean(w.t);
  });

  it('leaves pages where they are when swap is full, locked ones and shared ones', () => {
    const w = new World(protocol, 2);
    const p = w.process();
    w.map(p, 0, 4, PRIVATE);
    w.map(p, 8, 1, SHARED);
    for (const page of [0, 1, 2, 3, 8]) w.set(p, page, page + 1);
    expect(w.evict(p, 0, 1, 2, 3)).toBe(2);
    expect([0, 1, 2, 3].map((page) => w.get(p, page))).toEqual([1, 2, 3, 4]);
    expectClean(w.t);
    // Out of the page table, not out of memory: the object has it.
    expect(w.evict(p, 8)).toBe(1);
    expect(w.used()).toBe(0);
    expect(w.get(p, 8)).toBe(9);
    expectClean(w.t);
  });

  it('shares one slot among forked processes, and frees it with the last', () => {
    const w = new World(protocol);
    const parent = w.process();
    w.map(parent, 0, 2, PRIVATE);
    w.set(parent, 0, 1);
    w.set(parent, 1, 2);
    w.evict(parent, 0);
    const child = w.fork(parent);
    expect(w.used()).toBe(1);
    expectClean(w.t);
    expect(w.evict(parent, 1) + w.evict(child, 1)).toBe(2);
    expect(w.used()).toBe(2);
    expectClean(w.t);
    w.set(child, 0, 5);
    w.set(child, 1, 6);
    expect([w.get(parent, 0), w.get(parent, 1)]).toEqual([1, 2]);
    expect([w.get(child, 0), w.get(child, 1)]).toEqual([5, 6]);
    expectClean(w.t);
    w.evict(parent, 0, 1);
    w.evict(child, 0, 1);
    w.end(child);
    expect(w.used()).toBe(2);
    expect(sysMprotect(w.t.cpu, parent.proc, BASE, PAGE_SIZE, M.PROT_READ)).toBe(0);
    expect(w.get(parent, 0)).toBe(1);
    expect(sysMunmap(w.t.cpu, parent.proc, BASE, 2 * PAGE_SIZE)).toBe(0);
    expect(w.used()).toBe(0);
    expectClean(w.t);
  });

  it('frees the frame of a written page that its last user lets go of', () => {
    const w = new World(protocol);
    const parent = w.process();
    w.map(parent, 0, 2, PRIVATE);
    w.set(parent, 0, 1);
    w.set(parent, 1, 2);
    w.evict(parent, 0, 1);
    const child = w.fork(parent);
    const before = frameUsage(w.t.machine).used;

    // Read, for the child alone, and taken out again: nothing is to be written.
    expect([w.get(child, 1), frameUsage(w.t.machine).used]).toEqual([2, before + 1]);
    expect(w.evict(child, 1)).toBe(1);
    expect(frameUsage(w.t.machine).used).toBe(before);

    // Read, and copied for a store: the map alone has what was read.
    w.set(child, 1, 4);
    expect(frameUsage(w.t.machine).used).toBe(before + 2);
    const { freed, next } = dropCleanFrames(w.t.cpu, 1, 1);
    expect(freed + dropCleanFrames(w.t.cpu, next, 100).freed).toBe(1);
    expect(frameUsage(w.t.machine).used).toBe(before + 1);
    expect([w.get(parent, 0), w.get(parent, 1), w.get(child, 1)]).toEqual([1, 2, 4]);
    // In use by the parent: it stays.
    expect(dropCleanFrames(w.t.cpu, 1, 100).freed).toBe(0);
    expectClean(w.t);
  });

  it('clears the accessed bit, which the next access sets again', () => {
    const w = new World(protocol);
    const p = w.process();
    w.map(p, 0, 3, PRIVATE);
    for (const page of [0, 1]) w.set(p, page, 1);
    const seen = (): boolean[] => {
      const found: Candidate[] = [];
      findCandidates(w.t.cpu, p.space, 0, 100, found);
      return found.map(({ accessed }) => accessed);
    };
    expect(seen()).toEqual([true, true]);
    agePages(w.t.cpu, p.space, [VPN, VPN + 1, VPN + 2]);
    expect(seen()).toEqual([false, false]);
    expectClean(w.t);
  });
});

type Step = {
  readonly op: 'set' | 'evict' | 'unmap' | 'map' | 'fork' | 'exit' | 'age';
  readonly who: number;
  readonly page: number;
};

function run(protocol: LockingProtocolName, steps: readonly Step[]): void {
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

describe('swap against a model', () => {
  it.each(PROTOCOL_NAMES)('keeps every page under %s', (protocol) => {
    const step = fc.record({
      op: fc.constantFrom('set', 'set', 'evict', 'evict', 'unmap', 'map', 'fork', 'exit', 'age'),
      who: fc.nat(3),
      page: fc.nat(3),
    }) as fc.Arbitrary<Step>;
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => run(protocol, steps)),
      { numRuns: 80, seed: 11 },
    );
  });
});
