/**
 * Processes: a block with a pid, an address space, descriptors and an end. A thread is a process
 * that shares its address space; the space goes with its last user.
 *
 *     NEW → RUNNING → ZOMBIE → (block freed)
 *
 * lifecycle/ makes and ends them; this file serves those that exist.
 *
 * Locking: a process's block belongs to its CPU, or to the kernel worker before it runs and after
 * its CPU died.
 */
import { compareExchange, load, peek, poke, store } from '../../shared/atomics.ts';
import { ESRCH } from '../../shared/abi/errno.ts';
import * as BOOT from '../../shared/layout/boot.ts';
import * as PROCESS from '../../shared/layout/process.ts';
import { PROCESS_NAME_BYTES } from '../../shared/limits.ts';
import type { Pid, ProcessBlock } from '../../shared/units.ts';
import type { Cpu } from '../machine/cpu.ts';
import { LOG_PROCESS_START, logEvent } from '../machine/log.ts';
import type { Machine } from '../machine/machine.ts';
import { lock, unlock } from '../machine/spinlock.ts';
import { processOf } from './pid-table.ts';

/**
 * A CPU takes a new process over: from now on the block is that CPU's. -ESRCH when another CPU came
 * first, or the process has ended: several may be told to start it, and the first one does.
 */
export function startProcess(cpu: Cpu, pid: Pid): number {
  // The lock keeps the block from being freed, and made another process's, before it is claimed.
  lock(cpu, BOOT.PROC_LOCK);
  const proc = processOf(cpu.machine, pid);
  const isOurs = proc !== 0 && claim(cpu, proc, cpu.id);
  unlock(cpu, BOOT.PROC_LOCK);
  if (!isOurs) return -ESRCH;
  if (peek(cpu.words, proc + PROCESS.STATE) !== PROCESS.NEW) return -ESRCH;
  poke(cpu.words, proc + PROCESS.STATE, PROCESS.RUNNING);
  logEvent(cpu, LOG_PROCESS_START, pid, cpu.id, peek(cpu.words, proc + PROCESS.PARENT));
  return 0;
}

/** Keeps every CPU from starting a new process. False when one has started it already. */
export function withholdProcess(cpu: Cpu, pid: Pid): boolean {
  const proc = processOf(cpu.machine, pid);
  return proc !== 0 && claim(cpu, proc, PROCESS.CPU_NOBODY);
}

/** A new process now waits in another CPU's run queue too, which becomes its home. */
export function rehomeProcess(cpu: Cpu, pid: Pid, home: number): void {
  const proc = processOf(cpu.machine, pid);
  // ORDER: a hint for canBeWoken.
  if (proc !== 0) store(cpu.words, proc + PROCESS.HOME, home);
}

/** The CPU that runs a process; 0 when none has started it, PROCESS.CPU_NOBODY when none may. */
export function processCpu(machine: Machine, pid: Pid): number {
  const proc = processOf(machine, pid);
  // ORDER: a momentary value until a CPU has started the process; then it stays.
  return proc === 0 ? 0 : load(machine.words, proc + PROCESS.CPU);
}

function claim(cpu: Cpu, proc: ProcessBlock, owner: number): boolean {
  // ORDER: the exchange decides between CPUs, and acquires the block as its maker left it.
  const before = compareExchange(cpu.words, proc + PROCESS.CPU, 0, owner);
  return before === 0 || before === owner;
}

/** Stores a name as bytes, cut to PROCESS_NAME_BYTES; other than Latin-1 becomes '?'. */
export function writeName(cpu: Cpu, proc: ProcessBlock, name: string): void {
  for (let i = 0; i < PROCESS_NAME_BYTES / 4; i++) {
    let word = 0;
    for (let j = 0; j < 4; j++) {
      const code = name.charCodeAt(i * 4 + j) || 0;
      word |= (code < 256 ? code : 63) << (8 * j);
    }
    poke(cpu.words, proc + PROCESS.NAME + i, word);
  }
}

/** The name of a process, as it was given. */
export function processName(machine: Machine, proc: ProcessBlock): string {
  let name = '';
  for (let i = 0; i < PROCESS_NAME_BYTES / 4; i++) {
    const word = peek(machine.words, proc + PROCESS.NAME + i);
    for (let j = 0; j < 4; j++) {
      const code = (word >>> (8 * j)) & 0xff;
      if (code === 0) return name;
      name += String.fromCharCode(code);
    }
  }
  return name;
}
