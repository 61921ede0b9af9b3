import { describe, expect, it } from 'vitest';

import { leaveKernel } from '../../kernel/machine/cpu-mode.ts';
import { enterKernel } from '../../kernel/mmu/kernel-entry.ts';
import { handleFault } from '../../kernel/faults/fault.ts';
import { frameRefs } from '../../kernel/frames/frames.ts';
import { FLUSH_POLICIES } from '../../kernel/machine/flush-policies.ts';
import { walk } from '../../kernel/mmu/walk.ts';
import { acknowledge, sweepTlb } from '../../kernel/mmu/tlb-sync.ts';
import { resumeUser } from '../../kernel/mmu/user-mode.ts';
import { peekEntry } from '../../kernel/paging/table.ts';
import { TLB_SLOTS } from '../../kernel/machine/tlb.ts';
import { cpuCounters } from '../../kernel/reports/usage.ts';
import { exitProcess } from '../../kernel/lifecycle/exit.ts';
import { sysMmap } from '../../kernel/syscalls/mmap.ts';
import { sysMprotect } from '../../kernel/syscalls/mprotect.ts';
import { sysMunmap } from '../../kernel/syscalls/munmap.ts';
import { PAGE_SIZE } from '../../shared/limits.ts';
import {
  MAP_ANONYMOUS,
  MAP_FIXED,
  MAP_PRIVATE,
  PROT_READ,
  PROT_WRITE,
} from '../../shared/abi/mman.ts';
import { pfnOf } from '../../shared/pte.ts';
import { expectClean, testMachine, testProcess } from '../support/kernel-helpers.ts';
import type { TestMachine } from '../support/kernel-helpers.ts';

const RW = PROT_READ | PROT_WRITE;
const ANON = MAP_PRIVATE | MAP_ANONYMOUS;

/** Two mapped pages, the first of them in the TLB of CPU 1, which is in user mode. */
function withReader(t: TestMachine): {
  pid: number;
  proc: number;
  space: number;
  at: number;
  pfn: number;
} {
  const { pid, proc, space } = testProcess(t);
  const at = sysMmap(t.cpu, proc, 0, 3 * PAGE_SIZE, RW, ANON, -1, 0);
  const vpn = at / PAGE_SIZE;
  for (let i = 0; i < 3; i++) handleFault(t.cpu, space, vpn + i, true);
  const reader = t.cpus[1]!;
  enterKernel(reader);
  resumeUser(reader, reader.tlb, space);
  expect(walk(reader, reader.tlb, vpn, false)).toBe(true);
  return { pid, proc, space, at, pfn: pfnOf(peekEntry(t.cpu, space, vpn)) };
}

function holds(t: TestMachine, cpu: number, address: number): boolean {
  const { tlb } = t.cpus[cpu]!;
  return tlb.readBase[(address / PAGE_SIZE) & (TLB_SLOTS - 1)] === address;
}

describe('flush policy lazy', () => {
  it('returns from munmap at once and holds the frame until the other CPU has swept', () => {
    const t = testMachine({ flushPolicy: 'lazy' });
    const { proc, at, pfn } = withReader(t);
    const reader = t.cpus[1]!;
    expect(sysMunmap(t.cpu, proc, at, PAGE_SIZE)).toBe(0);
    expect(cpuCounters(t.machine)['lazyFlushes']).toBe(1);
    expect(cpuCounters(t.machine)['shootdowns']).toBe(0);
    expect(holds(t, 1, at)).toBe(true);
    expect(frameRefs(t.machine, pfn)).toBe(1);
    // Another operation of the space does not release it either: nobody has swept.
    expect(sysMprotect(t.cpu, proc, at + 2 * PAGE_SIZE, PAGE_SIZE, RW)).toBe(0);
    expect(frameRefs(t.machine, pfn)).toBe(1);
    sweepTlb(reader, reader.tlb);
    expect(holds(t, 1, at)).toBe(false);
    expect(sysMprotect(t.cpu, proc, at + 2 * PAGE_SIZE, PAGE_SIZE, RW)).toBe(0);
    expect(frameRefs(t.machine, pfn)).toBe(0);
    acknowledge(reader, reader.tlb);
    enterKernel(reader);
    leaveKernel(reader);
    expectClean(t);
  });

  it('does not map an address again before its record is settled', () => {
    const t = testMachine({ flushPolicy: 'lazy' });
    const { proc, at, pfn } = withReader(t);
    const reader = t.cpus[1]!;
    expect(sysMunmap(t.cpu, proc, at, PAGE_SIZE)).toBe(0);
    // Outside user mode the reader counts as swept: it sweeps before it uses its TLB again.
    enterKernel(reader);
    expect(sysMmap(t.cpu, proc, at, PAGE_SIZE, RW, ANON | MAP_FIXED, -1, 0)).toBe(at);
    expect(frameRefs(t.machine, pfn)).toBe(0);
    leaveKernel(reader);
    expectClean(t);
  });

  it('flushes a restriction at once', () => {
    const t = testMachine({ flushPolicy: 'lazy' });
    const { proc, at } = withReader(t);
    const reader = t.cpus[1]!;
    enterKernel(reader);
    expect(sysMprotect(t.cpu, proc, at, PAGE_SIZE, 0)).toBe(0);
    expect(cpuCounters(t.machine)['shootdowns']).toBe(1);
    expect(cpuCounters(t.machine)['lazyFlushes']).toBe(0);
    leaveKernel(reader);
    expectClean(t);
  });

  it('gives everything back when the process ends with records outstanding', () => {
    const t = testMachine({ flushPolicy: 'lazy' });
    const { pid, proc, at } = withReader(t);
    const reader = t.cpus[1]!;
    expect(sysMunmap(t.cpu, proc, at, PAGE_SIZE)).toBe(0);
    enterKernel(reader);
    leaveKernel(reader);
    exitProcess(t.cpu, pid, 0, 0, 0);
    expectClean(t);
  });
});

describe('flush policies sync and batched', () => {
  it('sync shoots each page down, batched all at once', () => {
    const rounds = FLUSH_POLICIES.map((flushPolicy) => {
      const t = testMachine({ flushPolicy });
      const { proc, at } = withReader(t);
      const reader = t.cpus[1]!;
      enterKernel(reader);
      // One page stays, so that no table is unlinked.
      expect(sysMunmap(t.cpu, proc, at, 2 * PAGE_SIZE)).toBe(0);
      leaveKernel(reader);
      expectClean(t);
      return cpuCounters(t.machine)['shootdowns'];
    });
    expect(rounds).toEqual([2, 1, 0]);
  });
});
