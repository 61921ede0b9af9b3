/*
 * Goal: each backend supplies the right page, shares or copies it as its mapping says, and gives
 * everything back. Method: the test is the kernel worker that reads the file and runs the hooks.
 */
import { beforeEach, describe, expect, it } from 'vitest';

import type { Cpu } from '../../kernel/machine/cpu.ts';
import { openFd, closeFd } from '../../kernel/objects/fd.ts';
import { handleFault } from '../../kernel/faults/fault.ts';
import {
  FAULT_ACCERR,
  FAULT_BUS,
  FAULT_DEVICE,
  FAULT_DONE,
  FAULT_WAIT,
} from '../../kernel/machine/fault-codes.ts';
import { frameRefs } from '../../kernel/frames/frames.ts';
import { frameWord } from '../../kernel/machine/machine.ts';
import { sysMmap } from '../../kernel/syscalls/mmap.ts';
import { TRY_KERNEL } from '../../kernel/machine/wait-codes.ts';
import { sysMprotect } from '../../kernel/syscalls/mprotect.ts';
import { sysMunmap } from '../../kernel/syscalls/munmap.ts';
import { createObject, putObject } from '../../kernel/objects/object.ts';
import { releaseFaultObject } from '../../kernel/faults/object-fault.ts';
import {
  abortPageIn,
  beginPageIn,
  finishPageIn,
  frameBytesOf,
  pageIsIn,
} from '../../kernel/faults/page-in.ts';
import { createProcess } from '../../kernel/lifecycle/create.ts';
import { exitProcess, releaseProcess } from '../../kernel/lifecycle/exit.ts';
import { processOf } from '../../kernel/processes/pid-table.ts';
import { areasOf } from '../../kernel/space/space.ts';
import { peekEntry } from '../../kernel/paging/table.ts';
import { frameUsage } from '../../kernel/reports/usage.ts';
import { peek, poke } from '../../shared/atomics.ts';
import { EACCES } from '../../shared/abi/errno.ts';
import * as BOOT from '../../shared/layout/boot.ts';
import * as OBJECT from '../../shared/layout/object.ts';
import * as PROCESS from '../../shared/layout/process.ts';
import * as SLAB from '../../shared/layout/slabs.ts';
import * as SPACE from '../../shared/layout/space.ts';
import { PAGE_SIZE, SPAN_PAGES } from '../../shared/limits.ts';
import * as M from '../../shared/abi/mman.ts';
import * as pte from '../../shared/pte.ts';
import { expectClean, quiesce, testMachine, testProcess } from '../support/kernel-helpers.ts';
import type { TestMachine } from '../support/kernel-helpers.ts';

const P = PAGE_SIZE;
const RW = M.PROT_READ | M.PROT_WRITE;
const { MAP_PRIVATE, MAP_SHARED, MAP_FIXED, MAP_ANONYMOUS } = M;
const VPN = 3 * SPAN_PAGES;

interface Process {
  pid: number;
  proc: number;
  space: number;
}

let t: TestMachine;
let cpu: Cpu;
let a: Process;

beforeEach(() => {
  t = testMachine();
  cpu = t.cpu;
  a = testProcess(t);
});

function open(process: Process, kind: number, bytes: number, host = 1): [number, number] {
  const object = createObject(cpu, { kind, size: bytes, host, writable: true });
  expect(object).toBeGreaterThan(0);
  const fd = openFd(cpu, process.proc, object, M.O_RDWR);
  putObject(cpu, object);
  return [object, fd];
}

function map(p: Process, vpn: number, pages: number, flags: number, fd = -1, page = 0, prot = RW) {
  const at = vpn * P;
  return sysMmap(cpu, p.proc, at, pages * P, prot, flags | MAP_FIXED, fd, page * P) === at;
}

/** A fault as a program sees it: a page that is missing is read from the "file" `page * 1000`. */
function touch(p: Process, vpn: number, write: boolean): number {
  let outcome = handleFault(cpu, p.space, vpn, write);
  if (outcome !== FAULT_WAIT) return outcome;
  const { faultObject, faultPage } = cpu;
  expect(pageIsIn(cpu, faultObject, faultPage)).toBe(false);
  const pfn = beginPageIn(cpu);
  const size = peek(cpu.words, faultObject + OBJECT.SIZE);
  const bytes = frameBytesOf(t.machine, pfn).subarray(0, Math.min(P, size - faultPage * P));
  bytes.fill(faultPage + 1);
  expect(finishPageIn(cpu, faultObject, faultPage, pfn)).toBe(true);
  releaseFaultObject(cpu, faultObject);
  outcome = handleFault(cpu, p.space, vpn, write);
  return outcome;
}

function pfnOf(p: Process, vpn: number): number {
  const entry = peekEntry(cpu, p.space, vpn);
  expect(pte.isPresent(entry)).toBe(true);
  return pte.pfnOf(entry);
}

function byteOf(p: Process, vpn: number, offset = 0): number {
  return frameBytesOf(t.machine, pfnOf(p, vpn))[offset] as number;
}

/** Ends the processes; every frame but those of mapping records must be free. */
function endAll(...processes: Process[]): void {
  for (const { pid } of processes) {
    exitProcess(cpu, pid, 0, 0, 0);
    releaseProcess(cpu, pid);
  }
  quiesce(t);
  expectClean(t);
  expect(frameUsage(t.machine).used).toBeLessThanOrEqual(1);
}

describe('file', () => {
  it('is read once, shared by processes, and copied by a private write', () => {
    const b = testProcess(t);
    const [object, fd] = open(a, OBJECT.FILE, 8 * P);
    const fdB = openFd(cpu, b.proc, object, M.O_RDONLY);
    expect(map(a, VPN, 4, MAP_PRIVATE, fd, 2)).toBe(true);
    expect(map(b, VPN, 4, MAP_PRIVATE, fdB, 3)).toBe(true);
    expect(touch(a, VPN + 1, false)).toBe(FAULT_DONE);
    expect(handleFault(cpu, b.space, VPN, false)).toBe(FAULT_DONE);
    const cache = pfnOf(a, VPN + 1);
    expect(pfnOf(b, VPN)).toBe(cache);
    expect(byteOf(a, VPN + 1)).toBe(4);
    expect(frameRefs(t.machine, cache)).toBe(3);
    expectClean(t);
    expect(handleFault(cpu, a.space, VPN + 1, true)).toBe(FAULT_DONE);
    const copy = pfnOf(a, VPN + 1);
    expect(copy).not.toBe(cache);
    expect(frameRefs(t.machine, cache)).toBe(2);
    expect(byteOf(a, VPN + 1)).toBe(4);
    poke(cpu.words, frameWord(t.machine, copy), 0x5a5a5a5a);
    expect(byteOf(b, VPN)).toBe(4);
    // A first touch that writes copies at once.
    expect(touch(a, VPN + 2, true)).toBe(FAULT_DONE);
    expect(byteOf(a, VPN + 2)).toBe(5);
    expect(frameRefs(t.machine, pfnOf(a, VPN + 2))).toBe(1);
    // A write after mprotect took the permission and gave it back still copies.
    expect(sysMprotect(cpu, b.proc, VPN * P, P, M.PROT_READ)).toBe(0);
    expect(sysMprotect(cpu, b.proc, VPN * P, P, RW)).toBe(0);
    expect(peekEntry(cpu, b.space, VPN) & (pte.PTE_W | pte.PTE_COW)).toBe(pte.PTE_COW);
    expect(handleFault(cpu, b.space, VPN, true)).toBe(FAULT_DONE);
    expect(pfnOf(b, VPN)).not.toBe(cache);
    expectClean(t);
    endAll(a, b);
  });

  it('is written in place by a shared mapping, which a private one sees until it copies', () => {
    const [, fd] = open(a, OBJECT.FILE, 2 * P);
    expect(map(a, VPN, 2, MAP_SHARED, fd)).toBe(true);
    expect(map(a, VPN + 8, 2, MAP_PRIVATE, fd)).toBe(true);
    expect(touch(a, VPN, true)).toBe(FAULT_DONE);
    expect(handleFault(cpu, a.space, VPN + 8, false)).toBe(FAULT_DONE);
    expect(pfnOf(a, VPN + 8)).toBe(pfnOf(a, VPN));
    expect(handleFault(cpu, a.space, VPN + 8, true)).toBe(FAULT_DONE);
    expect(pfnOf(a, VPN + 8)).not.toBe(pfnOf(a, VPN));
    endAll(a);
  });

  it('ends with zeroes in its last page, and with SIGBUS beyond', () => {
    const [, fd] = open(a, OBJECT.FILE, P + 100);
    expect(map(a, VPN, 4, MAP_PRIVATE, fd)).toBe(true);
    expect(touch(a, VPN + 1, false)).toBe(FAULT_DONE);
    expect(byteOf(a, VPN + 1, 99)).toBe(2);
    expect(byteOf(a, VPN + 1, 100)).toBe(0);
    expect(byteOf(a, VPN + 1, P - 1)).toBe(0);
    expect(touch(a, VPN + 2, false)).toBe(FAULT_BUS);
    expect(touch(a, VPN + 3, true)).toBe(FAULT_BUS);
    expectClean(t);
    endAll(a);
  });

  it('keeps its offsets when areas are split, and each half reads its own pages', () => {
    const [, fd] = open(a, OBJECT.FILE, 16 * P);
    expect(map(a, VPN, 12, MAP_PRIVATE, fd, 3)).toBe(true);
    expect(sysMunmap(cpu, a.proc, (VPN + 4) * P, 2 * P)).toBe(0);
    expect(sysMprotect(cpu, a.proc, (VPN + 8) * P, P, M.PROT_READ)).toBe(0);
    expect(areasOf(cpu, a.space).len()).toBe(4);
    for (const page of [0, 3, 6, 7, 8, 9, 11]) {
      expect(touch(a, VPN + page, false)).toBe(FAULT_DONE);
      expect(byteOf(a, VPN + page)).toBe(page + 3 + 1);
    }
    expectClean(t);
    endAll(a);
  });

  it('stays while it is mapped, and goes with its last mapping', () => {
    const [, fd] = open(a, OBJECT.FILE, 4 * P);
    expect(map(a, VPN, 4, MAP_SHARED, fd)).toBe(true);
    expect(closeFd(cpu, a.proc, fd)).toBe(0);
    expect(touch(a, VPN, false)).toBe(FAULT_DONE);
    expectClean(t);
    const live = () => peek(cpu.words, BOOT.SLABS + SLAB.OBJECT * SLAB.STATE_WORDS + 1);
    expect(sysMunmap(cpu, a.proc, VPN * P, 3 * P)).toBe(0);
    expect(live()).toBe(1);
    expect(sysMunmap(cpu, a.proc, VPN * P, 4 * P)).toBe(0);
    expect(live()).toBe(0);
    expectClean(t);
    endAll(a);
  });

  it('lets a page-in fail, or come second', () => {
    const [object, fd] = open(a, OBJECT.FILE, 4 * P);
    expect(map(a, VPN, 4, MAP_SHARED, fd)).toBe(true);
    expect(handleFault(cpu, a.space, VPN, false)).toBe(FAULT_WAIT);
    expect([cpu.faultObject, cpu.faultPage]).toEqual([object, 0]);
    abortPageIn(cpu, beginPageIn(cpu));
    const [first, second] = [beginPageIn(cpu), beginPageIn(cpu)];
    expect(finishPageIn(cpu, object, 0, first)).toBe(true);
    expect(finishPageIn(cpu, object, 0, second)).toBe(true);
    releaseFaultObject(cpu, object);
    expect(handleFault(cpu, a.space, VPN, false)).toBe(FAULT_DONE);
    expect(pfnOf(a, VPN)).toBe(first);
    expectClean(t);
    endAll(a);
  });

  it('reaches pages under an index of any height', () => {
    const [object, fd] = open(a, OBJECT.FILE, 2 ** 34);
    expect(peek(cpu.words, object + OBJECT.INDEX_HEIGHT)).toBe(1);
    for (const page of [0, 1023, 1024, 2 ** 20, 2 ** 22 - 1]) {
      expect(map(a, VPN, 1, MAP_SHARED, fd, page)).toBe(true);
      expect(handleFault(cpu, a.space, VPN, false)).toBe(FAULT_WAIT);
      expect(cpu.faultPage).toBe(page);
      expect(finishPageIn(cpu, object, page, beginPageIn(cpu))).toBe(true);
      releaseFaultObject(cpu, object);
      expect(handleFault(cpu, a.space, VPN, false)).toBe(FAULT_DONE);
    }
    expect(peek(cpu.words, object + OBJECT.INDEX_HEIGHT)).toBe(3);
    expectClean(t);
    endAll(a);
  });
});

describe('shared and inherited memory', () => {
  it('meets at one frame in parent and child, whoever is first', () => {
    const [, fd] = open(a, OBJECT.FILE, 4 * P);
    expect(map(a, VPN, 4, MAP_SHARED | MAP_ANONYMOUS)).toBe(true);
    expect(map(a, VPN + 8, 4, MAP_PRIVATE | MAP_ANONYMOUS)).toBe(true);
    expect(map(a, VPN + 16, 4, MAP_SHARED, fd, 1)).toBe(true);
    expect(sysMunmap(cpu, a.proc, (VPN + 1) * P, P)).toBe(0);
    const pid = createProcess(cpu, { name: 'child', cpu: 0, parent: a.pid, inherit: true });
    const proc = processOf(t.machine, pid);
    const b = { pid, proc, space: peek(cpu.words, proc + PROCESS.SPACE) };
    const starts = areasOf(cpu, b.space)
      .iter()
      .map((area) => area.start / P - VPN);
    expect(starts).toEqual([0, 2, 16]);
    expect(touch(b, VPN + 2, true)).toBe(FAULT_DONE);
    expect(touch(a, VPN + 2, false)).toBe(FAULT_DONE);
    expect(pfnOf(a, VPN + 2)).toBe(pfnOf(b, VPN + 2));
    expect(touch(a, VPN + 17, false)).toBe(FAULT_DONE);
    expect(touch(b, VPN + 17, true)).toBe(FAULT_DONE);
    expect(pfnOf(a, VPN + 17)).toBe(pfnOf(b, VPN + 17));
    expect(byteOf(b, VPN + 17)).toBe(3);
    expectClean(t);
    exitProcess(cpu, a.pid, 0, 0, 0);
    expectClean(t);
    expect(touch(b, VPN + 3, true)).toBe(FAULT_DONE);
    expect(closeFd(cpu, b.proc, fd)).toBe(0);
    exitProcess(cpu, b.pid, 0, 0, 0);
    releaseProcess(cpu, a.pid);
    releaseProcess(cpu, b.pid);
    endAll();
  });
});

describe('device', () => {
  it('is asked at each access, and is never resident', () => {
    const [object, fd] = open(a, OBJECT.DEVICE, 1024 * P);
    expect(map(a, VPN, 1024, MAP_SHARED, fd, 0, M.PROT_READ)).toBe(true);
    for (const page of [0, 5, 1023]) {
      expect(handleFault(cpu, a.space, VPN + page, false)).toBe(FAULT_DEVICE);
      expect([cpu.faultObject, cpu.faultPage]).toEqual([object, page]);
      releaseFaultObject(cpu, object);
      expect(handleFault(cpu, a.space, VPN + page, true)).toBe(FAULT_ACCERR);
    }
    expect(peek(cpu.words, a.space + SPACE.RESIDENT)).toBe(0);
    expect(sysMunmap(cpu, a.proc, (VPN + 1) * P, P)).toBe(0);
    expect(handleFault(cpu, a.space, VPN + 2, false)).toBe(FAULT_DEVICE);
    expect(cpu.faultPage).toBe(2);
    releaseFaultObject(cpu, object);
    expectClean(t);
    endAll(a);
  });
});

describe('linear', () => {
  it('is present from the start, page by page where nothing is aligned', () => {
    const [object, fd] = open(a, OBJECT.LINEAR, 100 * P);
    const base = peek(cpu.words, object + OBJECT.BASE_PFN);
    expect(map(a, VPN + 1, 50, MAP_SHARED, fd, 7)).toBe(true);
    expect(peek(cpu.words, a.space + SPACE.RESIDENT)).toBe(50);
    for (const page of [0, 49]) expect(pfnOf(a, VPN + 1 + page)).toBe(base + 7 + page);
    expect([frameRefs(t.machine, base + 6), frameRefs(t.machine, base + 7)]).toEqual([1, 2]);
    expect(handleFault(cpu, a.space, VPN + 1, true)).toBe(FAULT_DONE);
    expect(pfnOf(a, VPN + 1)).toBe(base + 7);
    expectClean(t);
    expect(sysMunmap(cpu, a.proc, VPN * P, 20 * P)).toBe(0);
    expect(frameRefs(t.machine, base + 7)).toBe(1);
    expectClean(t);
    endAll(a);
  });

  it('is a superpage where both sides are aligned, and no object beyond one block', () => {
    const big = { kind: OBJECT.LINEAR, size: 1025 * P, host: 1, writable: true };
    expect(createObject(cpu, big)).toBe(0);
    const [, fd] = open(a, OBJECT.LINEAR, 1024 * P);
    expect(map(a, VPN, 1024, MAP_SHARED, fd)).toBe(true);
    expect(peekEntry(cpu, a.space, VPN + 9) & pte.PTE_S).toBe(pte.PTE_S);
    expect(peek(cpu.words, a.space + SPACE.RESIDENT)).toBe(1024);
    expectClean(t);
    endAll(a);
  });
});

describe('user backends', () => {
  const asked: string[] = [];
  let refuse = '';

  function hook(name: string): (host: number, start: number, size: number) => boolean {
    return (host, start, size) => {
      asked.push(`${name} ${host} ${start / P - VPN} ${size / P}`);
      return refuse !== name;
    };
  }

  beforeEach(() => {
    asked.length = 0;
    refuse = '';
    cpu.userHooks = {
      ...{ map: hook('map'), unmap: hook('unmap'), protect: hook('protect') },
      changeMapping: () => true,
      endSpace: () => {},
    };
  });

  /** Entries and areas, to see that a refused call changed nothing. */
  function state(): unknown {
    const entries = [...Array(16).keys()].map((page) => peekEntry(cpu, a.space, VPN + page));
    const areas = areasOf(cpu, a.space).iter();
    return { entries, areas: areas.map(({ start, end, flags }) => [start, end, flags]) };
  }

  it('are asked before each change, and supply pages as files do', () => {
    const [, fd] = open(a, OBJECT.USER, 16 * P, 77);
    expect(map(a, VPN, 4, MAP_SHARED, fd, 5)).toBe(true);
    expect(touch(a, VPN + 1, true)).toBe(FAULT_DONE);
    expect(byteOf(a, VPN + 1)).toBe(7);
    expect(sysMprotect(cpu, a.proc, (VPN + 1) * P, P, M.PROT_READ)).toBe(0);
    expect(sysMunmap(cpu, a.proc, (VPN + 2) * P, P)).toBe(0);
    expect(asked).toEqual(['map 77 0 4', 'protect 77 1 1', 'unmap 77 2 1']);
    expectClean(t);
    // The end of a process asks nobody.
    refuse = 'unmap';
    endAll(a);
    expect(asked).toHaveLength(3);
  });

  it.each([
    ['refuse with EACCES', () => undefined, -EACCES],
    ['cannot run on another CPU', () => (cpu.userHooks = null), -TRY_KERNEL],
  ])('%s, and all is as before', (_what, prepare, answer) => {
    const [, fd] = open(a, OBJECT.USER, 16 * P, 77);
    expect(map(a, VPN, 4, MAP_PRIVATE | MAP_ANONYMOUS)).toBe(true);
    expect(map(a, VPN + 4, 4, MAP_SHARED, fd)).toBe(true);
    expect(map(a, VPN + 8, 4, MAP_PRIVATE | MAP_ANONYMOUS)).toBe(true);
    for (const page of [1, 2, 9]) expect(touch(a, VPN + page, true)).toBe(FAULT_DONE);
    expect(touch(a, VPN + 5, true)).toBe(FAULT_DONE);
    const before = state();
    prepare();
    const at = VPN * P;
    const flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;
    const calls: [string, () => number][] = [
      ['unmap', () => sysMunmap(cpu, a.proc, at + P, 10 * P)],
      ['protect', () => sysMprotect(cpu, a.proc, at + P, 10 * P, M.PROT_READ)],
      ['unmap', () => sysMmap(cpu, a.proc, at, 12 * P, RW, flags, -1, 0)],
      ['map', () => sysMmap(cpu, a.proc, at, 2 * P, RW, MAP_SHARED | MAP_FIXED, fd, 0)],
    ];
    for (const [name, call] of calls) {
      refuse = name;
      expect(call()).toBe(answer);
      // mprotect keeps what it did before it met the area that refuses, as in Linux.
      if (name === 'protect') sysMprotect(cpu, a.proc, at + P, 3 * P, RW);
      expect(state()).toEqual(before);
      expectClean(t);
    }
    endAll(a);
  });
});
