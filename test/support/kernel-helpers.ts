/** A machine for unit tests: one thread that plays all CPUs. Every test ends with `expectClean`. */
import { expect } from 'vitest';

import { audit } from '../../kernel/audit/audit.ts';
import { attachCpu } from '../../kernel/machine/cpu.ts';
import type { Cpu } from '../../kernel/machine/cpu.ts';
import { leaveKernel, startCpu } from '../../kernel/machine/cpu-mode.ts';
import { enterKernel } from '../../kernel/mmu/kernel-entry.ts';
import type { FlushPolicy } from '../../kernel/machine/flush-policies.ts';
import { reapLimbo } from '../../kernel/frames/grace.ts';
import { PROTOCOLS } from '../../kernel/locking/protocols.ts';
import type { LockingProtocolName } from '../../kernel/locking/protocols.ts';
import { formatMachine } from '../../kernel/format.ts';
import type { Machine } from '../../kernel/machine/machine.ts';
import { startProcess } from '../../kernel/processes/process.ts';
import { createProcess } from '../../kernel/lifecycle/create.ts';
import { processOf } from '../../kernel/processes/pid-table.ts';
import { peek } from '../../shared/atomics.ts';
import { useCompiled } from '../../workers/compiled-kernel.ts';
import { kernelModule, machineInMemory } from './compiled-machine.ts';
import * as PROCESS from '../../shared/layout/process.ts';

/** `FAULTLINE_KERNEL=wasm npx vitest run --project unit`: the unit tests on the compiled kernel. */
const isCompiled = process.env['FAULTLINE_KERNEL'] === 'wasm';
if (isCompiled && kernelModule === null) throw new Error('run node build.mjs first');

export interface TestMachine {
  readonly machine: Machine;
  readonly cpus: readonly Cpu[];
  readonly cpu: Cpu;
}

export function testMachine(
  options: {
    frames?: number;
    cpus?: number;
    protocol?: LockingProtocolName;
    checked?: boolean;
    flushPolicy?: FlushPolicy;
    swapSlots?: number;
  } = {},
): TestMachine {
  const {
    frames = 4096,
    cpus = 2,
    protocol = 'rcu',
    checked = true,
    flushPolicy = 'batched',
    swapSlots = 0,
  } = options;
  const spec = { frames, cpus, checked, protocol: PROTOCOLS[protocol], flushPolicy, swapSlots };
  const machine = isCompiled ? machineInMemory(spec) : formatMachine(spec);
  const all = Array.from({ length: cpus }, (_, id) => attachCpu(machine, id));
  if (isCompiled) for (const cpu of all) useCompiled(cpu, kernelModule);
  for (const cpu of all) startCpu(cpu);
  const cpu = all[0] as Cpu;
  enterKernel(cpu);
  return { machine, cpus: all, cpu };
}

/** A running process with an empty space: its pid, block and space. */
export function testProcess(t: TestMachine): { pid: number; proc: number; space: number } {
  const pid = createProcess(t.cpu, { name: 'test', cpu: 0, parent: 0 });
  expect(pid).toBeGreaterThan(0);
  startProcess(t.cpu, pid);
  const proc = processOf(t.machine, pid);
  return { pid, proc, space: peek(t.machine.words, proc + PROCESS.SPACE) };
}

/** Leaves and enters the kernel, so that grace periods end. */
export function quiesce(t: TestMachine): void {
  leaveKernel(t.cpu);
  enterKernel(t.cpu);
  reapLimbo(t.cpu);
}

export function expectClean(t: TestMachine): void {
  expect(audit(t.cpu).violations).toEqual([]);
}
