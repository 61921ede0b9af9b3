/**
 * What a CPU is doing, and how it may change that. One word, C_MODE, tells everybody else.
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
import {
  add,
  compareExchange,
  load,
  notify,
  peek,
  poke,
  store,
  wait,
} from '../../shared/atomics.ts';
import * as L from '../../shared/layout.ts';
import { CPUS_MAX, WAIT_SLICE_MS } from '../../shared/limits.ts';
import { panic } from '../../shared/panic.ts';
import { STAT, count } from './cpu.ts';
import type { Cpu } from './cpu.ts';
import { tlbAudit } from '../paging/tlb-sync.ts';

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

/** From IDLE or USER into the kernel. Parks there while an audit has stopped the machine. */
export function enterKernel(cpu: Cpu): void {
  const at = cpu.base + L.C_MODE;
  // ORDER: a killer writes the word too; what it wrote is only a guess for the exchange below.
  let seen = load(cpu.words, at);
  for (;;) {
    const state = seen & L.MODE_MASK;
    if (state === L.MODE_DEAD) sleepUntilTerminated(cpu);
    if (state !== L.MODE_IDLE && state !== L.MODE_USER && state !== L.MODE_BLOCKED) {
      panic('enterKernel: from mode', cpu.id, state);
    }
    // ORDER: the exchange takes us out of USER in one step, against a killer that wants DEAD.
    const before = compareExchange(cpu.words, at, seen, L.MODE_KERNEL);
    if (before === seen) {
      if (state === L.MODE_USER) signalWaiters(cpu);
      break;
    }
    seen = before;
  }
  count(cpu, STAT.kernelEntries, 1);
  passGate(cpu);
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

/** After the sleep: back into the kernel. */
export function unblockCpu(cpu: Cpu): void {
  enterKernel(cpu);
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

/** Notes the RCU epoch of this kernel section, and parks while an audit is on. */
function passGate(cpu: Cpu): void {
  const { words, base } = cpu;
  for (;;) {
    // ORDER: C_EPOCH is written in KERNEL mode, before any table is read; an older value only
    // delays a grace period. The stop phase is read after KERNEL was published (Dekker again).
    const epoch = load(words, L.B_EPOCH);
    if (peek(words, base + L.C_EPOCH) !== epoch) store(words, base + L.C_EPOCH, epoch);
    if (load(words, L.B_STOP) === 0) return;
    store(words, base + L.C_MODE, L.MODE_PARKED);
    signalWaiters(cpu);
    // ORDER: `wait` compares, so a release between the load and the sleep is not missed.
    for (let phase = load(words, L.B_STOP); phase !== 0; phase = load(words, L.B_STOP)) {
      if (phase === L.STOP_VERIFY) answerAudit(cpu);
      wait(words, L.B_STOP, phase, WAIT_SLICE_MS);
    }
    // ORDER: KERNEL again before the gate is looked at again.
    store(words, base + L.C_MODE, L.MODE_KERNEL);
  }
}

/** A parked CPU compares its TLB with the tables, which nobody changes now, and says so once. */
function answerAudit(cpu: Cpu): void {
  const { words, base, tlb } = cpu;
  if (peek(words, base + L.C_STOP_SEEN) === L.STOP_VERIFY) return;
  const bad = tlbAudit(cpu, tlb);
  poke(words, base + L.C_TLB_BAD, bad.length);
  poke(words, base + L.C_TLB_BAD_VPN, bad[0] ?? 0);
  // ORDER: publishes the two words above to the auditor.
  store(words, base + L.C_STOP_SEEN, L.STOP_VERIFY);
  signalWaiters(cpu);
}

/** A condemned CPU must not run another kernel instruction: its Worker is about to be ended. */
function sleepUntilTerminated(cpu: Cpu): never {
  for (;;) wait(cpu.words, cpu.base + L.C_MODE, L.MODE_DEAD, WAIT_SLICE_MS);
}
