/**
 * Processes: a block with a pid, an address space, descriptors and an end. A thread is a process
 * that shares its address space; the space goes with its last user.
 *
 *     NEW → RUNNING → ZOMBIE → (block freed)
 *
 * Locking: B_PROC_LOCK for the pid table; a process's block belongs to its CPU, or to the kernel
 * worker before it runs and after its CPU died.
 */
import { add, load, peek, poke, store } from '../../shared/atomics.ts';
import { EAGAIN, ENOMEM, ESRCH } from '../../shared/errno.ts';
import * as L from '../../shared/layout.ts';
import { PAGE_SIZE, PROCESSES_MAX, PROCESS_NAME_BYTES } from '../../shared/limits.ts';
import { panic } from '../../shared/panic.ts';
import { SIGBUS, SIGSEGV } from '../../shared/signals.ts';
import type { Cpu } from '../cpu/cpu.ts';
import { closeAllFds, inheritFds } from '../objects/fd.ts';
import { forkSpace } from './fork.ts';
import { inheritShared } from './inherit.ts';
import {
  LOG_PROCESS_EXIT,
  LOG_PROCESS_KILLED,
  LOG_PROCESS_START,
  LOG_SEGFAULT,
  logEvent,
} from '../reports/log.ts';
import type { Machine } from '../machine.ts';
import { pokeSpace } from '../paging/shootdown.ts';
import { slabAlloc, slabFree } from '../frames/slab.ts';
import { createSpace, getSpace, putSpace } from './space.ts';
import { lock, unlock } from '../cpu/spinlock.ts';
import { storeWide } from '../frames/wide.ts';

export interface ProcessSpec {
  readonly name: string;
  /** CPU that will run it. */
  readonly cpu: number;
  /** pid of the parent, 0 for a process of the host's. */
  readonly parent: number;
  /** Take over the parent's descriptors and shared mappings. */
  readonly inherit?: boolean;
  /** As after fork: take over the parent's descriptors and get a copy of its address space. */
  readonly fork?: boolean;
  /** A thread: use the parent's address space itself, and take over its descriptors. */
  readonly thread?: boolean;
}

/** The block of a process, or 0 when there is none of that pid. */
export function processOf(machine: Machine, pid: number): number {
  if (!Number.isInteger(pid) || pid <= 0) return 0;
  // ORDER: acquires the block published by createProcess.
  const proc = load(machine.words, machine.procTable + (pid % PROCESSES_MAX));
  return proc !== 0 && peek(machine.words, proc + L.P_PID) === pid ? proc : 0;
}

/**
 * A new process with an empty address space, a copy of its parent's, or, a thread, its parent's
 * own. Its pid, -EAGAIN, -ENOMEM, or -ESRCH for a child or thread whose parent has ended. No thread of the parent's can end
 * meanwhile: this and all ends run on the kernel worker.
 */
export function createProcess(cpu: Cpu, spec: ProcessSpec): number {
  const { words, machine } = cpu;
  const { thread = false, inherit = false, fork = false } = spec;
  const parent = thread || inherit || fork ? processOf(machine, spec.parent) : 0;
  const shared = parent !== 0 ? peek(words, parent + L.P_SPACE) : 0;
  if ((thread || fork) && shared === 0) return -ESRCH;
  const proc = slabAlloc(cpu, L.SLAB_PROC);
  if (proc === 0) return -ENOMEM;
  const space = thread ? getSpace(cpu, shared) : createSpace(cpu);
  if (space === 0) {
    slabFree(cpu, L.SLAB_PROC, proc);
    return -ENOMEM;
  }
  poke(words, proc + L.P_SPACE, space);
  poke(words, proc + L.P_PARENT, spec.parent);
  poke(words, proc + L.P_CPU, spec.cpu);
  poke(words, proc + L.P_STATE, L.PROC_NEW);
  writeName(cpu, proc, spec.name);
  let pid = 0;
  if (parent !== 0) {
    inheritFds(cpu, parent, proc);
    if (fork) pid = forkSpace(cpu, shared, space);
    else if (!thread) pid = inheritShared(cpu, shared, space);
  }
  if (pid === 0) pid = takePid(cpu, proc);
  if (pid < 0) {
    closeAllFds(cpu, proc);
    putSpace(cpu, space);
    slabFree(cpu, L.SLAB_PROC, proc);
    return pid;
  }
  logEvent(cpu, LOG_PROCESS_START, pid, spec.cpu, spec.parent);
  return pid;
}

/** Enters the process into the pid table under the next free pid. */
function takePid(cpu: Cpu, proc: number): number {
  const { words, machine } = cpu;
  lock(cpu, L.B_PROC_LOCK);
  let pid = -EAGAIN;
  for (let tries = 0; tries < PROCESSES_MAX && pid < 0; tries++) {
    // ORDER: a counter; the table slot decides.
    const next = add(words, L.B_NEXT_PID, 1);
    const slot = machine.procTable + (next % PROCESSES_MAX);
    if (peek(words, slot) !== 0) continue;
    poke(words, proc + L.P_PID, next);
    // ORDER: publishes the whole block.
    store(words, slot, proc);
    poke(words, L.B_PROC_COUNT, peek(words, L.B_PROC_COUNT) + 1);
    pid = next;
  }
  unlock(cpu, L.B_PROC_LOCK);
  return pid;
}

/** The process's CPU takes it over: from now on the block is that CPU's. */
export function startProcess(cpu: Cpu, pid: number): number {
  const proc = processOf(cpu.machine, pid);
  if (proc === 0) return -ESRCH;
  poke(cpu.words, proc + L.P_STATE, L.PROC_RUNNING);
  return 0;
}

/**
 * Ends a process: closes its descriptors and drops its use of the address space. The block stays
 * as a zombie until `releaseProcess`. On the CPU that ends processes, or the process's own.
 */
export function exitProcess(
  cpu: Cpu,
  pid: number,
  code: number,
  signal: number,
  address: number,
): number {
  const { words } = cpu;
  const proc = processOf(cpu.machine, pid);
  if (proc === 0) return -ESRCH;
  if (peek(words, proc + L.P_STATE) === L.PROC_ZOMBIE) return 0;
  poke(words, proc + L.P_STATE, L.PROC_ZOMBIE);
  poke(words, proc + L.P_EXIT_CODE, code);
  poke(words, proc + L.P_EXIT_SIGNAL, signal);
  storeWide(cpu.machine, proc + L.P_EXIT_ADDRESS, address);
  closeAllFds(cpu, proc);
  putSpace(cpu, peek(words, proc + L.P_SPACE));
  poke(words, proc + L.P_SPACE, 0);
  if (signal === 0) logEvent(cpu, LOG_PROCESS_EXIT, pid, code, 0);
  else if (signal !== SIGSEGV && signal !== SIGBUS)
    logEvent(cpu, LOG_PROCESS_KILLED, pid, signal, 0);
  else logEvent(cpu, LOG_SEGFAULT, pid, Math.floor(address / PAGE_SIZE), signal);
  return 0;
}

/** Frees the block of a zombie: its end has been told to whoever waits. */
export function releaseProcess(cpu: Cpu, pid: number): number {
  const { words, machine } = cpu;
  const proc = processOf(machine, pid);
  if (proc === 0) return -ESRCH;
  if (peek(words, proc + L.P_STATE) !== L.PROC_ZOMBIE) panic('releaseProcess: still alive', pid);
  lock(cpu, L.B_PROC_LOCK);
  // ORDER: unreachable before the block is reused.
  store(words, machine.procTable + (pid % PROCESSES_MAX), 0);
  poke(words, L.B_PROC_COUNT, peek(words, L.B_PROC_COUNT) - 1);
  unlock(cpu, L.B_PROC_LOCK);
  slabFree(cpu, L.SLAB_PROC, proc);
  return 0;
}

/** Marks a process to be ended by `signal`; it notices at its next access at the latest. */
export function killProcess(cpu: Cpu, pid: number, signal: number): number {
  const { words } = cpu;
  const proc = processOf(cpu.machine, pid);
  if (proc === 0) return -ESRCH;
  if (peek(words, proc + L.P_STATE) === L.PROC_ZOMBIE) return 0;
  // ORDER: the signal is stored before the generation that makes the process look.
  store(words, proc + L.P_PENDING, signal);
  const space = peek(words, proc + L.P_SPACE);
  if (space !== 0) pokeSpace(cpu, space);
  return 0;
}

/** The signal that must end this process now, 0 for none. */
export function pendingSignal(cpu: Cpu, proc: number): number {
  // ORDER: the killer stored it before it advanced the generation that brought us here.
  return load(cpu.words, proc + L.P_PENDING);
}

/** pids of all processes that have a block, in table order. */
export function allPids(machine: Machine): number[] {
  const pids: number[] = [];
  for (let slot = 0; slot < PROCESSES_MAX; slot++) {
    // ORDER: acquires the block.
    const proc = load(machine.words, machine.procTable + slot);
    if (proc !== 0) pids.push(peek(machine.words, proc + L.P_PID));
  }
  return pids;
}

/** Stores a name as bytes, cut to PROCESS_NAME_BYTES; other than Latin-1 becomes '?'. */
function writeName(cpu: Cpu, proc: number, name: string): void {
  for (let i = 0; i < PROCESS_NAME_BYTES / 4; i++) {
    let word = 0;
    for (let j = 0; j < 4; j++) {
      const code = name.charCodeAt(i * 4 + j) || 0;
      word |= (code < 256 ? code : 63) << (8 * j);
    }
    poke(cpu.words, proc + L.P_NAME + i, word);
  }
}

export function processName(machine: Machine, proc: number): string {
  let name = '';
  for (let i = 0; i < PROCESS_NAME_BYTES / 4; i++) {
    const word = peek(machine.words, proc + L.P_NAME + i);
    for (let j = 0; j < 4; j++) {
      const code = (word >>> (8 * j)) & 0xff;
      if (code === 0) return name;
      name += String.fromCharCode(code);
    }
  }
  return name;
}
