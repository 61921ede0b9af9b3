/**
 * Where new processes start. Each is put into the run queue of the CPU that the pool chose for it;
 * what a busy CPU has not started yet, an idle one takes over.
 *
 * A process belongs to no CPU before one starts it (startProcess, an atomic exchange), so a
 * takeover needs no recall: the idle CPU is told of the process too, and the first of the two runs
 * it.
 *
 * Guarantees: every process that is dispatched is started by exactly one CPU, unless it ends
 * before; also when the CPU that was to start it dies.
 * Not guaranteed: that a started process ever moves: its program's variables cannot. Nor that a
 * thread starts soon: it was placed apart from its siblings and is not moved.
 */
import { platform } from '#platform';
import {
  hasBegun,
  processCpu,
  recallProcess,
  rehomeProcess,
  withholdProcess,
} from '../../../kernel/index.ts';
import type { Cpu } from '../../../kernel/index.ts';
import * as CPU from '../../../shared/layout/cpu.ts';
import type { WireStart } from '../../../shared/wire.ts';
import { WorkerDied } from '../../wire/errors.ts';
import { describeThrown } from '../../wire/thrown.ts';
import { modeOf } from '../cpu-mode.ts';
import { inKernel } from '../in-kernel.ts';
import type { Pool, Slot } from './pool.ts';
import type { ProcessEntry } from './process-table.ts';

/** Times that a process which has not begun is taken to another Worker. */
const RECALLS_MAX = 3;

interface NewProcess {
  readonly entry: ProcessEntry;
  readonly order: WireStart;
  /** Times that `balance` has found it not started. */
  age: number;
  /** Times that it was taken back from a Worker that was ended. */
  recalls: number;
}

export interface DispatcherNeeds {
  readonly cpu: Cpu;
  readonly pool: Pool;
  /** Ends a process that cannot be started. */
  readonly onFailure: (pid: number, reason: string) => void;
}

export class Dispatcher {
  readonly #cpu: Cpu;
  readonly #pool: Pool;
  readonly #onFailure: (pid: number, reason: string) => void;
  /** Processes whose programs may not have begun yet, by pid. */
  readonly #waiting = new Map<number, NewProcess>();
  /** What goes to each CPU at the end of this turn. */
  readonly #batches = new Map<Slot, WireStart[]>();

  constructor({ cpu, pool, onFailure }: DispatcherNeeds) {
    this.#cpu = cpu;
    this.#pool = pool;
    this.#onFailure = onFailure;
  }

  /** Puts a new process into the run queue of the CPU that its entry names. */
  dispatch(entry: ProcessEntry, order: WireStart): void {
    this.#waiting.set(entry.pid, { entry, order, age: 0, recalls: 0 });
    const slot = this.#pool.slot(entry.cpu);
    if (slot !== undefined) this.#send(slot, order);
  }

  /** Evens out what has not been started. Called at every tick. */
  balance(): void {
    const queues = this.#queues();
    if (queues.size === 0) return;
    for (const idle of this.#pool.live()) {
      if (idle.dedicated || queues.has(idle.cpu) || !this.#isIdle(idle)) continue;
      const [longest] = [...queues.values()].sort((a, b) => b.length - a.length);
      if (longest === undefined) return;
      for (const process of longest.splice(Math.floor(longest.length / 2))) {
        this.#place(process.entry, idle);
        this.#offer(process, idle);
      }
    }
  }

  /** CPUs on which a process runs, or may be started. */
  cpusOf(entry: ProcessEntry): readonly number[] {
    const runsOn = processCpu(this.#cpu.machine, entry.pid);
    if (runsOn !== 0) return [runsOn];
    const pool = this.#pool.live().filter(({ dedicated }) => !dedicated);
    return isMovable(entry) ? [entry.cpu, ...pool.map(({ cpu }) => cpu)] : [entry.cpu];
  }

  /** Offers a process that has not been started to a Worker of its own; whether there is one. */
  async toOwnWorker(entry: ProcessEntry): Promise<boolean> {
    const process = this.#waiting.get(entry.pid);
    const isNew = (): boolean =>
      entry.status === null && processCpu(this.#cpu.machine, entry.pid) === 0;
    if (process === undefined || !isMovable(entry) || !isNew()) return false;
    try {
      const slot = await this.#pool.acquire(true);
      if (!isNew()) {
        this.#pool.release(slot, slot.generation);
        return true;
      }
      this.#place(entry, slot);
      // Both count it.
      slot.load--;
      this.#offer(process, slot);
      return true;
    } catch {
      return false;
    }
  }

  /**
   * Takes a process back from CPU `cpu`, which is dead, if its program has not begun there; then it
   * is as one that has not been started. A program that ends Worker after Worker while it loads is
   * not taken back for ever.
   */
  recall(cpu: number, pid: number): boolean {
    const process = this.#waiting.get(pid);
    const slot = this.#pool.slot(cpu);
    if (process === undefined || slot === undefined || process.recalls >= RECALLS_MAX) return false;
    if (!inKernel(this.#cpu, () => recallProcess(this.#cpu, pid))) return false;
    process.recalls++;
    const { entry } = process;
    const from = this.#pool.slot(entry.cpu);
    if (from !== undefined && from !== slot) this.#pool.release(from, entry.generation);
    entry.cpu = cpu;
    return true;
  }

  /** The Worker of a CPU has died: what it had not started goes elsewhere, or ends for `reason`. */
  async cpuDied(cpu: number, reason: string): Promise<void> {
    const { machine } = this.#cpu;
    // First the pool replaces the Worker.
    await Promise.resolve();
    for (const process of [...this.#waiting.values()]) {
      const { entry } = process;
      if (entry.cpu !== cpu || entry.status !== null) continue;
      if (processCpu(machine, entry.pid) !== 0) continue;
      try {
        const slot = await this.#pool.acquire(entry.dedicated);
        entry.cpu = slot.cpu;
        entry.generation = slot.generation;
        this.#offer(process, slot);
      } catch {
        this.#fail(entry.pid, reason);
      }
    }
  }

  /** Processes that an idle CPU may take because they have waited for a tick or more, by CPU. */
  #queues(): Map<number, NewProcess[]> {
    const queues = new Map<number, NewProcess[]>();
    for (const process of this.#waiting.values()) {
      const { entry } = process;
      const { machine } = this.#cpu;
      const runsOn = processCpu(machine, entry.pid);
      if (entry.status !== null || hasBegun(machine, entry.pid)) this.#waiting.delete(entry.pid);
      if (entry.status !== null || runsOn !== 0) {
        const slot = this.#pool.slot(runsOn);
        if (entry.status === null && slot !== undefined) this.#place(entry, slot);
      } else if (isMovable(entry) && ++process.age > 1) {
        const queue = queues.get(entry.cpu);
        if (queue === undefined) queues.set(entry.cpu, [process]);
        else queue.push(process);
      }
    }
    return queues;
  }

  #isIdle(slot: Slot): boolean {
    // If a CPU is busy after all, it gets some processes too many, once.
    return modeOf(this.#cpu, slot.cpu) === CPU.MODE_IDLE;
  }

  /** Puts a process that has not started into the run queue of `to`, which counts it already. */
  #offer(process: NewProcess, to: Slot): void {
    const { entry, order } = process;
    inKernel(this.#cpu, () => rehomeProcess(this.#cpu, entry.pid, to.cpu));
    process.age = 0;
    this.#send(to, order);
  }

  /** Counts the process for the CPU `to`. */
  #place(entry: ProcessEntry, to: Slot): void {
    const from = this.#pool.slot(entry.cpu);
    if (from === to && entry.generation === to.generation) return;
    if (from !== undefined) this.#pool.release(from, entry.generation);
    to.load++;
    entry.cpu = to.cpu;
    entry.generation = to.generation;
  }

  #send(slot: Slot, order: WireStart): void {
    const batch = this.#batches.get(slot);
    if (batch !== undefined) {
      batch.push(order);
      return;
    }
    this.#batches.set(slot, [order]);
    platform.afterTurn(() => this.#flush(slot));
  }

  #flush(slot: Slot): void {
    const orders = this.#batches.get(slot) ?? [];
    this.#batches.delete(slot);
    slot.connection?.remote.start(orders).catch((error: unknown) => {
      // What a dead Worker has not started is sent to another one.
      if (error instanceof WorkerDied) return;
      for (const { pid } of orders) this.#fail(pid, describeThrown(error));
    });
  }

  #fail(pid: number, reason: string): void {
    if (inKernel(this.#cpu, () => withholdProcess(this.#cpu, pid))) this.#onFailure(pid, reason);
  }
}

/** Threads are spread on purpose, and dedicated processes alone. */
function isMovable({ dedicated, tgid, pid }: ProcessEntry): boolean {
  return !dedicated && tgid === pid;
}
