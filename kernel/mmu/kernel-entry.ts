/**
 * Entering the kernel: from user mode, from idle, and after a sleep in a trap. While an
 * audit has stopped the machine a CPU parks here and compares its TLB with the tables.
 *
 * Guarantees: what cpu-mode.ts says of KERNEL, from the return of `enterKernel` on. A condemned CPU
 * does not return.
 */
import { compareExchange, load, peek, poke, store, wait } from '../../shared/atomics.ts';
import * as BOOT from '../../shared/layout/boot.ts';
import * as CPU from '../../shared/layout/cpu.ts';
import { WAIT_SLICE_MS } from '../../shared/limits.ts';
import { panic } from '../../shared/panic.ts';
import { STAT, count } from '../machine/cpu.ts';
import type { Cpu } from '../machine/cpu.ts';
import { signalWaiters } from '../machine/cpu-mode.ts';
import { tlbAudit } from './tlb-sync.ts';

/** From IDLE or USER into the kernel. Parks there while an audit has stopped the machine. */
export function enterKernel(cpu: Cpu): void {
  const at = cpu.base + CPU.MODE;
  // ORDER: a killer writes the word too; what it wrote is only a guess for the exchange below.
  let seen = load(cpu.words, at);
  for (;;) {
    const state = seen & CPU.MODE_MASK;
    if (state === CPU.MODE_DEAD) sleepUntilTerminated(cpu);
    if (state !== CPU.MODE_IDLE && state !== CPU.MODE_USER && state !== CPU.MODE_BLOCKED) {
      panic('enterKernel: from mode', cpu.id, state);
    }
    // ORDER: the exchange takes us out of USER in one step, against a killer that wants DEAD.
    const before = compareExchange(cpu.words, at, seen, CPU.MODE_KERNEL);
    if (before === seen) {
      if (state === CPU.MODE_USER) signalWaiters(cpu);
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

/** Whether an auditor waits for this CPU. Asked in user mode when the TLB generation has moved. */
export function stopRequested(cpu: Cpu): boolean {
  // ORDER: the auditor stored the phase before it advanced the generation.
  return load(cpu.words, BOOT.STOP) !== 0;
}

/** Notes the RCU epoch of this kernel section, and parks while an audit is on. */
function passGate(cpu: Cpu): void {
  const { words, base } = cpu;
  for (;;) {
    // ORDER: CPU.EPOCH is written in KERNEL mode, before any table is read; an older value only
    // delays a grace period. The stop phase is read after KERNEL was published (Dekker again).
    const epoch = load(words, BOOT.EPOCH);
    if (peek(words, base + CPU.EPOCH) !== epoch) store(words, base + CPU.EPOCH, epoch);
    if (load(words, BOOT.STOP) === 0) return;
    store(words, base + CPU.MODE, CPU.MODE_PARKED);
    signalWaiters(cpu);
    // ORDER: `wait` compares, so a release between the load and the sleep is not missed.
    for (let phase = load(words, BOOT.STOP); phase !== 0; phase = load(words, BOOT.STOP)) {
      if (phase === BOOT.STOP_VERIFY) answerAudit(cpu);
      wait(words, BOOT.STOP, phase, WAIT_SLICE_MS);
    }
    // ORDER: KERNEL again before the gate is looked at again.
    store(words, base + CPU.MODE, CPU.MODE_KERNEL);
  }
}

/** A parked CPU compares its TLB with the tables, now unchanging, and reports the result once. */
export function answerAudit(cpu: Cpu): void {
  const { words, base, tlb } = cpu;
  if (peek(words, base + CPU.STOP_SEEN) === BOOT.STOP_VERIFY) return;
  const bad = tlbAudit(cpu, tlb);
  poke(words, base + CPU.TLB_BAD, bad.length);
  poke(words, base + CPU.TLB_BAD_VPN, bad[0] ?? 0);
  // ORDER: publishes the two words above to the auditor.
  store(words, base + CPU.STOP_SEEN, BOOT.STOP_VERIFY);
  signalWaiters(cpu);
}

/** A condemned CPU must not run another kernel instruction: its Worker is about to be killed. */
function sleepUntilTerminated(cpu: Cpu): never {
  for (;;) wait(cpu.words, cpu.base + CPU.MODE, CPU.MODE_DEAD, WAIT_SLICE_MS);
}
