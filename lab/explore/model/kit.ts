/**
 * What scenarios are made of: a small machine, processes, and operations for the CPUs' lists.
 * Compiled by the explore build like the kernel itself: plain synchronous functions, no callbacks
 * over shared memory.
 *
 * A scenario is { setup, cpus }: `setup` runs alone, then CPU i performs the operations cpus[i] in
 * order, interleaved with the others in every way the strategy tries. An operation's result is a
 * number that must be one which some order of whole operations gives as well.
 */
import { attachCpu } from '../../../kernel/machine/cpu.ts';
import type { Cpu } from '../../../kernel/machine/cpu.ts';
import { leaveKernel, startCpu } from '../../../kernel/machine/cpu-mode.ts';
import { enterKernel } from '../../../kernel/mmu/kernel-entry.ts';
import { formatMachine } from '../../../kernel/format.ts';
import type { LockingProtocol } from '../../../kernel/machine/locking-protocol.ts';
import type { Machine } from '../../../kernel/machine/machine.ts';
import type { FlushPolicy } from '../../../kernel/machine/flush-policies.ts';
import {
  UserMode,
  contextOf,
  leaveKernelMode,
  leaveUserMode,
} from '../../../kernel/mmu/user-mode.ts';
import type { UserContext } from '../../../kernel/mmu/user-mode.ts';
import { startProcess } from '../../../kernel/processes/process.ts';
import { createProcess } from '../../../kernel/lifecycle/create.ts';
import { processOf } from '../../../kernel/processes/pid-table.ts';
import { sysMmap } from '../../../kernel/syscalls/mmap.ts';
import { peek } from '../../../shared/atomics.ts';
import * as PROCESS from '../../../shared/layout/process.ts';
import { PAGE_SIZE } from '../../../shared/limits.ts';
import {
  MAP_ANONYMOUS,
  MAP_FIXED,
  MAP_PRIVATE,
  MAP_SHARED,
  PROT_READ,
  PROT_WRITE,
} from '../../../shared/abi/mman.ts';
import { setWords } from '../runtime/facade.ts';
import { SWAP_SLOTS } from './swap-store.ts';

/** The machine of a scenario, and what its setup leaves for the operations. */
export interface World {
  /** The machine that the scenario runs on. */
  readonly machine: Machine;
  /** Its CPUs; the first one also plays the kernel worker. */
  readonly cpus: readonly Cpu[];
  /** Block of the process that each CPU runs, by CPU; 0 for none. */
  readonly procs: number[];
  /** User mode of each CPU, and the processes that it has had in user mode. */
  readonly modes: readonly UserMode[];
  /** The processes of each CPU that were in user mode, by CPU. */
  readonly contexts: readonly UserContext[][];
  /** Numbers from setup to the operations; constant while they run. */
  readonly values: Record<string, number>;
  /** Numbers of one CPU, from one of its operations to the next. */
  readonly mine: number[][];
}

/** A step of a CPU's list: one whole operation of the kernel or of a program. */
export interface Operation {
  /** Shown in stories. */
  readonly name: string;
  /** The page that it accesses, counted from BASE, for results such as 'SIGSEGV at page 2'. */
  readonly page?: number;
  /** 'fault': `run` returns a FAULT_* code. */
  readonly returns?: 'fault';
  /** Returns what the operation's caller would see. */
  run(world: World, cpu: Cpu): number;
}

/** What the explorer runs: a setup, then operations on several CPUs at once. */
export interface Scenario {
  /** What `faultline explore` calls it. */
  readonly name: string;
  /** What it shows, in a sentence. */
  readonly about: string;
  /** The operations of each CPU, in order. */
  readonly cpus: readonly (readonly Operation[])[];
  /** Frames of the machine, of 4 KiB. Default: as few as suffice. */
  readonly frames?: number;
  /** When translations are flushed; 'batched'. Under 'lazy' old ones may be used for a while. */
  readonly flushPolicy?: FlushPolicy;
  /** False: results may be such as no sequential order gives (running out of memory, say). */
  readonly linearizable?: boolean;
  /** False: its CPUs share nothing that a protocol locks; it runs under the default one only. */
  readonly perProtocol?: boolean;
  /** False: of the final state only what `observe` says is compared with whole operations'. */
  readonly viewed?: boolean;
  /** False: the audit cannot hold at the end (a CPU was stopped in the middle). */
  readonly audited?: boolean;
  /** Runs alone, before the operations. */
  setup(world: World): void;
  /** What can be seen of the final state; part of what must equal a sequential outcome. */
  observe?(world: World): string;
}

/** Base address of mappings: the start of a 4 MiB span. */
export const BASE: number = 2 ** 32;
/** The page number of BASE. */
export const BASE_VPN: number = BASE / PAGE_SIZE;
/** Readable and writable. */
export const RW: number = PROT_READ | PROT_WRITE;
/** Private anonymous memory. */
export const ANON: number = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;
/** Shared anonymous memory. */
export const SHARED: number = MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED;

/** A machine whose CPUs are idle. It is checked: the kernel's assertions are oracles too. */
export function boot(
  protocol: LockingProtocol,
  cpus: number,
  frames: number,
  flushPolicy: FlushPolicy = 'batched',
): World {
  const machine = formatMachine({
    frames,
    cpus,
    checked: true,
    protocol,
    flushPolicy,
    swapSlots: SWAP_SLOTS,
  });
  setWords(machine.words);
  const all: Cpu[] = [];
  for (let id = 0; id < cpus; id++) all.push(attachCpu(machine, id));
  for (const cpu of all) startCpu(cpu);
  return {
    machine,
    cpus: all,
    procs: all.map(() => 0),
    modes: all.map((cpu) => new UserMode(cpu)),
    contexts: all.map(() => []),
    values: {},
    mine: all.map(() => []),
  };
}

/** A running process on CPU `cpu`, with an empty address space. Its pid. For setups. */
export function newProcess(world: World, id: number): number {
  const cpu = world.cpus[id] as Cpu;
  enterKernel(cpu);
  const pid = createProcess(cpu, { name: 'p', cpu: id, parent: 0 });
  startProcess(cpu, pid);
  leaveKernel(cpu);
  world.procs[id] = processOf(world.machine, pid);
  return pid;
}

/** One process with a thread on each CPU. For setups. Its pid, which is the first thread's. */
export function newThreads(world: World): number {
  const pid = newProcess(world, 0);
  for (let id = 1; id < world.cpus.length; id++) newThread(world, id, pid);
  return pid;
}

function newThread(world: World, id: number, parent: number): void {
  const cpu = world.cpus[id] as Cpu;
  enterKernel(cpu);
  const pid = createProcess(cpu, { name: 't', cpu: id, parent, thread: true });
  startProcess(cpu, pid);
  leaveKernel(cpu);
  world.procs[id] = processOf(world.machine, pid);
}

/** What the MMU of CPU `id` knows of the process that it runs. */
export function contextOn(world: World, id: number): UserContext {
  const proc = world.procs[id] as number;
  const contexts = world.contexts[id] as UserContext[];
  for (const known of contexts) if (known.proc === proc) return known;
  const context = contextOf(world.cpus[id] as Cpu, proc);
  contexts.push(context);
  return context;
}

/** The block of the space of the process that CPU `id` runs. */
export function spaceOf(world: World, id: number): number {
  return peek(world.machine.words, (world.procs[id] as number) + PROCESS.SPACE);
}

/** Maps `pages` pages at BASE + `page` for the process of CPU `id`. For setups. */
export function mapPages(
  world: World,
  id: number,
  page: number,
  pages: number,
  prot: number = RW,
  flags: number = ANON,
): number {
  const cpu = world.cpus[id] as Cpu;
  enterKernel(cpu);
  const at = BASE + page * PAGE_SIZE;
  const proc = world.procs[id] as number;
  const result = sysMmap(cpu, proc, at, pages * PAGE_SIZE, prot, flags, -1, 0);
  leaveKernel(cpu);
  return result;
}

/** From user mode or idle into the kernel, for a system call or fault. */
export function enter(cpu: Cpu): void {
  enterKernel(cpu);
}

/** From the kernel to where the CPU came from: user mode, if a program was live, or idle. */
export function leave(world: World, cpu: Cpu): void {
  leaveKernelMode(world.modes[cpu.id] as UserMode);
}

/** The end of a CPU's list: its program gives up the CPU. The explorer appends it to every list. */
export const finish: Operation = {
  name: 'leave user mode',
  run(world: World, cpu: Cpu): number {
    leaveUserMode(world.modes[cpu.id] as UserMode);
    return 0;
  },
};
