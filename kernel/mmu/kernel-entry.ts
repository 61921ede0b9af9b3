/**
 * The way into the kernel, from user mode, from idle, and back from a sleep in a trap. While an
 * audit has stopped the machine a CPU parks here and compares its TLB with the tables.
 *
 * Guarantees: what cpu-mode.ts says of KERNEL, from the return of `enterKernel` on. A condemned CPU
 * does not return.
 */
import { compareExchange, load, peek, poke, store, wait } from '../../shared/atomics.ts';
import * as L from '../../shared/layout/regions.ts';
import { WAIT_SLICE_MS } from '../../shared/limits.ts';
import { panic } from '../../shared/panic.ts';
import { STAT, count } from '../machine/cpu.ts';
import type { Cpu } from '../machine/cpu.ts';
import { signalWaiters } from '../machine/cpu-mode.ts';
import { tlbAudit } from './tlb-sync.ts';

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

/** After the sleep: back into the kernel. */
export function unblockCpu(cpu: Cpu): void {
  enterKernel(cpu);
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
