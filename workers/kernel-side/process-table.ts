/**
 * Who waits for whom: the processes of a machine as parents, children and waiters. The kernel
 * proper keeps memory; this keeps promises, and so lives in the kernel worker.
 *
 * Guarantees: a child's end is reported to one `wait` of its parent (or kept until then), and to
 * any number of the host's `status` calls. Children of a process that ends pass to the host.
 */
import { ECHILD, EINTR, ESRCH } from '../../shared/errno.ts';
import { PROCESSES_MAX } from '../../shared/limits.ts';
import type { WireStatus, WireWaitResult } from '../../shared/protocol.ts';
import type { ProcessReport } from '../api.ts';

/** The parent of those whom the host spawned, or whose parent has ended. */
export const HOST_PID = 0;

export interface ProcessEntry {
  readonly pid: number;
  /** The process whose threads share an address space: its own pid unless it is a thread. */
  readonly tgid: number;
  parent: number;
  readonly name: string;
  readonly cpu: number;
  /** Which Worker of that CPU it runs on. */
  readonly generation: number;
  readonly startedMs: number;
  endedMs: number;
  status: WireStatus | null;
  /** What is known of it when it has ended. */
  report: ProcessReport | null;
}

interface Waiter {
  readonly parent: number;
  readonly child: number | null;
  readonly resolve: (result: WireWaitResult | number) => void;
}

export class ProcessTable {
  /** Running ones, and ended ones that their parent has not waited for. */
  readonly #entries = new Map<number, ProcessEntry>();
  /** Ended and waited for, oldest first; kept for reports. */
  readonly #past = new Map<number, ProcessEntry>();
  #waiters: Waiter[] = [];
  readonly #watchers = new Map<number, ((status: WireStatus) => void)[]>();
  /** Called when nobody can ask the kernel for an ended process any more. */
  readonly #reap: (pid: number) => void;

  constructor(reap: (pid: number) => void) {
    this.#reap = reap;
  }

  add(entry: ProcessEntry): void {
    this.#entries.set(entry.pid, entry);
  }

  get(pid: number): ProcessEntry | undefined {
    return this.#entries.get(pid) ?? this.#past.get(pid);
  }

  /** Those that have not ended. */
  running(): ProcessEntry[] {
    return [...this.#entries.values()].filter(({ status }) => status === null);
  }

  /** All that are remembered, by pid. */
  all(): ProcessEntry[] {
    return [...this.#past.values(), ...this.#entries.values()].sort((a, b) => a.pid - b.pid);
  }

  /** Records a process's end and tells everybody who waits. False when it has ended before. */
  end(pid: number, status: WireStatus, nowMs: number): boolean {
    const entry = this.#entries.get(pid);
    if (entry === undefined || entry.status !== null) return false;
    entry.status = status;
    entry.endedMs = nowMs;
    for (const child of [...this.#entries.values()]) {
      if (child.parent !== pid) continue;
      child.parent = HOST_PID;
      if (child.status !== null) this.#forget(child);
    }
    for (const waiter of this.#waiters) if (waiter.parent === pid) waiter.resolve(-EINTR);
    this.#waiters = this.#waiters.filter(({ parent }) => parent !== pid);
    for (const watch of this.#watchers.get(pid) ?? []) watch(status);
    this.#watchers.delete(pid);
    this.#deliver(entry, status);
    return true;
  }

  /** The status of a process, when it has ended. */
  status(pid: number): Promise<WireStatus> | number {
    const entry = this.get(pid);
    if (entry === undefined) return -ESRCH;
    if (entry.status !== null) return Promise.resolve(entry.status);
    return new Promise((resolve) => {
      const watchers = this.#watchers.get(pid);
      if (watchers === undefined) this.#watchers.set(pid, [resolve]);
      else watchers.push(resolve);
    });
  }

  /** wait(2): the end of one child, or of any when `child` is null. -ECHILD when there is none. */
  wait(parent: number, child: number | null): Promise<WireWaitResult | number> {
    const children = [...this.#entries.values()].filter(
      (entry) => entry.parent === parent && (child === null || entry.pid === child),
    );
    if (children.length === 0) return Promise.resolve(-ECHILD);
    const ended = children.find(({ status }) => status !== null);
    if (ended?.status) {
      this.#forget(ended);
      return Promise.resolve({ pid: ended.pid, status: ended.status });
    }
    return new Promise((resolve) => this.#waiters.push({ parent, child, resolve }));
  }

  /** Gives a child's end to the first waiter of its parent that it concerns. */
  #deliver(entry: ProcessEntry, status: WireStatus): void {
    if (entry.parent === HOST_PID) {
      this.#forget(entry);
      return;
    }
    const index = this.#waiters.findIndex(
      ({ parent, child }) => parent === entry.parent && (child === null || child === entry.pid),
    );
    if (index < 0) return;
    const [waiter] = this.#waiters.splice(index, 1);
    this.#forget(entry);
    waiter?.resolve({ pid: entry.pid, status });
    this.#refuseChildless(entry.parent);
  }

  /** Waiters that no child is left for. */
  #refuseChildless(parent: number): void {
    const pids = [...this.#entries.values()]
      .filter((entry) => entry.parent === parent)
      .map(({ pid }) => pid);
    this.#waiters = this.#waiters.filter((waiter) => {
      if (waiter.parent !== parent) return true;
      const isHopeful = waiter.child === null ? pids.length > 0 : pids.includes(waiter.child);
      if (!isHopeful) waiter.resolve(-ECHILD);
      return isHopeful;
    });
  }

  #forget(entry: ProcessEntry): void {
    this.#entries.delete(entry.pid);
    this.#past.set(entry.pid, entry);
    const [oldest] = this.#past.keys();
    if (this.#past.size > PROCESSES_MAX && oldest !== undefined) this.#past.delete(oldest);
    this.#reap(entry.pid);
  }
}
