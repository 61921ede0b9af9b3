/*
 * Goal: private anonymous memory that is only read costs no frame, and nobody ever writes the zero
 * page. Method: faults by hand on a small machine; the audit looks at every entry afterwards.
 */
import { beforeEach, describe, expect, it } from 'vitest';

import type { Cpu } from '../../kernel/machine/cpu.ts';
import { FAULT_ACCERR, FAULT_DONE } from '../../kernel/machine/fault-codes.ts';
import { handleFault } from '../../kernel/faults/fault.ts';
import { frameWord } from '../../kernel/machine/machine.ts';
import { walk } from '../../kernel/mmu/walk.ts';
import { resumeUser } from '../../kernel/mmu/user-mode.ts';
import { peekEntry } from '../../kernel/paging/table.ts';
import { leaveKernel } from '../../kernel/machine/cpu-mode.ts';
import { enterKernel } from '../../kernel/mmu/kernel-entry.ts';
import { exitProcess, releaseProcess } from '../../kernel/lifecycle/exit.ts';
import { frameUsage } from '../../kernel/reports/usage.ts';
import { sysMmap } from '../../kernel/syscalls/mmap.ts';
import { sysMprotect } from '../../kernel/syscalls/mprotect.ts';
import { sysMunmap } from '../../kernel/syscalls/munmap.ts';
import { PROTOCOL_NAMES } from '../../kernel/locking/protocols.ts';
import { FLUSH_POLICIES } from '../../kernel/machine/flush-policies.ts';
import { peek, poke } from '../../shared/atomics.ts';
import * as SPACE from '../../shared/layout/space.ts';
import { PAGE_SIZE, SPAN_PAGES } from '../../shared/limits.ts';
import * as M from '../../shared/abi/mman.ts';
import * as pte from '../../shared/pte.ts';
import { expectClean, quiesce, testMachine, testProcess } from '../support/kernel-helpers.ts';
import type { TestMachine } from '../support/kernel-helpers.ts';

const RW = M.PROT_READ | M.PROT_WRITE;
const ANON = M.MAP_PRIVATE | M.MAP_ANONYMOUS | M.MAP_FIXED;
const VPN = 3 * SPAN_PAGES;

let t: TestMachine;
let cpu: Cpu;
let p: { pid: number; proc: number; space: number };

function setUp(options: Parameters<typeof testMachine>[0] = {}): void {
  t = testMachine(options);
  cpu = t.cpu;
  p = testProcess(t);
}

function map(pages: number, prot: number = RW): void {
  const at = VPN * PAGE_SIZE;
  expect(sysMmap(cpu, p.proc, at, pages * PAGE_SIZE, prot, ANON, -1, 0)).toBe(at);
}

function protect(pages: number, prot: number): void {
  expect(sysMprotect(cpu, p.proc, VPN * PAGE_SIZE, pages * PAGE_SIZE, prot)).toBe(0);
}

function entry(page = 0): number {
  return peekEntry(cpu, p.space, VPN + page);
}

function resident(): number {
  return peek(cpu.words, p.space + SPACE.RESIDENT);
}

beforeEach(() => setUp());

describe('the zero page', () => {
  it('is what reads of untouched memory see, for no frame of their own', () => {
    map(8);
    const before = frameUsage(t.machine).used;
    for (let i = 0; i < 8; i++) expect(handleFault(cpu, p.space, VPN + i, false)).toBe(FAULT_DONE);
    for (let i = 0; i < 8; i++) expect(pte.isZeroPage(entry(i))).toBe(true);
    expect(frameUsage(t.machine).used).toBe(before);
    expect(resident()).toBe(0);
    expectClean(t);
  });

  it('gives way to a zeroed frame at the first write', () => {
    map(2);
    handleFault(cpu, p.space, VPN, false);
    expect(handleFault(cpu, p.space, VPN, true)).toBe(FAULT_DONE);
    expect(entry() & (pte.PTE_W | pte.PTE_D | pte.PTE_COW)).toBe(pte.PTE_W | pte.PTE_D);
    const word = frameWord(t.machine, pte.pfnOf(entry()));
    expect(peek(cpu.words, word)).toBe(0);
    poke(cpu.words, word, 7);
    handleFault(cpu, p.space, VPN + 1, false);
    expect(peek(cpu.words, frameWord(t.machine, pte.pfnOf(entry(1))))).toBe(0);
    expect(resident()).toBe(1);
    expectClean(t);
  });

  it('is never made writable by mprotect', () => {
    map(1, M.PROT_READ);
    handleFault(cpu, p.space, VPN, false);
    expect(handleFault(cpu, p.space, VPN, true)).toBe(FAULT_ACCERR);
    protect(1, RW);
    expect(entry() & (pte.PTE_W | pte.PTE_COW)).toBe(pte.PTE_COW);
    expectClean(t);
    expect(handleFault(cpu, p.space, VPN, true)).toBe(FAULT_DONE);
    expect(pte.isZeroPage(entry())).toBe(false);
    expectClean(t);
  });

  it('survives PROT_NONE and is given back without a count', () => {
    map(3);
    for (let i = 0; i < 3; i++) handleFault(cpu, p.space, VPN + i, false);
    protect(3, M.PROT_NONE);
    expect(handleFault(cpu, p.space, VPN, false)).toBe(FAULT_ACCERR);
    protect(3, M.PROT_READ);
    expect(pte.isZeroPage(entry(2))).toBe(true);
    expect(sysMunmap(cpu, p.proc, VPN * PAGE_SIZE, 3 * PAGE_SIZE)).toBe(0);
    exitProcess(cpu, p.pid, 0, 0, 0);
    releaseProcess(cpu, p.pid);
    quiesce(t);
    expect(frameUsage(t.machine).used).toBe(0);
    expectClean(t);
  });

  it.each(FLUSH_POLICIES)('is unmapped with other pages under the policy %s', (flushPolicy) => {
    setUp({ flushPolicy });
    map(4);
    for (let i = 0; i < 4; i++) handleFault(cpu, p.space, VPN + i, i % 2 === 0);
    expect(resident()).toBe(2);
    expect(sysMunmap(cpu, p.proc, VPN * PAGE_SIZE, 4 * PAGE_SIZE)).toBe(0);
    expect(resident()).toBe(0);
    expectClean(t);
  });

  it('leaves the TLBs of readers when a page of its own takes its place', () => {
    map(1);
    const other = t.cpus[1] as Cpu;
    handleFault(cpu, p.space, VPN, false);
    enterKernel(other);
    resumeUser(other, other.tlb, p.space);
    expect(walk(other, other.tlb, VPN, false)).toBe(true);
    const before = peek(cpu.words, p.space + SPACE.TLB_GEN);
    // The reader leaves user mode, so that nobody has to answer; it catches up when it returns.
    enterKernel(other);
    expect(handleFault(cpu, p.space, VPN, true)).toBe(FAULT_DONE);
    expect(peek(cpu.words, p.space + SPACE.TLB_GEN)).toBe(before + 1);
    resumeUser(other, other.tlb, p.space);
    expect(other.tlb.readBase[VPN & 4095]).not.toBe(VPN * PAGE_SIZE);
    enterKernel(other);
    leaveKernel(other);
    expectClean(t);
  });

  it.each(PROTOCOL_NAMES)('works under the protocol %s', (protocol) => {
    setUp({ protocol });
    map(2);
    handleFault(cpu, p.space, VPN, false);
    handleFault(cpu, p.space, VPN, true);
    handleFault(cpu, p.space, VPN + 1, false);
    expect(resident()).toBe(1);
    expectClean(t);
  });
});
