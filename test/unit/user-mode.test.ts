/**
 * Goal: one process at a time is live on a CPU, and only its gate is open; a thread that ends
 * leaves the TLB to another one of its address space. Method: a CPU's user mode, driven by hand.
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Cpu } from '../../kernel/machine/cpu.ts';
import { enterKernel } from '../../kernel/mmu/kernel-entry.ts';
import {
  UserMode,
  contextOf,
  dropContext,
  enterUserMode,
  forgetContext,
  leaveKernelMode,
  leaveUserMode,
} from '../../kernel/mmu/user-mode.ts';
import type { UserContext } from '../../kernel/mmu/user-mode.ts';
import * as BOOT from '../../shared/layout/boot.ts';
import * as CPU from '../../shared/layout/cpu.ts';
import * as SPACE from '../../shared/layout/space.ts';
import { expectClean, testMachine, testProcess } from '../support/kernel-helpers.ts';
import type { TestMachine } from '../support/kernel-helpers.ts';

let t: TestMachine;
let cpu: Cpu;
let mode: UserMode;
let first: UserContext;
let second: UserContext;

beforeEach(() => {
  t = testMachine();
  cpu = t.cpus[1] as Cpu;
  mode = new UserMode(cpu);
  first = contextOf(cpu, testProcess(t).proc);
  second = contextOf(cpu, testProcess(t).proc);
});

afterEach(() => {
  leaveUserMode(mode);
  expectClean(t);
});

function isOpen(context: UserContext): boolean {
  return context.gate.generationAt !== BOOT.MAGIC;
}

function state(): number {
  return (cpu.words[cpu.base + CPU.MODE] as number) & CPU.MODE_MASK;
}

describe('user mode', () => {
  it('opens the gate of the live process alone', () => {
    expect([isOpen(first), isOpen(second)]).toEqual([false, false]);
    enterUserMode(mode, first);
    expect([isOpen(first), isOpen(second)]).toEqual([true, false]);
    expect(first.gate.generationAt).toBe(first.space + SPACE.TLB_GEN);
    enterUserMode(mode, second);
    expect([isOpen(first), isOpen(second)]).toEqual([false, true]);
    leaveUserMode(mode);
    expect([isOpen(first), isOpen(second)]).toEqual([false, false]);
  });

  it('returns from the kernel to where the CPU was', () => {
    enterKernel(cpu);
    leaveKernelMode(mode);
    expect(state()).toBe(CPU.MODE_IDLE);
    enterUserMode(mode, first);
    expect(state()).toBe(CPU.MODE_USER);
    enterKernel(cpu);
    leaveKernelMode(mode);
    expect(state()).toBe(CPU.MODE_USER);
    enterKernel(cpu);
    dropContext(mode, first);
    leaveKernelMode(mode);
    expect([state(), isOpen(first)]).toEqual([CPU.MODE_IDLE, false]);
  });

  it('keeps the TLB for the thread that is live when another one ends', () => {
    const thread = contextOf(cpu, first.proc);
    enterUserMode(mode, first);
    forgetContext(mode, thread);
    expect(mode.live).toBe(first);
    expect(cpu.tlb.space).toBe(first.space);
    forgetContext(mode, second);
    expect(cpu.tlb.space).toBe(first.space);
    forgetContext(mode, first);
    expect([mode.live, cpu.tlb.space]).toEqual([null, 0]);
  });
});
