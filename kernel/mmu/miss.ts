/**
 * TLB misses and faults on a CPU that resolves its faults itself. Where the CPU has the compiled
 * build, that is entered here: once for a miss, with everything between two accesses of a program.
 *
 * Locking: none in user mode; in the kernel, as handleFault.
 */
import type { SpaceBlock, Vpn } from '../../shared/units.ts';
import { handleFault } from '../faults/fault.ts';
import { releaseFaultObject } from '../faults/object-fault.ts';
import type { Cpu } from '../machine/cpu.ts';
import { FAULT_AGAIN, FAULT_DEVICE, FAULT_DONE } from '../machine/fault-codes.ts';
import { enterKernel } from './kernel-entry.ts';
import { resumeUser } from './user-mode.ts';
import { walk } from './walk.ts';

/**
 * Walks, and resolves the fault if there is one. In user mode of `space`. FAULT_DONE: in user mode,
 * and the TLB has the page. FAULT_AGAIN: in user mode, the page was taken away again. Any other:
 * what handleFault returned; the CPU is in the kernel.
 */
export function resolveMiss(cpu: Cpu, space: SpaceBlock, vpn: Vpn, write: boolean): number {
  const { compiled } = cpu;
  if (compiled !== null) return compiled.walkOrFault(space, vpn, write ? 1 : 0);
  return walkOrFault(cpu, space, vpn, write);
}

/** The body of resolveMiss; a root of the compiled build. */
export function walkOrFault(cpu: Cpu, space: SpaceBlock, vpn: Vpn, write: boolean): number {
  const { tlb } = cpu;
  if (walk(cpu, tlb, vpn, write)) return FAULT_DONE;
  enterKernel(cpu);
  const outcome = handleFault(cpu, space, vpn, write);
  if (outcome !== FAULT_DONE) return outcome;
  resumeUser(cpu, tlb, space);
  return walk(cpu, tlb, vpn, write) ? FAULT_DONE : FAULT_AGAIN;
}

/** handleFault, compiled where the CPU has it. */
export function resolveFault(
  cpu: Cpu,
  space: SpaceBlock,
  vpn: Vpn,
  write: boolean,
  major = false,
): number {
  const { compiled } = cpu;
  if (compiled === null) return handleFault(cpu, space, vpn, write, major);
  return compiled.handleFault(space, vpn, write ? 1 : 0, major ? 1 : 0);
}

/**
 * A fault for kernel code that touches user memory itself (user-copy.ts, populate.ts). FAULT_*;
 * FAULT_WAIT leaves the object and page in the CPU's scratch, with a reference. A device's register
 * is not memory, and no reference is kept for it.
 */
export function faultInKernel(cpu: Cpu, space: SpaceBlock, vpn: Vpn, write: boolean): number {
  const outcome = resolveFault(cpu, space, vpn, write);
  if (outcome === FAULT_DEVICE) releaseFaultObject(cpu, cpu.faultObject);
  return outcome;
}
