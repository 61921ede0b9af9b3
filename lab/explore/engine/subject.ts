/**
 * What is explored: one scenario under one protocol, set up once, and brought back to that state
 * before each execution.
 */
import type { LockingProtocol } from '../../../kernel/machine/locking-protocol.ts';
import type { Cpu } from '../../../kernel/machine/cpu.ts';
import type { UserContext, UserMode } from '../../../kernel/mmu/user-mode.ts';
import * as BOOT from '../../../shared/layout/boot.ts';
import * as CPU from '../../../shared/layout/cpu.ts';
import * as PROCESS from '../../../shared/layout/process.ts';
import type { Model } from '../build/build-model.ts';
import type { Operation, Scenario, World } from '../model/kit.ts';
import type { Task } from '../runtime/task.ts';
import * as T from '../runtime/task.ts';

/** Smallest machine that `formatMachine` makes. */
const FRAMES_DEFAULT = 256;

/** A process's private state after setup, on one CPU. */
interface ContextState {
  readonly context: UserContext;
  readonly generationAt: number;
  readonly generation: number;
  readonly hits: number;
  readonly misses: number;
}

/** A CPU's private state after setup: its user mode and its TLB's contents. */
interface CpuState {
  readonly live: UserContext | null;
  readonly contexts: readonly ContextState[];
  readonly space: number;
  readonly spaceId: number;
  readonly generation: number;
  readonly lazyGeneration: number;
  /** {slot, read base, write base, frame's word} of each filled slot. */
  readonly entries: readonly (readonly [number, number, number, number])[];
}

export class Subject {
  readonly model: Model;
  readonly scenario: Scenario;
  readonly protocol: LockingProtocol;
  readonly world: World;
  readonly words: Int32Array<SharedArrayBuffer>;
  /** Each CPU's operations, the end of its program included. */
  readonly programs: readonly (readonly Operation[])[];
  readonly tasks: readonly Task[];
  /** 1 for words that are counters: they differ from run to run and nothing depends on them. */
  readonly ignored: Uint8Array;
  readonly #restore: () => void;
  readonly #startClocks: (tasks: readonly Task[]) => void;
  readonly #tlbReset: (tlb: Cpu['tlb']) => void;
  readonly #cpuStates: readonly CpuState[];
  readonly #procs: readonly number[];

  constructor(model: Model, scenario: Scenario, protocol: LockingProtocol) {
    const { module } = model;
    const { facade, memory, race } = module.runtime;
    const { cpus, frames = FRAMES_DEFAULT, flushPolicy } = scenario;
    this.model = model;
    this.scenario = scenario;
    this.protocol = protocol;
    facade.setWordHook(0, 0, () => {});
    const world = this.direct(() => module.boot(protocol, cpus.length, frames, flushPolicy));
    this.world = world;
    this.words = world.machine.words;
    facade.setWords(this.words);
    memory.snapshot(this.words);
    this.direct(() => scenario.setup(world));
    memory.snapshot(this.words);
    race.watchMemory(this.words.length, frames, world.machine.frameBase);
    this.programs = cpus.map((list) => [...list, module.finish]);
    this.tasks = cpus.map((_, id) => new module.runtime.Task(id));
    this.ignored = counterWords(world);
    this.#restore = memory.restore;
    this.#startClocks = race.startClocks;
    this.#tlbReset = module.tlbReset;
    this.#cpuStates = world.cpus.map((cpu, id) => stateOf(world, cpu, id));
    this.#procs = [...world.procs];
  }

  /** Everything as it was after setup. */
  reset(): void {
    const { world, tasks } = this;
    this.#restore();
    for (let id = 0; id < tasks.length; id++) {
      const task = tasks[id] as Task;
      task.kind = T.START;
      task.at = -1;
      task.status = T.READY;
      world.procs[id] = this.#procs[id] as number;
      const mine = world.mine[id] as number[];
      if (mine.length > 0) mine.length = 0;
      this.#resetCpu(world.cpus[id] as Cpu, this.#cpuStates[id] as CpuState);
      resetUserMode(world, id, this.#cpuStates[id] as CpuState);
    }
    this.#startClocks(tasks);
  }

  #resetCpu(cpu: Cpu, state: CpuState): void {
    const { tlb } = cpu;
    if (tlb.filledCount > 0) this.#tlbReset(tlb);
    tlb.space = state.space;
    tlb.spaceId = state.spaceId;
    tlb.generation = state.generation;
    tlb.lazyGeneration = state.lazyGeneration;
    for (const [slot, readBase, writeBase, frameAt] of state.entries) {
      tlb.filled[tlb.filledCount] = slot;
      tlb.filledCount++;
      tlb.readBase[slot] = readBase;
      tlb.writeBase[slot] = writeBase;
      tlb.frameAt[slot] = frameAt;
    }
    if (cpu.faultCursor.held.length > 0) cpu.faultCursor.held.length = 0;
    if (cpu.rangeCursor.held.length > 0) cpu.rangeCursor.held.length = 0;
    if (cpu.heldLocks.length > 0) cpu.heldLocks.length = 0;
    if (cpu.droppedRecords.length > 0) cpu.droppedRecords.length = 0;
    if (cpu.droppedWriters.length > 0) cpu.droppedWriters.length = 0;
    if (cpu.writeBacks.length > 0) cpu.writeBacks.length = 0;
    cpu.faultObject = 0;
    cpu.lacksFrame = false;
    cpu.stoppedAtVpn = 0;
    cpu.faultPage = 0;
    cpu.batchLeft = 0;
    cpu.carriedErrno = 0;
    cpu.populateStartVpn = 0;
    cpu.populateEndVpn = 0;
  }

  /** Runs kernel code alone, to its end. */
  direct<Result>(start: () => Result): Result {
    const { facade } = this.model.module.runtime;
    facade.setCurrent(null, null);
    const started: unknown = start();
    // Nothing suspends it, so it ends in its first turn.
    return (facade.isGenerator(started) ? started.next(0).value : started) as Result;
  }
}

function resetUserMode(world: World, id: number, state: CpuState): void {
  (world.modes[id] as UserMode).live = state.live;
  (world.contexts[id] as UserContext[]).length = state.contexts.length;
  for (const { context, generationAt, generation, hits, misses } of state.contexts) {
    context.gate.generationAt = generationAt;
    context.gate.generation = generation;
    context.hits = hits;
    context.misses = misses;
  }
}

function stateOf(world: World, { tlb }: Cpu, id: number): CpuState {
  const { live } = world.modes[id] as UserMode;
  const contexts = (world.contexts[id] as UserContext[]).map((context) => {
    const { generationAt, generation } = context.gate;
    return { context, generationAt, generation, hits: context.hits, misses: context.misses };
  });
  const entries: [number, number, number, number][] = [];
  for (let i = 0; i < tlb.filledCount; i++) {
    const slot = tlb.filled[i] as number;
    const bases = [tlb.readBase[slot] as number, tlb.writeBase[slot] as number] as const;
    entries.push([slot, ...bases, tlb.frameAt[slot] as number]);
  }
  const { space, spaceId, generation, lazyGeneration } = tlb;
  return { live, contexts, space, spaceId, generation, lazyGeneration, entries };
}

function counterWords(world: World): Uint8Array {
  const { machine } = world;
  const ignored = new Uint8Array(machine.words.length);
  ignored.fill(1, machine.histograms, machine.swapMap);
  ignored[BOOT.CPU_EVENT] = 1;
  ignored[BOOT.DMESG_NEXT] = 1;
  for (let id = 0; id < machine.cpus; id++) {
    const stats = machine.cpuBase + id * CPU.WORDS + CPU.STATS;
    ignored.fill(1, stats, stats + CPU.STAT_NAMES.length);
  }
  for (const proc of world.procs) {
    if (proc !== 0) ignored.fill(1, proc + PROCESS.TLB_HITS, proc + PROCESS.TLB_MISSES + 2);
  }
  return ignored;
}
