/**
 * The lives of processes, as the kernel worker directs them: spawned onto a CPU of the pool, ended
 * by themselves, by a signal, or with their Worker.
 *
 * Guarantees: every process that `spawn` gave a pid to ends exactly once in the table, whatever
 * happens to its Worker, and its memory is freed before its end is reported. All ends run on the
 * kernel worker, so none can meet a syscall of the same process.
 */
import {
  SIGNAL_FATAL,
  SIGNAL_PENDING,
  createProcess,
  exitProcess,
  ignoresSignal,
  processCpu,
  releaseProcess,
  sendSignal,
  withholdProcess,
} from '../../../kernel/index.ts';
import * as CPU from '../../../shared/layout/cpu.ts';
import type { Cpu, ProcessSpec } from '../../../kernel/index.ts';
import { EINVAL, EPERM, ESRCH } from '../../../shared/abi/errno.ts';
import { RUNAWAY_MS } from '../../../shared/limits.ts';
import type { WireSpawn, WireStatus } from '../../../shared/wire.ts';
import {
  SENDABLE_SIGNALS,
  SIGCHLD,
  SIGKILL,
  signalName,
  signalNumber,
} from '../../../shared/abi/signals.ts';
import type { ProcessReport } from '../../api/machine-api.ts';
import { SyscallError } from '../../wire/errors.ts';
import { modeOf } from '../cpu-mode.ts';
import { Dispatcher } from './dispatcher.ts';
import { inKernel } from '../in-kernel.ts';
import type { Pool, Slot } from './pool.ts';
import { HOST_PID, ProcessTable } from './process-table.ts';
import type { ProcessEntry } from './process-table.ts';

function exit(cpu: Cpu, pid: number, status: WireStatus): void {
  if (status.code !== undefined) exitProcess(cpu, pid, status.code, 0, 0);
  else exitProcess(cpu, pid, 0, signalNumber(status.signal) || SIGKILL, status.address ?? 0);
}

type Remote = NonNullable<Slot['connection']>['remote'];

/** Gathers what is known of a process. */
export type Reporter = (
  entry: ProcessEntry,
  status: WireStatus | null,
  nowMs: number,
) => ProcessReport;

export interface ProcessManagerNeeds {
  readonly cpu: Cpu;
  readonly pool: Pool;
  /** Called just before a process's memory is given back. */
  readonly report: Reporter;
  /** Called after an end. */
  readonly onEnd: () => void;
  /** Ends a Worker that process `pid` does not give back. */
  readonly replace: (slot: Slot, pid: number, reason: string) => void;
}

export class ProcessManager {
  readonly table: ProcessTable;
  readonly #cpu: Cpu;
  readonly #pool: Pool;
  readonly #report: Reporter;
  readonly #onEnd: () => void;
  readonly #replace: ProcessManagerNeeds['replace'];
  readonly #dispatcher: Dispatcher;

  constructor({ cpu, pool, report, replace, onEnd }: ProcessManagerNeeds) {
    this.#cpu = cpu;
    this.#pool = pool;
    this.#report = report;
    this.#replace = replace;
    this.#onEnd = onEnd;
    this.#dispatcher = new Dispatcher({
      cpu,
      pool,
      onFailure: (pid, reason) => this.exited(pid, { signal: 'SIGKILL', reason }),
    });
    this.table = new ProcessTable((pid) => inKernel(cpu, () => releaseProcess(cpu, pid)));
  }

  /** The child's or thread's pid, or -errno. */
  async spawn(parent: number, request: WireSpawn): Promise<number> {
    const cpu = this.#cpu;
    try {
      const { name, module, entry, args, thread, dedicated } = request;
      const tgid = thread ? (this.table.get(parent)?.tgid ?? 0) : 0;
      const peers = thread ? this.#threadCpus(tgid) : [];
      const slot = await this.#pool.acquire(dedicated, peers);
      const { generation } = slot;
      const isOrphan = parent !== HOST_PID && this.table.get(parent)?.status !== null;
      const pid = isOrphan
        ? -ESRCH
        : inKernel(cpu, () => createProcess(cpu, specOf(parent, slot.cpu, request)));
      if (pid < 0) {
        this.#pool.release(slot, generation);
        return pid;
      }
      const made: ProcessEntry = {
        pid,
        tgid: thread ? tgid : pid,
        parent,
        name,
        dedicated,
        cpu: slot.cpu,
        generation,
        startedMs: performance.now(),
        endedMs: 0,
        status: null,
        killReason: null,
        report: null,
      };
      this.table.add(made);
      this.#dispatcher.dispatch(made, { pid, module, entry, args });
      return pid;
    } catch (error) {
      if (error instanceof SyscallError) return -error.errno;
      throw error;
    }
  }

  /** A process has ended; its code cannot reach the machine any more. */
  exited(pid: number, told: WireStatus): void {
    const entry = this.table.get(pid);
    if (entry === undefined || entry.status !== null) return;
    const status = withReason(told, entry.killReason);
    const nowMs = performance.now();
    const { parent } = entry;
    entry.report = this.#report(entry, status, nowMs);
    inKernel(this.#cpu, () => exit(this.#cpu, pid, status));
    this.table.end(pid, status, nowMs, ignoresSignal(this.#cpu, parent, SIGCHLD));
    const slot = this.#pool.slot(entry.cpu);
    if (slot !== undefined) this.#pool.release(slot, entry.generation);
    // After the waits, which a handler of the parent's would interrupt. Threads end unannounced.
    if (parent !== HOST_PID && entry.tgid === pid) this.#send(parent, SIGCHLD, pid);
    this.#onEnd();
  }

  /** Ends a process's waits for children: a signal was handled. */
  interruptWaits(pid: number): void {
    this.table.interrupt(pid);
  }

  /** Evens out the CPUs' run queues. Called at every tick. */
  balance(): void {
    this.#dispatcher.balance();
  }

  /**
   * Sends a signal on behalf of `sender`; signal 0 only checks the target. If the signal ends the
   * target, resolves when that is gone, for `reason` if its status is to name one. 0, or -errno:
   * -ESRCH for a target that has been waited for, but not from the host.
   */
  async kill(
    sender: number,
    target: number,
    signal: string | 0,
    reason: string | null = null,
  ): Promise<number> {
    const number = signal === 0 ? 0 : signalNumber(signal);
    if (signal !== 0 && !SENDABLE_SIGNALS.has(number)) return -EINVAL;
    if (target === HOST_PID) return -EPERM;
    if (number === 0) return this.table.exists(target) ? 0 : -ESRCH;
    // The host kills by handles, which outlive their processes.
    if (!this.table.exists(target)) return sender === HOST_PID ? 0 : -ESRCH;
    const entry = this.table.get(target);
    if (entry?.status === null) entry.killReason ??= reason;
    if (!this.#send(target, number, sender)) return 0;
    await this.table.status(target);
    return 0;
  }

  /** Every process of a CPU whose Worker is gone: ends, unless it can begin on another one. */
  cpuDied(cpu: number, reason: string, isOurs: boolean): void {
    for (const { pid } of this.table.running()) {
      if (processCpu(this.#cpu.machine, pid) !== cpu) continue;
      // If the Worker died by itself, a module that was being loaded may have been the cause.
      if (isOurs && this.#dispatcher.recall(cpu, pid)) continue;
      this.exited(pid, { signal: 'SIGKILL', reason: `its Worker died: ${reason}` });
    }
    void this.#dispatcher.cpuDied(cpu, `its Worker died: ${reason}`);
  }

  /** The CPUs of a process's threads, one for each. */
  #threadCpus(tgid: number): number[] {
    const threads = this.table.running().filter((entry) => entry.tgid === tgid);
    // Where it runs, which may differ from the CPU it was queued on last.
    return threads.map(({ pid, cpu }) => processCpu(this.#cpu.machine, pid) || cpu);
  }

  /** Sends a signal and has its target look; whether that ends it. */
  #send(target: number, signal: number, sender: number): boolean {
    const cpu = this.#cpu;
    const effect = inKernel(cpu, () => sendSignal(cpu, target, signal, sender));
    if (effect === SIGNAL_PENDING) {
      // It may be about to run, with no Worker to tell yet: then it looks when it has started.
      const remote = this.#slotOf(target)?.connection?.remote;
      remote?.signalled(target).catch(() => {});
    }
    if (effect !== SIGNAL_FATAL) return false;
    if (inKernel(cpu, () => withholdProcess(cpu, target))) {
      this.exited(target, { signal: signalName(signal) });
    } else {
      this.#end(target, signalName(signal));
    }
    return true;
  }

  /** The CPU that runs a process; none while it has not been started. */
  #slotOf(pid: number): Slot | undefined {
    return this.#pool.slot(processCpu(this.#cpu.machine, pid));
  }

  /** Where a process runs; null when it has ended or has no Worker. */
  locate(pid: number): { readonly cpu: number; readonly remote: Remote } | null {
    const isRunning = this.table.get(pid)?.status === null;
    const slot = isRunning ? this.#slotOf(pid) : undefined;
    const remote = slot?.connection?.remote;
    return slot === undefined || remote === undefined ? null : { cpu: slot.cpu, remote };
  }

  /** Ends the process if it awaits; if it runs and touches memory, the MMU ends it. */
  #end(pid: number, signal: string): void {
    const slot = this.#slotOf(pid);
    if (slot === undefined) return;
    slot.connection?.remote.kill(pid, signal).catch(() => {});
    this.#expectEnd(pid, signal, slot, slot.generation);
  }

  /** Ends a Worker that does not end the process in time; one asleep in a call gets longer. */
  #expectEnd(pid: number, signal: string, slot: Slot, generation: number): void {
    setTimeout(() => {
      if (this.table.get(pid)?.status !== null || slot.generation !== generation) return;
      // A CPU that wakes up now has its time again.
      const mode = modeOf(this.#cpu, slot.cpu);
      if (mode === CPU.MODE_BLOCKED || mode === CPU.MODE_PARKED) {
        this.#expectEnd(pid, signal, slot, generation);
        return;
      }
      const reason = `process ${pid} did not react to ${signal} for ${RUNAWAY_MS} ms`;
      this.#replace(slot, pid, reason);
    }, RUNAWAY_MS);
  }
}

/** How a process ended that the kernel may have killed for a reason of its own. */
function withReason(status: WireStatus, reason: string | null): WireStatus {
  if (reason === null || 'code' in status || status.signal !== 'SIGKILL') return status;
  return { ...status, reason };
}

/** What the kernel makes of a request. */
function specOf(parent: number, home: number, request: WireSpawn): ProcessSpec {
  const { name, inherit, thread, fork, stackBytes, nice, memoryMaxPages } = request;
  const { capabilities } = request;
  return {
    ...{ parent, home, name, inherit, thread, fork, stackBytes },
    ...(nice === null ? {} : { nice }),
    ...(memoryMaxPages === null ? {} : { memoryMaxPages }),
    ...(capabilities === null ? {} : { capabilities }),
  };
}
