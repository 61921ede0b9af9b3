/**
 * Goal: the way of an access from the miss to the retry does each step once, in order, and asks its
 * host for what only the host can do. Method: a CPU with a host that answers by hand.
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Cpu } from '../../kernel/machine/cpu.ts';
import { leaveKernel } from '../../kernel/machine/cpu-mode.ts';
import {
  FAULT_ACCERR,
  FAULT_BUS,
  FAULT_DONE,
  FAULT_ENDED,
  FAULT_MAPERR,
} from '../../kernel/machine/fault-codes.ts';
import { handleFault } from '../../kernel/faults/fault.ts';
import { translate } from '../../kernel/mmu/access.ts';
import type { AccessHost } from '../../kernel/mmu/access.ts';
import { enterKernel } from '../../kernel/mmu/kernel-entry.ts';
import { pendingSignal } from '../../kernel/mmu/poll.ts';
import { UserMode, contextOf, leaveUserMode } from '../../kernel/mmu/user-mode.ts';
import type { UserContext } from '../../kernel/mmu/user-mode.ts';
import { killProcess } from '../../kernel/processes/signals.ts';
import { sysMmap } from '../../kernel/syscalls/mmap.ts';
import { sysMprotect } from '../../kernel/syscalls/mprotect.ts';
import * as M from '../../shared/abi/mman.ts';
import { SIGKILL } from '../../shared/abi/signals.ts';
import * as CPU from '../../shared/layout/cpu.ts';
import * as SPACE from '../../shared/layout/space.ts';
import { PAGE_SIZE, USER_SPACE_END } from '../../shared/limits.ts';
import { expectClean, testMachine, testProcess } from '../support/kernel-helpers.ts';
import type { TestMachine } from '../support/kernel-helpers.ts';

const RW = M.PROT_READ | M.PROT_WRITE;
const ANON = M.MAP_PRIVATE | M.MAP_ANONYMOUS;

let t: TestMachine;
let cpu: Cpu;
let pid: number;
let proc: number;
let at: number;
let mode: UserMode;
let context: UserContext;
let host: TestHost;

class TestHost implements AccessHost {
  resolvesFaults = true;
  readonly asked: string[] = [];
  /** What to do about a refused access; nothing by default. */
  repair: (() => void) | null = null;
  becameLive(): void {
    this.asked.push('live');
  }
  takeSignals(): boolean {
    this.asked.push('signals');
    return pendingSignal(cpu, proc) === 0;
  }
  resolveElsewhere(address: number, write: boolean): number {
    this.asked.push(`fault ${(address - at) / PAGE_SIZE}`);
    return handleFault(cpu, context.space, Math.floor(address / PAGE_SIZE), write);
  }
  refuse(_address: number, _write: boolean, outcome: number): boolean {
    this.asked.push(`refused ${outcome}`);
    this.repair?.();
    return this.repair !== null;
  }
}

beforeEach(() => {
  t = testMachine();
  cpu = t.cpus[1] as Cpu;
  ({ pid, proc } = testProcess(t));
  at = sysMmap(t.cpu, proc, 0, 8 * PAGE_SIZE, RW, ANON, -1, 0);
  // The other CPU must not be waited for.
  leaveKernel(t.cpu);
  mode = new UserMode(cpu);
  context = contextOf(cpu, proc);
  host = new TestHost();
});

afterEach(() => {
  leaveUserMode(mode);
  enterKernel(t.cpu);
  expectClean(t);
});

function access(address: number, write = true): number {
  return translate(mode, context, host, address, write);
}

/** Runs `work` on CPU 0, in the kernel. */
function elsewhere(work: () => number): void {
  enterKernel(t.cpu);
  expect(work()).toBe(0);
  leaveKernel(t.cpu);
}

describe('an access that misses', () => {
  it('makes its process live, faults, and then hits', () => {
    expect(access(at)).toBe(FAULT_DONE);
    expect(host.asked).toEqual(['signals', 'live']);
    expect([context.hits, context.misses]).toEqual([0, 1]);
    expect(cpu.tlb.writeBase[(at / PAGE_SIZE) % cpu.tlb.writeBase.length]).toBe(at);
    expect(access(at + 4)).toBe(FAULT_DONE);
    expect(context.misses).toBe(1);
    expect(host.asked).toHaveLength(2);
  });

  it('has every fault resolved elsewhere where its CPU resolves none', () => {
    host.resolvesFaults = false;
    expect(access(at + 2 * PAGE_SIZE)).toBe(FAULT_DONE);
    expect(host.asked).toEqual(['signals', 'live', 'fault 2']);
  });

  it('is refused beyond user space, in a hole, and without permission', () => {
    expect(access(USER_SPACE_END)).toBe(FAULT_MAPERR);
    expect(access(-1)).toBe(FAULT_MAPERR);
    expect(access(at + 8 * PAGE_SIZE)).toBe(FAULT_MAPERR);
    elsewhere(() => sysMprotect(t.cpu, proc, at, PAGE_SIZE, M.PROT_READ));
    expect(access(at)).toBe(FAULT_ACCERR);
    expect(access(at, false)).toBe(FAULT_DONE);
  });

  it('is tried again after its handler has repaired the mapping', () => {
    elsewhere(() => sysMprotect(t.cpu, proc, at, PAGE_SIZE, M.PROT_NONE));
    host.repair = () => elsewhere(() => sysMprotect(t.cpu, proc, at, PAGE_SIZE, RW));
    expect(access(at)).toBe(FAULT_DONE);
    expect(host.asked).toEqual(['signals', 'live', `refused ${FAULT_ACCERR}`]);
  });

  it('tells what the kernel worker answered, if that is a refusal', () => {
    host.resolvesFaults = false;
    host.resolveElsewhere = () => FAULT_BUS;
    expect(access(at)).toBe(FAULT_BUS);
  });

  it('polls: applies and acknowledges a shootdown before it uses the TLB again', () => {
    expect(access(at)).toBe(FAULT_DONE);
    // As an initiator that does not wait would leave it: the permission gone, the ring written.
    leaveUserMode(mode);
    elsewhere(() => sysMprotect(t.cpu, proc, at, PAGE_SIZE, M.PROT_READ));
    expect(access(at)).toBe(FAULT_ACCERR);
    const generation = t.machine.words[context.space + SPACE.TLB_GEN];
    expect(t.machine.words[cpu.base + CPU.ACK]).toBe(generation);
    expect(context.gate.generation).toBe(generation);
  });

  it('ends with its process', () => {
    expect(access(at)).toBe(FAULT_DONE);
    elsewhere(() => killProcess(t.cpu, pid, SIGKILL));
    expect(access(at)).toBe(FAULT_ENDED);
  });
});
