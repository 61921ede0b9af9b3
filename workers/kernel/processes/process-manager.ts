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
  clearChildTid,
  exitProcess,
  hasSignal,
  ignoresSignal,
  processCpu,
  processOf,
  releaseProcess,
  sendSignal,
  shrinkSpace,
  withholdProcess,
} from '../../../kernel/index.ts';
import type { Cpu } from '../../../kernel/index.ts';
import { EFAULT, EINTR, EINVAL, ENOMEM, EPERM, ESRCH } from '../../../shared/abi/errno.ts';
import type { WireSpawn, WireStatus } from '../../../shared/wire.ts';
import {
  SENDABLE_SIGNALS,
  SIGCHLD,
  SIGKILL,
  signalName,
  signalNumber,
} from '../../../shared/abi/signals.ts';
import type { ProcessReport } from '../../api/machine-api.ts';
import { Dispatcher } from './dispatcher.ts';
import { ExpectedEnds } from './expected-ends.ts';
import { inKernel } from '../in-kernel.ts';
import type { Pool, Slot } from './pool.ts';
import { HOST_PID, ProcessTable } from './process-table.ts';
import type { ProcessEntry } from './process-table.ts';
import { ProcessStarter } from './process-starter.ts';
import { ThreadGroups } from './thread-groups.ts';
import { tryOnce, untilDone } from './until-done.ts';
import type { Fulfil } from './until-done.ts';

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
  readonly #expectations: ExpectedEnds;
  readonly dispatcher: Dispatcher;
  readonly #starter: ProcessStarter;
  readonly groups: ThreadGroups = new ThreadGroups();
  /** Processes that have ended but for memory that they must still write to, or give back. */
  readonly #leaving = new Set<number>();
  #fulfil: Fulfil = () => Promise.resolve(-ENOMEM);

  constructor({ cpu, pool, report, replace, onEnd }: ProcessManagerNeeds) {
    this.#cpu = cpu;
    this.#pool = pool;
    this.#report = report;
    this.#onEnd = onEnd;
    this.dispatcher = new Dispatcher({
      cpu,
      pool,
      onFailure: (pid, reason) => this.exited(pid, { signal: 'SIGKILL', reason }),
    });
    this.table = new ProcessTable((pid) => inKernel(cpu, () => releaseProcess(cpu, pid)));
    const isGone = (pid: number): boolean => this.table.get(pid)?.isGone !== false;
    this.#expectations = new ExpectedEnds({ cpu, isGone, replace });
    this.#starter = new ProcessStarter({
      ...{ cpu, pool, table: this.table, groups: this.groups, dispatcher: this.dispatcher },
      fulfil: (...request) => this.#fulfil(...request),
      end: (pid) => void this.#send(pid, SIGKILL, HOST_PID),
    });
  }

  /** The child's or thread's pid, or -errno. Of vfork: when the child lets go of the memory. */
  spawn(parent: number, request: WireSpawn): Promise<number> {
    return this.#starter.spawn(parent, request);
  }

  /** exec by a process that sleeps meanwhile. 0 or -errno. */
  exec(pid: number, name: string): Promise<number> {
    return this.#starter.exec(pid, name);
  }

  /**
   * A process has ended; its code cannot reach the machine any more. `endsGroup`: the other threads
   * of its group end too, as with a signal.
   */
  exited(pid: number, told: WireStatus, endsGroup = false): void {
    const entry = this.table.get(pid);
    if (entry === undefined || entry.isGone || this.#leaving.has(pid)) return;
    const status = withReason(told, entry.killReason);
    if (endsGroup || status.signal !== undefined) this.#endGroup(entry, status);
    const proc = processOf(this.#cpu.machine, pid);
    const leave = (): number => {
      const told = clearChildTid(this.#cpu, proc);
      return told === 0 || told === -EFAULT ? shrinkSpace(this.#cpu, proc) : told;
    };
    const request = tryOnce(this.#cpu, leave);
    if (typeof request === 'number') {
      this.#gone(entry, status);
      return;
    }
    // The thread's word is in a page that must come first, which who joins it waits for; or there
    // are many pages to give back.
    this.#leaving.add(pid);
    void untilDone(this.#cpu, pid, this.#fulfil, leave).then(() => {
      this.#leaving.delete(pid);
      this.#gone(entry, status);
    });
  }

  /** Gives a process's memory back; the end of its group's last thread is the end that is told. */
  #gone(entry: ProcessEntry, status: WireStatus): void {
    const { pid, group } = entry;
    const nowMs = performance.now();
    entry.report = this.#report(entry, status, nowMs);
    inKernel(this.#cpu, () => exit(this.#cpu, pid, status));
    entry.isGone = true;
    const told = this.groups.leave(group, pid, status);
    if (pid !== group) this.table.end(pid, status, nowMs);
    else this.table.interrupt(pid);
    const leader = told === null ? undefined : this.table.get(group);
    if (told !== null && leader !== undefined) this.#ended(leader, told, nowMs);
    const slot = this.#pool.slot(entry.cpu);
    if (slot !== undefined) this.#pool.release(slot, entry.generation);
    this.#starter.released(pid);
    this.#onEnd();
  }

  /** No thread of the group is left. */
  #ended(leader: ProcessEntry, status: WireStatus, nowMs: number): void {
    const { pid, parent, announces } = leader;
    if (leader.report !== null) leader.report = { ...leader.report, status };
    this.table.end(pid, status, nowMs, ignoresSignal(this.#cpu, parent, SIGCHLD));
    // After the waits, which a handler of the parent's would interrupt.
    const thread = parent === HOST_PID ? undefined : this.groups.anyOf(parent);
    if (announces && thread !== undefined) this.#send(thread, SIGCHLD, pid);
  }

  /** Ends the other threads of a process's group, if they are not ending already. */
  #endGroup({ pid, group }: ProcessEntry, status: WireStatus): void {
    for (const other of this.groups.end(group, pid, status)) {
      if (other !== pid) this.#send(other, SIGKILL, HOST_PID);
    }
  }

  /** Says how pages are supplied, which needs processes to be there first. */
  setFulfil(fulfil: Fulfil): void {
    this.#fulfil = fulfil;
  }

  /** Ends a process's waits for children: a signal was handled. */
  interruptWaits(pid: number): void {
    this.table.interrupt(pid);
  }

  /** Evens out the CPUs' run queues. Called at every tick. */
  balance(): void {
    this.dispatcher.balance();
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
    const entry = this.table.exists(target) ? this.table.get(target) : undefined;
    if (entry === undefined) return sender === HOST_PID ? 0 : -ESRCH;
    // A signal is for the process: any thread of it may take it, the leader if it can.
    const thread = this.groups.anyOf(entry.group);
    const taker = thread === undefined ? undefined : this.table.get(thread);
    if (taker === undefined) return 0;
    taker.killReason ??= reason;
    if (!this.#send(taker.pid, number, sender)) return 0;
    await this.table.status(entry.group);
    return 0;
  }

  /** Every process of a CPU whose Worker is gone: ends, unless it can begin on another one. */
  cpuDied(cpu: number, reason: string, isOurs: boolean): void {
    for (const { pid } of this.table.running()) {
      if (processCpu(this.#cpu.machine, pid) !== cpu) continue;
      // If the Worker died by itself, a module that was being loaded may have been the cause.
      if (isOurs && this.dispatcher.recall(cpu, pid)) continue;
      this.exited(pid, { signal: 'SIGKILL', reason: `its Worker died: ${reason}` });
    }
    void this.dispatcher.cpuDied(cpu, `its Worker died: ${reason}`);
  }

  /** Sends a signal and has its target look; whether that ends it. */
  #send(target: number, signal: number, sender: number): boolean {
    const cpu = this.#cpu;
    const effect = inKernel(cpu, () => sendSignal(cpu, target, signal, sender));
    // One that it blocks does not end its wait.
    const proc = processOf(cpu.machine, target);
    if (proc !== 0 && hasSignal(cpu, proc)) this.table.wake(target, EINTR);
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
    const isRunning = this.table.get(pid)?.isGone === false;
    const slot = isRunning ? this.#slotOf(pid) : undefined;
    const remote = slot?.connection?.remote;
    return slot === undefined || remote === undefined ? null : { cpu: slot.cpu, remote };
  }

  /** Ends the process if it awaits; if it runs and touches memory, the MMU ends it. */
  #end(pid: number, signal: string): void {
    const slot = this.#slotOf(pid);
    if (slot === undefined) return;
    slot.connection?.remote.kill(pid, signal).catch(() => {});
    this.#expectations.expect(pid, signal, slot);
  }
}

/** How a process ended that the kernel may have killed for a reason of its own. */
function withReason(status: WireStatus, reason: string | null): WireStatus {
  if (reason === null || 'code' in status || status.signal !== 'SIGKILL') return status;
  return { ...status, reason };
}
