import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { handleFault } from '../../kernel/faults/fault.ts';
import { FAULT_DONE } from '../../kernel/machine/fault-codes.ts';
import { allocFrame, freeFrame } from '../../kernel/frames/frames.ts';
import { PROTOCOL_NAMES } from '../../kernel/locking/protocols.ts';
import type { LockingProtocolName } from '../../kernel/locking/protocols.ts';
import { frameWord } from '../../kernel/machine/machine.ts';
import { peekEntry } from '../../kernel/paging/table.ts';
import { createProcess } from '../../kernel/lifecycle/create.ts';
import { exitProcess, releaseProcess } from '../../kernel/lifecycle/exit.ts';
import { processOf } from '../../kernel/processes/pid-table.ts';
import { frameUsage } from '../../kernel/reports/usage.ts';
import { sysMmap } from '../../kernel/syscalls/mmap.ts';
import { sysMprotect } from '../../kernel/syscalls/mprotect.ts';
import { sysMunmap } from '../../kernel/syscalls/munmap.ts';
import { peek, poke } from '../../shared/atomics.ts';
import { ENOMEM } from '../../shared/abi/errno.ts';
import * as FRAME from '../../shared/layout/frame.ts';
import * as PROCESS from '../../shared/layout/process.ts';
import { PAGE_SIZE } from '../../shared/limits.ts';
import * as M from '../../shared/abi/mman.ts';
import * as pte from '../../shared/pte.ts';
import { expectClean, quiesce, testMachine, testProcess } from '../support/kernel-helpers.ts';
import type { TestMachine } from '../support/kernel-helpers.ts';

const RW = M.PROT_READ | M.PROT_WRITE;
const PRIVATE = M.MAP_PRIVATE | M.MAP_ANONYMOUS | M.MAP_FIXED;
const SHARED = M.MAP_SHARED | M.MAP_ANONYMOUS | M.MAP_FIXED;
const BASE = 0x10000000;

interface Process {
  readonly pid: number;
  readonly proc: number;
  readonly space: number;
}

/** A child of `parent` made by fork, or a negative errno. */
function fork(t: TestMachine, parent: Process): Process | number {
  const pid = createProcess(t.cpu, { name: 'child', cpu: 0, parent: parent.pid, fork: true });
  if (pid < 0) return pid;
  const proc = processOf(t.machine, pid);
  return { pid, proc, space: peek(t.machine.words, proc + PROCESS.SPACE) };
}

function mustFork(t: TestMachine, parent: Process): Process {
  const child = fork(t, parent);
  if (typeof child === 'number') throw new Error(`fork: ${child}`);
  return child;
}

function end(t: TestMachine, process: Process): void {
  exitProcess(t.cpu, process.pid, 0, 0, 0);
  releaseProcess(t.cpu, process.pid);
  quiesce(t);
}

/** The first word of a page as the process reads it, faulting as it would. */
function read(t: TestMachine, { space }: Process, page: number): number {
  const vpn = BASE / PAGE_SIZE + page;
  expect(handleFault(t.cpu, space, vpn, false)).toBe(FAULT_DONE);
  return peek(t.machine.words, frameWord(t.machine, pfnOf(t, space, page)));
}

function write(t: TestMachine, { space }: Process, page: number, value: number): void {
  const vpn = BASE / PAGE_SIZE + page;
  for (let turn = 0; turn < 2; turn++) {
    expect(handleFault(t.cpu, space, vpn, true)).toBe(FAULT_DONE);
  }
  const entry = peekEntry(t.cpu, space, vpn);
  expect(entry & pte.PTE_W).toBe(pte.PTE_W);
  poke(t.machine.words, frameWord(t.machine, pte.pfnOf(entry)), value);
}

function pfnOf(t: TestMachine, space: number, page: number): number {
  return pte.pfnOf(peekEntry(t.cpu, space, BASE / PAGE_SIZE + page));
}

function map(t: TestMachine, { proc }: Process, page: number, pages: number, flags: number): void {
  const at = BASE + page * PAGE_SIZE;
  expect(sysMmap(t.cpu, proc, at, pages * PAGE_SIZE, RW, flags, -1, 0)).toBe(at);
}

describe.each(PROTOCOL_NAMES)('fork under %s', (protocol) => {
  it('shares private pages until one side writes, and shared ones for ever', () => {
    const t = testMachine({ protocol });
    const parent = testProcess(t);
    map(t, parent, 0, 4, PRIVATE);
    map(t, parent, 8, 1, SHARED);
    write(t, parent, 0, 10);
    write(t, parent, 1, 11);
    write(t, parent, 8, 18);
    const child = mustFork(t, parent);
    expectClean(t);
    expect(pfnOf(t, child.space, 0)).toBe(pfnOf(t, parent.space, 0));
    write(t, child, 0, 20);
    write(t, parent, 1, 31);
    write(t, child, 8, 28);
    write(t, parent, 2, 32);
    expect([0, 1, 2, 3, 8].map((page) => read(t, parent, page))).toEqual([10, 31, 32, 0, 28]);
    expect([0, 1, 2, 3, 8].map((page) => read(t, child, page))).toEqual([20, 11, 0, 0, 28]);
    expectClean(t);
    end(t, parent);
    end(t, child);
    expectClean(t);
  });

  it('lets the sole owner that remains write in place', () => {
    const t = testMachine({ protocol });
    const parent = testProcess(t);
    map(t, parent, 0, 1, PRIVATE);
    write(t, parent, 0, 1);
    const pfn = pfnOf(t, parent.space, 0);
    const child = mustFork(t, parent);
    end(t, child);
    write(t, parent, 0, 2);
    expect(pfnOf(t, parent.space, 0)).toBe(pfn);
    expectClean(t);
  });

  it('never makes a shared frame writable by mprotect', () => {
    const t = testMachine({ protocol });
    const parent = testProcess(t);
    map(t, parent, 0, 1, PRIVATE);
    write(t, parent, 0, 1);
    expect(sysMprotect(t.cpu, parent.proc, BASE, PAGE_SIZE, M.PROT_READ)).toBe(0);
    const child = mustFork(t, parent);
    for (const { proc } of [parent, child]) {
      expect(sysMprotect(t.cpu, proc, BASE, PAGE_SIZE, RW)).toBe(0);
    }
    expect(peekEntry(t.cpu, parent.space, BASE / PAGE_SIZE) & pte.PTE_W).toBe(0);
    write(t, child, 0, 2);
    expect([read(t, parent, 0), read(t, child, 0)]).toEqual([1, 2]);
    expectClean(t);
  });

  it('keeps 100 generations of fork inside fork apart, and ends with the frames it had', () => {
    const t = testMachine({ protocol, frames: 8192 });
    const before = frameUsage(t.machine).used;
    const first = testProcess(t);
    map(t, first, 0, 3, PRIVATE);
    write(t, first, 0, 1000);
    const generations = [first as Process];
    for (let i = 1; i <= 100; i++) {
      const child = mustFork(t, generations[i - 1] as Process);
      write(t, child, 0, 1000 + i);
      generations.push(child);
    }
    expect(generations.map((process) => read(t, process, 0))).toEqual(
      generations.map((_, i) => 1000 + i),
    );
    expectClean(t);
    for (const process of generations) end(t, process);
    expectClean(t);
    expect(frameUsage(t.machine).used).toBe(before);
  });

  it('leaves no trace when memory ends in its midst', () => {
    const t = testMachine({ protocol, frames: 1024 });
    const parent = testProcess(t);
    map(t, parent, 0, 2, PRIVATE);
    map(t, parent, 5000, 2, PRIVATE);
    map(t, parent, 9000, 1, SHARED);
    for (const page of [0, 5000, 9000]) write(t, parent, page, page + 1);
    const taken: number[] = [];
    for (let pfn = allocFrame(t.cpu, FRAME.USED); pfn !== 0; pfn = allocFrame(t.cpu, FRAME.USED)) {
      taken.push(pfn);
    }
    let failures = 0;
    let child: Process | number = -ENOMEM;
    while (typeof child === 'number') {
      const free = frameUsage(t.machine).used;
      child = fork(t, parent);
      if (typeof child !== 'number') break;
      expect(child).toBe(-ENOMEM);
      quiesce(t);
      expect(frameUsage(t.machine).used).toBe(free);
      failures++;
      freeFrame(t.cpu, taken.pop() as number);
    }
    expect(failures).toBeGreaterThanOrEqual(4);
    for (const pfn of taken) freeFrame(t.cpu, pfn);
    for (const page of [0, 5000, 9000]) {
      expect(read(t, child, page)).toBe(page + 1);
      write(t, parent, page, page + 2);
    }
    expectClean(t);
  });
});

type Step =
  | { readonly op: 'fork'; readonly who: number }
  | { readonly op: 'exit'; readonly who: number }
  | {
      readonly op: 'write' | 'protect' | 'unmap' | 'map';
      readonly who: number;
      readonly page: number;
    };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ op: fc.constantFrom('fork', 'exit'), who: fc.nat(7) }),
  fc.record({
    op: fc.constantFrom('write', 'write', 'write', 'protect', 'unmap', 'map'),
    who: fc.nat(7),
    page: fc.nat(5),
  }),
);

/** What each process must read: its own private pages, or null where nothing is mapped. */
function run(protocol: LockingProtocolName, steps: readonly Step[]): void {
  const t = testMachine({ protocol });
  const live: { process: Process; pages: (number | null)[] }[] = [
    { process: testProcess(t), pages: [null, null, null, null, null, null] },
  ];
  let value = 1;
  for (const action of steps) {
    const actor = live[action.who % live.length];
    if (actor === undefined) return;
    const { process, pages } = actor;
    if (action.op === 'fork') {
      if (live.length < 8) live.push({ process: mustFork(t, process), pages: [...pages] });
    } else if (action.op === 'exit') {
      if (live.length > 1) live.splice(action.who % live.length, 1);
      if (!live.includes(actor)) end(t, process);
    } else {
      const { page, op } = action;
      const at = BASE + page * PAGE_SIZE;
      if (op === 'map') {
        map(t, process, page, 1, PRIVATE);
        pages[page] = 0;
      } else if (op === 'unmap') {
        expect(sysMunmap(t.cpu, process.proc, at, PAGE_SIZE)).toBe(0);
        pages[page] = null;
      } else if (pages[page] !== null && op === 'protect') {
        expect(sysMprotect(t.cpu, process.proc, at, PAGE_SIZE, M.PROT_READ)).toBe(0);
        expect(sysMprotect(t.cpu, process.proc, at, PAGE_SIZE, RW)).toBe(0);
      } else if (pages[page] !== null) {
        write(t, process, page, ++value);
        pages[page] = value;
      }
    }
    for (const { process, pages } of live) {
      pages.forEach((expected, page) => {
        if (expected !== null) expect(read(t, process, page)).toBe(expected);
      });
    }
  }
  expectClean(t);
}

describe('fork against a model', () => {
  it.each(PROTOCOL_NAMES)('gives each process its own memory under %s', (protocol) => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => run(protocol, steps)),
      { numRuns: 60, seed: 7 },
    );
  });
});
