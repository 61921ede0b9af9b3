/**
 * Processes: a block with a pid, an address space, descriptors and an end. A thread is a process
 * that shares its address space; the space goes with its last user.
 *
 *     NEW → RUNNING → ZOMBIE → (block freed)      RUNNING → NEW (recalled from a dead CPU)
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

/**
 * The CPU that started a process runs its program's code from now on. In kernel mode: a condemned
 * CPU does not come here, so that a process which was recalled from it does not run twice.
 */
export function beginProgram(cpu: Cpu, pid: Pid): void {
  // ORDER: before the CPU leaves the kernel, and can be condemned.
  store(cpu.words, processOf(cpu.machine, pid) + PROCESS.BEGUN, 1);
}

/** Whether a process's program has begun on its CPU: then it cannot move any more. */
export function hasBegun(machine: Machine, pid: Pid): boolean {
  const proc = processOf(machine, pid);
  // ORDER: a momentary value, unless the process's CPU is dead.
  return proc !== 0 && load(machine.words, proc + PROCESS.BEGUN) !== 0;
}

/**
 * Takes a process back from its CPU, which was condemned, so that any CPU may start it. False when
 * its program has begun there, or it is to end.
 */
export function recallProcess(cpu: Cpu, pid: Pid): boolean {
  const { words, machine } = cpu;
  const proc = processOf(machine, pid);
  if (proc === 0 || hasBegun(machine, pid)) return false;
  // ORDER: written by killers, which run on this CPU.
  if (load(words, proc + PROCESS.PENDING) !== 0) return false;
  poke(words, proc + PROCESS.STATE, PROCESS.NEW);
  // ORDER: publishes the block, as its maker did, to the CPU that claims it next.
  store(words, proc + PROCESS.CPU, 0);
  return true;
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
