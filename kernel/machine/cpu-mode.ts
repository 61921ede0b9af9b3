/**
 * What a CPU is doing, and how it may change that. One word, CPU.MODE, tells the others. The way
 * into the kernel, where a stopped CPU parks, is mmu/kernel-entry.ts.
 *
 *     OFFLINE → IDLE ⇄ KERNEL → USER → KERNEL …      KERNEL ⇄ BLOCKED (asleep in a trap)
 *     KERNEL → PARKED → KERNEL (an audit)    OFFLINE | IDLE | USER | BLOCKED → DEAD (condemned)
 *
 * Guarantees
 * - A CPU that is not in USER checks its space's TLB generation before it uses a translation again.
 *   Initiators of shootdowns therefore wait for USER CPUs only.
 * - A CPU outside KERNEL holds no kernel lock and no pointer into a page table but the MMU's, which
 *   a shootdown covers. It is quiescent for RCU, and may be condemned.
 * Ordering: every change of CPU.MODE is sequentially consistent. A CPU writes USER and then reads
 * the TLB generation; an initiator advances the generation and then reads CPU.MODE. One of them
 * sees the other (Dekker's argument), so that a translation and its invalidation cannot miss each
 * other.
 */
import { add, compareExchange, load, notify, store } from '../../shared/atomics.ts';
import * as BOOT from '../../shared/layout/boot.ts';
import * as CPU from '../../shared/layout/cpu.ts';
import * as SPACE from '../../shared/layout/space.ts';
import { CPUS_MAX } from '../../shared/limits.ts';
import { panic } from '../../shared/panic.ts';
import type { SpaceBlock } from '../../shared/units.ts';
import type { Cpu } from './cpu.ts';
import { assertNoLockHeld } from './held-locks.ts';

/** The CPU.MODE word of a CPU that runs a space in user mode. */
export function userMode(space: SpaceBlock): number {
  return CPU.MODE_USER | ((space >>> SPACE.ALIGN_SHIFT) << CPU.MODE_SPACE_SHIFT);
}

/** Brings a CPU up: its Worker is ready. A spare or a replaced CPU comes from OFFLINE or DEAD. */
export function startCpu(cpu: Cpu): void {
  // ORDER: published last: a CPU that others see as IDLE owns no lock and no cached frame.
  const before = compareExchange(cpu.words, cpu.base + CPU.MODE, CPU.MODE_OFFLINE, CPU.MODE_IDLE);
  if (before !== CPU.MODE_OFFLINE) panic('startCpu: not offline', cpu.id, before);
}

/** From the kernel to idle: the CPU's event loop runs, no program does. */
export function leaveKernel(cpu: Cpu): void {
  assertNoLockHeld(cpu);
  // ORDER: releases the kernel section; a grace period may end here.
  store(cpu.words, cpu.base + CPU.MODE, CPU.MODE_IDLE);
}

/** From the kernel to user mode of `space`. The caller reads the TLB generation next. */
export function enterUser(cpu: Cpu, space: SpaceBlock): void {
  assertNoLockHeld(cpu);
  // ORDER: before the caller's load of the generation, as the head of this file explains.
  store(cpu.words, cpu.base + CPU.MODE, userMode(space));
}

/** From user mode to idle, when the program gives up the Worker. Not through the kernel. */
export function leaveUser(cpu: Cpu): void {
  const at = cpu.base + CPU.MODE;
  // ORDER: after the last access through the TLB; a failed exchange means condemned.
  const seen = load(cpu.words, at);
  if ((seen & CPU.MODE_MASK) === CPU.MODE_USER) compareExchange(cpu.words, at, seen, CPU.MODE_IDLE);
  signalWaiters(cpu);
}

/** Before a CPU sleeps in a trap: from the kernel to BLOCKED. */
export function blockCpu(cpu: Cpu): void {
  assertNoLockHeld(cpu);
  // ORDER: as leaveKernel; a blocked CPU is quiescent and may be condemned.
  store(cpu.words, cpu.base + CPU.MODE, CPU.MODE_BLOCKED);
}

/**
 * Turns a CPU that is not in the kernel into a DEAD one, so that its Worker may be terminated while
 * it holds no lock. False when it is in the kernel now: try again soon.
 */
export function condemnCpu(cpu: Cpu, victim: number): boolean {
  const at = cpu.machine.cpuBase + victim * CPU.WORDS + CPU.MODE;
  // ORDER: the exchange decides the race with the victim's own next kernel entry.
  const seen = load(cpu.words, at);
  const state = seen & CPU.MODE_MASK;
  if (state === CPU.MODE_DEAD) return true;
  if (state === CPU.MODE_KERNEL || state === CPU.MODE_PARKED) return false;
  if (compareExchange(cpu.words, at, seen, CPU.MODE_DEAD) !== seen) return false;
  signalWaiters(cpu);
  return true;
}

/** Tells CPUs that wait for an acknowledgement or a park that something changed. */
export function signalWaiters(cpu: Cpu): void {
  // ORDER: the change came before; a waiter that set the flag after this load looks again itself.
  if (load(cpu.words, BOOT.CPU_WAITERS) === 0) return;
  add(cpu.words, BOOT.CPU_EVENT, 1);
  notify(cpu.words, BOOT.CPU_EVENT, CPUS_MAX);
}
