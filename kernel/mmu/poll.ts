/**
 * What a CPU in user mode checks between two accesses: shootdowns, an audit, signals.
 *
 * Guarantees: after `poll` the TLB has applied every shootdown whose initiator may be waiting for
 * this CPU, and the initiator has been told.
 */
import { load } from '../../shared/atomics.ts';
import * as PROCESS from '../../shared/layout/process.ts';
import * as SPACE from '../../shared/layout/space.ts';
import type { ProcessBlock } from '../../shared/units.ts';
import type { Cpu } from '../machine/cpu.ts';
import { stopRequested } from './kernel-entry.ts';
import { acknowledge, sweepTlb } from './tlb-sync.ts';
import { openGate, passKernel } from './user-mode.ts';
import type { UserContext, UserMode } from './user-mode.ts';

/** Applies what is pending for the live process's space, and parks for an audit. */
export function poll(mode: UserMode, context: UserContext): void {
  const { cpu } = mode;
  const { tlb } = cpu;
  sweepTlb(cpu, tlb);
  // ORDER: an ordered load corrects a plain poll whose word the engine keeps in a register.
  if (load(cpu.words, context.space + SPACE.TLB_GEN) === context.gate.generation) return;
  acknowledge(cpu, tlb);
  openGate(cpu, context);
  // An auditor stops the machine: this CPU parks as it passes through the kernel.
  if (stopRequested(cpu)) passKernel(mode);
}

/** The signal that must end this process now, 0 for none. */
export function pendingSignal(cpu: Cpu, proc: ProcessBlock): number {
  // ORDER: the killer stored it before it advanced the generation that brought us here.
  return load(cpu.words, proc + PROCESS.PENDING);
}

/** Whether the process must act: it is to end, or an unblocked signal is pending. */
export function hasSignal(cpu: Cpu, proc: ProcessBlock): boolean {
  return pendingSignal(cpu, proc) !== 0 || deliverable(cpu, proc) !== 0;
}

/** The set of signals that are pending and not blocked. */
export function deliverable(cpu: Cpu, proc: ProcessBlock): number {
  // ORDER: acquires the sender's number. The mask is this CPU's own.
  const pending = load(cpu.words, proc + PROCESS.SIG_PENDING);
  return pending === 0 ? 0 : pending & ~load(cpu.words, proc + PROCESS.SIG_BLOCKED);
}
