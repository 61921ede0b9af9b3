/**
 * What a CPU is doing, and how it may change that. One word, C_MODE, tells everybody else. The way
 * into the kernel, where a stopped CPU parks, is mmu/kernel-entry.ts.
 *
 *     OFFLINE → IDLE ⇄ KERNEL → USER → KERNEL …      KERNEL ⇄ BLOCKED (asleep in a trap)
 *     KERNEL → PARKED → KERNEL (an audit)            IDLE | USER | BLOCKED → DEAD (condemned)
 *
 * Guarantees
 * - A CPU that is not in USER holds no translation that it will use before it looks at its space's
 *   TLB generation again. Initiators of shootdowns therefore wait for USER CPUs only.
 * - A CPU outside KERNEL holds no kernel lock and no pointer into a page table but the MMU's, which
 *   a shootdown covers. It is quiescent for RCU, and may be condemned.
 * Ordering: every change of C_MODE is sequentially consistent. A CPU writes USER and then reads the
 * TLB generation; an initiator advances the generation and then reads C_MODE. One of them sees the
 * other (Dekker's argument), so that a translation and its invalidation cannot miss each other.
 */
import { add, compareExchange, load, notify, store } from '../../shared/atomics.ts';
import * as L from '../../shared/layout/regions.ts';
import { CPUS_MAX } from '../../shared/limits.ts';
import { panic } from '../../shared/panic.ts';
import type { Cpu } from './cpu.ts';

/** The C_MODE word of a CPU that runs a space in user mode. */
export function userMode(space: number): number {
  return L.MODE_USER | ((space >>> L.SPACE_ALIGN_SHIFT) << L.MODE_SPACE_SHIFT);
}

/** Brings a CPU up: its Worker is ready. A spare or a replaced CPU comes from OFFLINE or DEAD. */
export function startCpu(cpu: Cpu): void {
  // ORDER: published last; whoever sees IDLE sees a CPU that owns no lock and no cache frame.
  const before = compareExchange(cpu.words, cpu.base + L.C_MODE, L.MODE_OFFLINE, L.MODE_IDLE);
  if (before !== L.MODE_OFFLINE) panic('startCpu: not offline', cpu.id, before);
}

/** From the kernel to idle: the CPU's event loop runs, no program does. */
export function leaveKernel(cpu: Cpu): void {
  // ORDER: releases the kernel section; a grace period may end here.
  store(cpu.words, cpu.base + L.C_MODE, L.MODE_IDLE);
}

/** From the kernel to user mode of `space`. The caller reads the TLB generation next. */
export function enterUser(cpu: Cpu, space: number): void {
  // ORDER: before the caller's load of the generation, as the head of this file explains.
  store(cpu.words, cpu.base + L.C_MODE, userMode(space));
}

/** From user mode to idle, when the program gives up the Worker. Not through the kernel. */
export function leaveUser(cpu: Cpu): void {
  const at = cpu.base + L.C_MODE;
  // ORDER: after the last access through the TLB; a failed exchange means condemned.
  const seen = load(cpu.words, at);
  if ((seen & L.MODE_MASK) === L.MODE_USER) compareExchange(cpu.words, at, seen, L.MODE_IDLE);
  signalWaiters(cpu);
}

/** Before a CPU sleeps in a trap: from the kernel to BLOCKED. */
export function blockCpu(cpu: Cpu): void {
  // ORDER: as leaveKernel; a blocked CPU is quiescent and may be condemned.
  store(cpu.words, cpu.base + L.C_MODE, L.MODE_BLOCKED);
}

/**
 * Turns a CPU that is not in the kernel into a DEAD one, so that its Worker may be terminated
 * without a lock held. False when it is in the kernel now: try again soon.
 */
export function condemnCpu(cpu: Cpu, victim: number): boolean {
  const at = cpu.machine.cpuBase + victim * L.CPU_WORDS + L.C_MODE;
  // ORDER: the exchange decides the race with the victim's own next kernel entry.
  const seen = load(cpu.words, at);
  const state = seen & L.MODE_MASK;
  if (state === L.MODE_DEAD || state === L.MODE_OFFLINE) return true;
  if (state === L.MODE_KERNEL || state === L.MODE_PARKED) return false;
  if (compareExchange(cpu.words, at, seen, L.MODE_DEAD) !== seen) return false;
  signalWaiters(cpu);
  return true;
}

/** Tells those who wait for a CPU's acknowledgement or park that something changed. */
export function signalWaiters(cpu: Cpu): void {
  // ORDER: the change came before; a waiter that set the flag after this load looks again itself.
  if (load(cpu.words, L.B_CPU_WAITERS) === 0) return;
  add(cpu.words, L.B_CPU_EVENT, 1);
  notify(cpu.words, L.B_CPU_EVENT, CPUS_MAX);
}
