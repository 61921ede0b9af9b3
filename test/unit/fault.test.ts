import { describe, expect, it } from 'vitest';

import { handleFault } from '../../kernel/faults/fault.ts';
import {
  FAULT_ACCERR,
  FAULT_DONE,
  FAULT_MAPERR,
  FAULT_NO_MEMORY,
} from '../../kernel/machine/fault-codes.ts';
import { PROTOCOL_NAMES } from '../../kernel/locking/protocols.ts';
import { sysMmap } from '../../kernel/syscalls/mmap.ts';
import { sysMprotect } from '../../kernel/syscalls/mprotect.ts';
import { sysMunmap } from '../../kernel/syscalls/munmap.ts';
import { createProcess } from '../../kernel/lifecycle/create.ts';
import { exitProcess, releaseProcess } from '../../kernel/lifecycle/exit.ts';
import { processOf } from '../../kernel/processes/pid-table.ts';
import { peek } from '../../shared/atomics.ts';
import * as PROCESS from '../../shared/layout/process.ts';
import { peekEntry } from '../../kernel/paging/table.ts';
import { frameUsage } from '../../kernel/reports/usage.ts';
import { frameWord } from '../../kernel/machine/machine.ts';
import {
  MAP_ANONYMOUS,
  MAP_PRIVATE,
  MAP_SHARED,
  PROT_NONE,
  PROT_READ,
  PROT_WRITE,
} from '../../shared/abi/mman.ts';
import { PAGE_SIZE } from '../../shared/limits.ts';
import * as pte from '../../shared/pte.ts';
import { expectClean, quiesce, testMachine, testProcess } from '../support/kernel-helpers.ts';

const RW = PROT_READ | PROT_WRITE;
const ANON = MAP_PRIVATE | MAP_ANONYMOUS;

describe.each(PROTOCOL_NAMES)('faults under %s', (protocol) => {
  it('maps lazily, zeroes on first touch, and leaves nothing behind', () => {
    const t = testMachine({ protocol });
    const before = frameUsage(t.machine).used;
    const { pid, proc, space } = testProcess(t);
    const at = sysMmap(t.cpu, proc, 0, 16 * PAGE_SIZE, RW, ANON, -1, 0);
    expect(at).toBeGreaterThan(0);
    const vpn = at / PAGE_SIZE;
    expectClean(t);
    expect(pte.isReserved(peekEntry(t.cpu, space, vpn))).toBe(true);
    expect(handleFault(t.cpu, space, vpn, true)).toBe(FAULT_DONE);
    const entry = peekEntry(t.cpu, space, vpn);
    expect(pte.isPresent(entry)).toBe(true);
    const word = frameWord(t.machine, pte.pfnOf(entry));
    expect(t.machine.words.subarray(word, word + 1024).every((value) => value === 0)).toBe(true);
    expect(handleFault(t.cpu, space, vpn - 1, false)).toBe(FAULT_MAPERR);
    expectClean(t);
    expect(sysMprotect(t.cpu, proc, at, PAGE_SIZE, PROT_READ)).toBe(0);
    expect(handleFault(t.cpu, space, vpn, true)).toBe(FAULT_ACCERR);
    expect(handleFault(t.cpu, space, vpn, false)).toBe(FAULT_DONE);
    expectClean(t);
    expect(sysMunmap(t.cpu, proc, at + 4 * PAGE_SIZE, 4 * PAGE_SIZE)).toBe(0);
    expect(handleFault(t.cpu, space, vpn + 4, false)).toBe(FAULT_MAPERR);
    expectClean(t);
    expect(sysMunmap(t.cpu, proc, at, 16 * PAGE_SIZE)).toBe(0);
    expectClean(t);
    quiesce(t);
    exitProcess(t.cpu, pid, 0, 0, 0);
    releaseProcess(t.cpu, pid);
    quiesce(t);
    expectClean(t);
    expect(frameUsage(t.machine).used).toBe(before);
  });

  it('keeps contents through PROT_NONE', () => {
    const t = testMachine({ protocol });
    const { proc, space } = testProcess(t);
    const at = sysMmap(t.cpu, proc, 0, PAGE_SIZE, RW, ANON, -1, 0);
    const vpn = at / PAGE_SIZE;
    handleFault(t.cpu, space, vpn, true);
    const pfn = pte.pfnOf(peekEntry(t.cpu, space, vpn));
    expect(sysMprotect(t.cpu, proc, at, PAGE_SIZE, PROT_NONE)).toBe(0);
    expect(handleFault(t.cpu, space, vpn, false)).toBe(FAULT_ACCERR);
    expect(sysMprotect(t.cpu, proc, at, PAGE_SIZE, RW)).toBe(0);
    expect(pte.pfnOf(peekEntry(t.cpu, space, vpn))).toBe(pfn);
    expectClean(t);
  });

  it('writes a gigabyte as a handful of entries and pushes them down when touched', () => {
    const t = testMachine({ protocol });
    const { proc, space } = testProcess(t);
    const tables = frameUsage(t.machine).tables;
    const at = sysMmap(t.cpu, proc, 0, 2 ** 30, RW, ANON, -1, 0);
    expect(frameUsage(t.machine).tables - tables).toBeLessThanOrEqual(2);
    expectClean(t);
    for (const offset of [0, 5000 * PAGE_SIZE, 2 ** 30 - PAGE_SIZE]) {
      expect(handleFault(t.cpu, space, (at + offset) / PAGE_SIZE, true)).toBe(FAULT_DONE);
    }
    expectClean(t);
    expect(sysMprotect(t.cpu, proc, at + 3 * PAGE_SIZE, 2 ** 29, PROT_READ)).toBe(0);
    expectClean(t);
    expect(sysMunmap(t.cpu, proc, at + PAGE_SIZE, 2 ** 30 - 2 * PAGE_SIZE)).toBe(0);
    expectClean(t);
    expect(sysMunmap(t.cpu, proc, at, 2 ** 30)).toBe(0);
    quiesce(t);
    expectClean(t);
    expect(frameUsage(t.machine).tables).toBeLessThanOrEqual(tables + 1);
  });

  it('answers out of memory as a result and recovers', () => {
    const t = testMachine({ protocol, frames: 256 });
    const { pid, proc, space } = testProcess(t);
    const at = sysMmap(t.cpu, proc, 0, 400 * PAGE_SIZE, RW, ANON, -1, 0);
    let outcome = FAULT_DONE;
    let touched = 0;
    while (outcome === FAULT_DONE && touched < 400) {
      outcome = handleFault(t.cpu, space, at / PAGE_SIZE + touched, true);
      touched++;
    }
    expect(outcome).toBe(FAULT_NO_MEMORY);
    expectClean(t);
    expect(sysMmap(t.cpu, proc, 0x1000_0000, PAGE_SIZE, RW, ANON | 0x10, -1, 0)).toBe(-12);
    expectClean(t);
    expect(sysMunmap(t.cpu, proc, at, 400 * PAGE_SIZE)).toBe(0);
    expect(sysMmap(t.cpu, proc, 0x1000_0000, PAGE_SIZE, RW, ANON | 0x10, -1, 0)).toBe(0x1000_0000);
    exitProcess(t.cpu, pid, 0, 0, 0);
    expectClean(t);
  });

  it('lets an inherited shared mapping meet at one frame', () => {
    const t = testMachine({ protocol });
    const parent = testProcess(t);
    const shared = MAP_SHARED | MAP_ANONYMOUS;
    const at = sysMmap(t.cpu, parent.proc, 0, 4 * PAGE_SIZE, RW, shared, -1, 0);
    const vpn = at / PAGE_SIZE;
    const child = childOf(t, parent.pid);
    expect(handleFault(t.cpu, child.space, vpn, true)).toBe(FAULT_DONE);
    expect(handleFault(t.cpu, parent.space, vpn, false)).toBe(FAULT_DONE);
    expect(pte.pfnOf(peekEntry(t.cpu, child.space, vpn))).toBe(
      pte.pfnOf(peekEntry(t.cpu, parent.space, vpn)),
    );
    expectClean(t);
    exitProcess(t.cpu, parent.pid, 0, 0, 0);
    expectClean(t);
    exitProcess(t.cpu, child.pid, 0, 0, 0);
    expectClean(t);
  });
});

function childOf(
  t: ReturnType<typeof testMachine>,
  parent: number,
): ReturnType<typeof testProcess> {
  const pid = createProcess(t.cpu, { name: 'child', cpu: 0, parent, inherit: true });
  const proc = processOf(t.machine, pid);
  return { pid, proc, space: peek(t.machine.words, proc + PROCESS.SPACE) };
}
