/**
 * User mode of a CPU: which process's accesses go through its TLB at this moment.
 *
 * One process at a time is *live*: CPU.MODE is USER, of its space, and its gate is open. The gates
 * of all others are shut, so that their first access misses, and the miss makes them live. When the
 * program gives up its thread the CPU leaves user mode, so that no shootdown ever waits for a
 * program that is not running.
 *
 * Guarantees: an access that passes an open gate runs in user mode of its own process's space, and
 * the TLB has applied every shootdown up to the gate's generation.
 * Locking: none. This state belongs to the CPU's Worker; others see CPU.MODE and CPU.ACK.
 */
import { load, peek, store } from '../../shared/atomics.ts';
import * as BOOT from '../../shared/layout/boot.ts';
import * as CPU from '../../shared/layout/cpu.ts';
import * as PROCESS from '../../shared/layout/process.ts';
import * as SPACE from '../../shared/layout/space.ts';
import { POLL_ACCESSES } from '../../shared/limits.ts';
import type { ProcessBlock, SpaceBlock, WordIndex } from '../../shared/units.ts';
import { storeWide } from '../frames/wide.ts';
import type { Cpu } from '../machine/cpu.ts';
import { enterUser, leaveKernel, leaveUser, signalWaiters } from '../machine/cpu-mode.ts';
import { tlbFlushAll, tlbReset } from '../machine/tlb.ts';
import type { Tlb } from '../machine/tlb.ts';
import { enterKernel } from './kernel-entry.ts';
import { acknowledge, sweepTlb } from './tlb-sync.ts';

/**
 * What an access compares besides its translation, so that it misses while a shootdown is pending
 * for its space. One for each process.
 */
export class AccessGate {
  /** Word of the machine that every access reads: the space's TLB generation while open. */
  generationAt: WordIndex = BOOT.MAGIC;
  /** Its expected value. A shut gate compares a constant word with a different value. */
  generation: number = ~BOOT.MAGIC_NUMBER;
}

/** One process as the MMU of its CPU sees it. */
export class UserContext {
  /** Blocks of the process and of its address space. */
  readonly proc: ProcessBlock;
  /** Block of its address space. */
  readonly space: SpaceBlock;
  /** The gate of the accesses that the program makes. */
  gate: AccessGate = new AccessGate();
  /** Accesses that hit and missed, without the hits since the last ordered poll. */
  hits = 0;
  /** TLB misses that are not published yet. */
  misses = 0;

  constructor(proc: ProcessBlock, space: SpaceBlock) {
    this.proc = proc;
    this.space = space;
  }
}

/** A CPU in user mode, or not. */
export class UserMode {
  /** The CPU that it is the user mode of. */
  readonly cpu: Cpu;
  /** The process that is in user mode now, null for none. */
  live: UserContext | null = null;

  constructor(cpu: Cpu) {
    this.cpu = cpu;
  }
}

/** The process with block `proc` on `cpu`. */
export function contextOf(cpu: Cpu, proc: ProcessBlock): UserContext {
  return new UserContext(proc, peek(cpu.words, proc + PROCESS.SPACE));
}

/** From user mode or idle: makes a process the live one. */
export function enterUserMode(mode: UserMode, context: UserContext): void {
  enterKernel(mode.cpu);
  if (mode.live !== null) suspend(mode.cpu, mode.live);
  mode.live = context;
  resume(mode.cpu, context);
}

/** Leaves user mode, if the CPU is in it: the program gives up the thread. */
export function leaveUserMode(mode: UserMode): void {
  if (mode.live === null) return;
  suspend(mode.cpu, mode.live);
  mode.live = null;
  leaveUser(mode.cpu);
}

/** From the kernel to where the CPU was before: user mode, or idle. */
export function leaveKernelMode(mode: UserMode): void {
  if (mode.live !== null) resume(mode.cpu, mode.live);
  else leaveKernel(mode.cpu);
}

/** Into the kernel and out again: parks while the machine is stopped. */
export function passKernel(mode: UserMode): void {
  enterKernel(mode.cpu);
  leaveKernelMode(mode);
}

/** In kernel mode: the process has ended, and is not to be returned to. */
export function dropContext(mode: UserMode, context: UserContext): void {
  if (mode.live !== context) return;
  mode.live = null;
  suspend(mode.cpu, context);
}

/** The process has ended: its translations go too, unless another of its threads uses them. */
export function forgetContext(mode: UserMode, context: UserContext): void {
  if (mode.live === context) leaveUserMode(mode);
  if (mode.live !== null && mode.live.space === context.space) return;
  if (mode.cpu.tlb.space === context.space) tlbReset(mode.cpu.tlb);
}

/** Accesses may hit from now on: the TLB has applied all it knew of when it entered USER. */
export function openGate(cpu: Cpu, context: UserContext): void {
  context.gate.generationAt = context.space + SPACE.TLB_GEN;
  context.gate.generation = cpu.tlb.generation;
}

/** Counts the hits since the last ordered poll, and starts anew. The live process only. */
export function countHits(tlb: Tlb, context: UserContext): void {
  const left = tlb.polls[0] as number;
  // The access that used up the budget has not been done yet: it counts when it is retried.
  context.hits += POLL_ACCESSES - (left > 0 ? left : 1);
  tlb.polls[0] = POLL_ACCESSES;
}

function resume(cpu: Cpu, context: UserContext): void {
  resumeUser(cpu, cpu.tlb, context.space);
  openGate(cpu, context);
}

/** The process cannot use the TLB from now on; its counters are published. */
function suspend(cpu: Cpu, context: UserContext): void {
  context.gate.generationAt = BOOT.MAGIC;
  context.gate.generation = ~BOOT.MAGIC_NUMBER;
  countHits(cpu.tlb, context);
  storeWide(cpu.machine, context.proc + PROCESS.TLB_HITS, context.hits);
  storeWide(cpu.machine, context.proc + PROCESS.TLB_MISSES, context.misses);
}

/** From kernel mode to user mode of `space`, with a TLB that holds nothing outdated. */
export function resumeUser(cpu: Cpu, tlb: Tlb, space: SpaceBlock): void {
  const { words } = cpu;
  const spaceId = peek(words, space + SPACE.ID);
  if (tlb.space !== space || tlb.spaceId !== spaceId) {
    tlbFlushAll(tlb);
    tlb.space = space;
    tlb.spaceId = spaceId;
    // ORDER: an empty TLB is up to date with any generation it reads.
    tlb.lazyGeneration = load(words, space + SPACE.LAZY_GEN);
    tlb.generation = load(words, space + SPACE.TLB_GEN);
  }
  // The words may hold acknowledgements of another space, which an initiator must not take for
  // ours. Only this CPU writes them while it runs, so what is right already needs no store.
  // ORDER: before USER is published.
  if (peek(words, cpu.base + CPU.ACK) !== tlb.generation) {
    store(words, cpu.base + CPU.ACK, tlb.generation);
  }
  if (peek(words, cpu.base + CPU.LAZY_ACK) !== tlb.lazyGeneration) {
    store(words, cpu.base + CPU.LAZY_ACK, tlb.lazyGeneration);
  }
  enterUser(cpu, space);
  sweepTlb(cpu, tlb);
  // ORDER: after USER was published (Dekker; cpu-mode.ts). A generation that has not moved is
  // acknowledged already.
  if (load(words, space + SPACE.TLB_GEN) !== tlb.generation) acknowledge(cpu, tlb);
  else signalWaiters(cpu);
}
