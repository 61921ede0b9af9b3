/**
 * Processes: a block with a pid, an address space, descriptors and an end. A thread is a process
 * that shares its address space; the space goes with its last user.
 *
 *     NEW → RUNNING → ZOMBIE → (block freed)
 *
 * Locking: B_PROC_LOCK for the pid table; a process's block belongs to its CPU, or to the kernel
 * worker before it runs and after its CPU died.
 */
import { add, compareExchange, load, peek, poke, store } from '../../shared/atomics.ts';
import { EAGAIN, ENOMEM, ESRCH } from '../../shared/errno.ts';
import * as L from '../../shared/layout.ts';
import { PAGE_SIZE, PROCESSES_MAX, PROCESS_NAME_BYTES } from '../../shared/limits.ts';
import { panic } from '../../shared/panic.ts';
import { SIGBUS, SIGSEGV } from '../../shared/signals.ts';
import type { Cpu } from '../cpu/cpu.ts';
import { closeAllFds, inheritFds } from '../objects/fd.ts';
import { forkSpace } from './fork.ts';
import { dropFutexes } from './futex.ts';
import { inheritShared } from './inherit.ts';
import {
  LOG_PROCESS_EXIT,
  LOG_PROCESS_KILLED,
  LOG_PROCESS_START,
  LOG_SEGFAULT,
  logEvent,
} from '../reports/log.ts';
import type { Machine } from '../machine.ts';
import { slabAlloc, slabFree } from '../frames/slab.ts';
import { processOf, spaceOfPid } from './pid-table.ts';
import { inheritSignals } from './signals.ts';
import { createSpace, getSpace, putSpace } from './space.ts';
import { inheritLimits } from './limits.ts';
import { groupOf, joinGroup, makeGroup } from '../reclaim/memory-group.ts';
import { mapStack, unmapStack } from './thread-stack.ts';
import { lock, unlock } from '../cpu/spinlock.ts';
import { storeWide } from '../frames/wide.ts';

export { allPids, processOf, spaceOfPid } from './pid-table.ts';
export { killProcess, pendingSignal } from './signals.ts';

export interface ProcessSpec {
  readonly name: string;
  /** CPU that will run it; 0 (or none): the one that starts it first. */
  readonly cpu?: number;
  /** CPU in whose run queue it waits for that. */
  readonly home?: number;
  /** pid of the parent, 0 for a process of the host's. */
  readonly parent: number;
  /** Take over the parent's descriptors and shared mappings. */
  readonly inherit?: boolean;
  /** As after fork: take over the parent's descriptors and get a copy of its address space. */
  readonly fork?: boolean;
  /** A thread: use the parent's address space itself, and take over its descriptors. */
  readonly thread?: boolean;
  /** Bytes of a stack of its own, above a guard page. Default 0: none. */
  readonly stackBytes?: number;
  /** Default: its parent's. */
  readonly nice?: number;
  /** Begins a memory group that may have so many pages resident. Default: its parent's group. */
  readonly memoryMaxPages?: number;
}

/**
 * A new process with an empty address space, a copy of its parent's, or, a thread, its parent's
 * own. Its pid, -EAGAIN (too many processes or memory groups), -ENOMEM, or -ESRCH for a child or
 * thread whose parent has ended. No thread of the parent's can end meanwhile: this and all ends run
 * on the kernel worker.
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
  fillBlock(cpu, proc, space, spec);
  let pid = thread ? 0 : enterGroup(cpu, space, spec);
  if (pid === 0 && parent !== 0) {
    inheritFds(cpu, parent, proc);
    if (fork) pid = forkSpace(cpu, shared, space);
    else if (!thread) pid = inheritShared(cpu, shared, space);
  }
  if (pid === 0) pid = mapStack(cpu, proc, spec.stackBytes ?? 0);
  if (pid === 0) pid = takePid(cpu, proc);
  if (pid < 0) {
    closeAllFds(cpu, proc);
    unmapStack(cpu, proc);
    putSpace(cpu, space);
    slabFree(cpu, L.SLAB_PROC, proc);
    return pid;
  }
  return pid;
}

/** Puts a new space into a group of its own, or its parent's. 0 or -EAGAIN. */
function enterGroup(cpu: Cpu, space: number, spec: ProcessSpec): number {
  const from = spaceOfPid(cpu, spec.parent);
  let group = from === 0 ? 0 : groupOf(cpu, from);
  if (spec.memoryMaxPages !== undefined) {
    group = makeGroup(cpu, spec.memoryMaxPages);
    if (group === 0) return -EAGAIN;
  }
  joinGroup(cpu, space, group);
  return 0;
}

/** What a new process is, and what it has from its parent whatever it shares with it. */
function fillBlock(cpu: Cpu, proc: number, space: number, spec: ProcessSpec): void {
  const { words, machine } = cpu;
  const parent = processOf(machine, spec.parent);
  poke(words, proc + L.P_SPACE, space);
  poke(words, proc + L.P_PARENT, spec.parent);
  poke(words, proc + L.P_CPU, spec.cpu ?? 0);
  poke(words, proc + L.P_HOME, spec.home ?? 0);
  poke(words, proc + L.P_STATE, L.PROC_NEW);
  writeName(cpu, proc, spec.name);
  if (parent !== 0) {
    inheritSignals(cpu, parent, proc);
    const from = peek(words, parent + L.P_SPACE);
    if (from !== 0 && from !== space) inheritLimits(cpu, from, space);
  }
  const inherited = parent === 0 ? 0 : peek(words, parent + L.P_NICE);
  poke(words, proc + L.P_NICE, spec.nice ?? inherited);
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

/**
 * A CPU takes a new process over: from now on the block is that CPU's. -ESRCH when another CPU was
 * faster, or the process has ended: several may be told to start it, and the first one does.
 */
export function startProcess(cpu: Cpu, pid: number): number {
  const proc = processOf(cpu.machine, pid);
  if (proc === 0 || !claim(cpu, proc, cpu.id)) return -ESRCH;
  if (peek(cpu.words, proc + L.P_STATE) !== L.PROC_NEW) return -ESRCH;
  poke(cpu.words, proc + L.P_STATE, L.PROC_RUNNING);
  logEvent(cpu, LOG_PROCESS_START, pid, cpu.id, peek(cpu.words, proc + L.P_PARENT));
  return 0;
}

/** Sees to it that no CPU starts a new process any more. False when one has it already. */
export function withholdProcess(cpu: Cpu, pid: number): boolean {
  const proc = processOf(cpu.machine, pid);
  return proc !== 0 && claim(cpu, proc, L.CPU_NOBODY);
}

/** A new process waits in the run queue of another CPU, too. */
export function rehomeProcess(cpu: Cpu, pid: number, home: number): void {
  const proc = processOf(cpu.machine, pid);
  // ORDER: a hint for canBeWoken.
  if (proc !== 0) store(cpu.words, proc + L.P_HOME, home);
}

/** The CPU that runs a process; 0 when none has started it, CPU_NOBODY when none may. */
export function processCpu(machine: Machine, pid: number): number {
  const proc = processOf(machine, pid);
  // ORDER: a momentary value, unless the process has one.
  return proc === 0 ? 0 : load(machine.words, proc + L.P_CPU);
}

function claim(cpu: Cpu, proc: number, owner: number): boolean {
  // ORDER: the exchange decides between CPUs, and acquires the block as its maker left it.
  const before = compareExchange(cpu.words, proc + L.P_CPU, 0, owner);
  return before === 0 || before === owner;
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
  dropFutexes(cpu, proc);
  closeAllFds(cpu, proc);
  unmapStack(cpu, proc);
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
