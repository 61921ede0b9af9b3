/**
 * Making a process: a child with an empty address space, a copy (fork), or a thread that shares
 * its parent's space.
 *
 * Locking: BOOT.PROC_LOCK for the pid table. Until the table names it, the block is private.
 */
import { add, peek, poke, store } from '../../shared/atomics.ts';
import { EAGAIN, ENOMEM, EPERM, ESRCH } from '../../shared/abi/errno.ts';
import * as BOOT from '../../shared/layout/boot.ts';
import * as PROCESS from '../../shared/layout/process.ts';
import * as SLAB from '../../shared/layout/slabs.ts';
import * as SPACE from '../../shared/layout/space.ts';
import { PROCESSES_MAX } from '../../shared/limits.ts';
import type { Pid, ProcessBlock, SpaceBlock, VirtAddr } from '../../shared/units.ts';
import type { Cpu } from '../machine/cpu.ts';
import { assertInKernel, assertNoLockHeld } from '../machine/held-locks.ts';
import { createDescriptors, dropDescriptors, inheritFds, shareDescriptors } from '../objects/fd.ts';
import { forkSpace } from './fork.ts';
import { inheritShared } from './inherit.ts';
import { slabAlloc, slabFree } from '../frames/slab.ts';
import { storeWide } from '../frames/wide.ts';
import { processOf, spaceOfPid } from '../processes/pid-table.ts';
import { writeName } from '../processes/process.ts';
import { inheritSignals } from '../processes/signals.ts';
import { createSpace, getSpace, putSpace } from '../space/space.ts';
import { inheritLimits } from '../space/rlimits.ts';
import { groupOf, joinGroup, makeGroup } from '../frames/memory-group.ts';
import { mapStack, unmapStack } from './thread-stack.ts';
import { lock, unlock } from '../machine/spinlock.ts';

/** What a new process is to be. */
export interface ProcessSpec {
  /** Shown in reports; cut to 64 bytes of Latin-1. */
  readonly name: string;
  /** CPU that will run it; 0 (or none): whichever CPU starts it first. */
  readonly cpu?: number;
  /** CPU in whose run queue it waits to be started. */
  readonly home?: number;
  /** pid of the parent, 0 for a process that the host started. */
  readonly parent: Pid;
  /** Take over the parent's descriptors and shared mappings. */
  readonly inherit?: boolean;
  /** As after fork: take over the parent's descriptors and get a copy of its address space. */
  readonly fork?: boolean;
  /** A thread: use the parent's address space itself, and take over its descriptors. */
  readonly thread?: boolean;
  /** CLONE_FILES: use the parent's descriptors, not a copy of them. */
  readonly shareDescriptors?: boolean;
  /** CLONE_THREAD: pid of the process that it is a thread of. Default: its own. */
  readonly tgid?: Pid;
  /** Default 0. */
  readonly fsBase?: VirtAddr;
  /** Address of a word that its end clears (thread-words.ts). Default 0: none. */
  readonly clearTid?: VirtAddr;
  /** Bytes of a stack of its own, above a guard page. Default 0: none. */
  readonly stackBytes?: number;
  /** Default: its parent's. */
  readonly nice?: number;
  /** A mask (capabilities.ts), of those its parent has. Default: its parent's. */
  readonly capabilities?: number;
  /** Begins a memory group limited to this many resident pages. Default: its parent's group. */
  readonly memoryMaxPages?: number;
}

/**
 * A new process with an empty address space, a copy of its parent's, or (a thread) its parent's
 * own. Returns its pid, -EAGAIN (too many processes or memory groups), -ENOMEM, -EPERM (it is to
 * have a capability that its parent lacks), or -ESRCH for a child or thread whose parent has ended.
 * No thread of the parent can end meanwhile: this and all ends run on the kernel worker.
 */
export function createProcess(cpu: Cpu, spec: ProcessSpec): Pid {
  assertInKernel(cpu);
  assertNoLockHeld(cpu);
  const { words, machine } = cpu;
  const { thread = false, inherit = false, fork = false } = spec;
  const parent = thread || inherit || fork ? processOf(machine, spec.parent) : 0;
  const shared = parent !== 0 ? peek(words, parent + PROCESS.SPACE) : 0;
  if ((thread || fork) && shared === 0) return -ESRCH;
  if (!mayGive(cpu, spec)) return -EPERM;
  const proc = slabAlloc(cpu, SLAB.PROCESS);
  if (proc === 0) return -ENOMEM;
  const space = thread ? getSpace(cpu, shared) : createSpace(cpu);
  if (space === 0 || !giveDescriptors(cpu, proc, parent, spec)) {
    if (space !== 0) putSpace(cpu, space);
    slabFree(cpu, SLAB.PROCESS, proc);
    return -ENOMEM;
  }
  fillBlock(cpu, proc, space, spec);
  let pid = thread ? 0 : enterGroup(cpu, space, spec);
  if (pid === 0 && parent !== 0) {
    if (fork) pid = forkSpace(cpu, shared, space);
    else if (!thread) pid = inheritShared(cpu, shared, space);
  }
  if (pid === 0) pid = mapStack(cpu, proc, spec.stackBytes ?? 0);
  if (pid === 0) pid = takePid(cpu, proc);
  if (pid < 0) {
    dropDescriptors(cpu, proc);
    unmapStack(cpu, proc);
    putSpace(cpu, space);
    slabFree(cpu, SLAB.PROCESS, proc);
    return pid;
  }
  return pid;
}

/** A table of descriptors: the parent's, a copy of it, or an empty one. False without memory. */
function giveDescriptors(
  cpu: Cpu,
  proc: ProcessBlock,
  parent: ProcessBlock,
  spec: ProcessSpec,
): boolean {
  if (parent !== 0 && spec.shareDescriptors === true) {
    shareDescriptors(cpu, parent, proc);
    return true;
  }
  if (!createDescriptors(cpu, proc)) return false;
  if (parent !== 0) inheritFds(cpu, parent, proc);
  return true;
}

/** Whether the parent has the capabilities that the child is to have. The host has all. */
function mayGive(cpu: Cpu, { capabilities = 0, parent }: ProcessSpec): boolean {
  const from = spaceOfPid(cpu, parent);
  return from === 0 || (capabilities & ~peek(cpu.words, from + SPACE.CAPABILITIES)) === 0;
}

/** Puts a new space into a group of its own, or its parent's. 0 or -EAGAIN. */
function enterGroup(cpu: Cpu, space: SpaceBlock, spec: ProcessSpec): number {
  const from = spaceOfPid(cpu, spec.parent);
  let group = from === 0 ? 0 : groupOf(cpu, from);
  if (spec.memoryMaxPages !== undefined) {
    group = makeGroup(cpu, spec.memoryMaxPages);
    if (group === 0) return -EAGAIN;
  }
  joinGroup(cpu, space, group);
  return 0;
}

/** What a new process is, and what it inherits whether or not it shares its parent's space. */
function fillBlock(cpu: Cpu, proc: ProcessBlock, space: SpaceBlock, spec: ProcessSpec): void {
  const { words, machine } = cpu;
  const parent = processOf(machine, spec.parent);
  poke(words, proc + PROCESS.SPACE, space);
  poke(words, proc + PROCESS.PARENT, spec.parent);
  poke(words, proc + PROCESS.CPU, spec.cpu ?? 0);
  poke(words, proc + PROCESS.HOME, spec.home ?? 0);
  poke(words, proc + PROCESS.STATE, PROCESS.NEW);
  poke(words, proc + PROCESS.TGID, spec.tgid ?? 0);
  storeWide(machine, proc + PROCESS.FS_BASE, spec.fsBase ?? 0);
  storeWide(machine, proc + PROCESS.CLEAR_TID, spec.clearTid ?? 0);
  writeName(cpu, proc, spec.name);
  if (parent !== 0) {
    inheritSignals(cpu, parent, proc);
    const from = peek(words, parent + PROCESS.SPACE);
    if (from !== 0 && from !== space) inheritLimits(cpu, from, space);
  }
  if (spec.capabilities !== undefined) poke(words, space + SPACE.CAPABILITIES, spec.capabilities);
  const inherited = parent === 0 ? 0 : peek(words, parent + PROCESS.NICE);
  poke(words, proc + PROCESS.NICE, spec.nice ?? inherited);
}

/** Enters the process into the pid table under the next free pid. */
function takePid(cpu: Cpu, proc: ProcessBlock): Pid {
  const { words, machine } = cpu;
  lock(cpu, BOOT.PROC_LOCK);
  let pid = -EAGAIN;
  for (let tries = 0; tries < PROCESSES_MAX && pid < 0; tries++) {
    // ORDER: a counter; the table slot decides.
    const next = add(words, BOOT.NEXT_PID, 1);
    const slot = machine.procTable + (next % PROCESSES_MAX);
    if (peek(words, slot) !== 0) continue;
    poke(words, proc + PROCESS.PID, next);
    if (peek(words, proc + PROCESS.TGID) === 0) poke(words, proc + PROCESS.TGID, next);
    // ORDER: publishes the whole block.
    store(words, slot, proc);
    poke(words, BOOT.PROC_COUNT, peek(words, BOOT.PROC_COUNT) + 1);
    pid = next;
  }
  unlock(cpu, BOOT.PROC_LOCK);
  return pid;
}
