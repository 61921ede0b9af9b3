/**
 * Who waits for whom: the processes of a machine as parents, children and waiters. The kernel
 * proper keeps memory; this keeps promises, and so lives in the kernel worker.
 *
 * Guarantees: a child's end is reported to one `wait` of its parent (or kept until then), and to
 * any number of the host's `status` calls. Children of a process that ends pass to the host. No
 * operation looks at processes that are not of the family concerned.
 */
import { ECHILD, EINTR, ESRCH } from '../../../shared/abi/errno.ts';
import { ENDED_KEPT } from '../../../shared/limits.ts';
import type { WireStatus, WireWaitResult } from '../../../shared/wire.ts';
import type { ProcessReport } from '../../api/machine-api.ts';

/** The parent of processes that the host spawned or whose parent has ended. */
export const HOST_PID = 0;

export interface ProcessEntry {
  readonly pid: number;
  /** The process whose threads share an address space: its own pid unless it is a thread. */
  readonly tgid: number;
  /** The process that it is a thread of: its own pid unless CLONE_THREAD made it. */
  readonly group: number;
  /** The process that waits for it: the leader of its parent's group. */
  parent: number;
  /** Whether its parent is sent SIGCHLD. */
  readonly announces: boolean;
  name: string;
  /** Whether it has a Worker of its own. */
  readonly dedicated: boolean;
  /** CPU in whose run queue it was put, and which Worker of that CPU. */
  cpu: number;
  generation: number;
  readonly startedMs: number;
  endedMs: number;
  /** It has given its memory back. It has ended when its threads are gone too. */
  isGone: boolean;
  status: WireStatus | null;
  /** Why the kernel kills it, if it does; its status says so however it ends then. */
  killReason: string | null;
  /** What is known of it after its end. */
  report: ProcessReport | null;
}

interface Waiter {
  /** The thread that waits. */
  readonly caller: number;
  readonly child: number | null;
  /** Whether its whole Worker sleeps meanwhile. */
  readonly sleeps: boolean;
  readonly resolve: (result: WireWaitResult | number) => void;
}

/** A process's children: running, and ended but not waited for; and its waits for them. */
interface Family {
  readonly running: Map<number, ProcessEntry>;
  readonly ended: Map<number, ProcessEntry>;
  waiters: Waiter[];
}

export class ProcessTable {
  /** Running ones, and ended ones that their parent has not waited for. */
  readonly #entries = new Map<number, ProcessEntry>();
  /** By parent; no entry without children. */
  readonly #families = new Map<number, Family>();
  /** Ended and waited for, oldest first; kept for reports. */
  readonly #past = new Map<number, ProcessEntry>();
  readonly #watchers = new Map<number, ((status: WireStatus) => void)[]>();
  /** Called when no caller can ask the kernel about an ended process any more. */
  #forgotten = 0;
  readonly #reap: (pid: number) => void;

  constructor(reap: (pid: number) => void) {
    this.#reap = reap;
  }

  add(entry: ProcessEntry): void {
    this.#entries.set(entry.pid, entry);
    if (entry.parent !== HOST_PID) this.#family(entry.parent).running.set(entry.pid, entry);
  }

  get(pid: number): ProcessEntry | undefined {
    return this.#entries.get(pid) ?? this.#past.get(pid);
  }

  /** Whether there is a process of that pid, running or a zombie. */
  exists(pid: number): boolean {
    return this.#entries.has(pid);
  }

  /** Processes that have not ended. */
  running(): ProcessEntry[] {
    return [...this.#entries.values()].filter(({ status }) => status === null);
  }

  /** Of those, the ones that the host itself spawned. */
  ofHost(): ProcessEntry[] {
    return this.running().filter(({ parent, pid, group }) => parent === HOST_PID && pid === group);
  }

  /** Ended processes that are not remembered any more: all but the last ENDED_KEPT. */
  get forgotten(): number {
    return this.#forgotten;
  }

  /** All that are remembered, by pid. */
  all(): ProcessEntry[] {
    return [...this.#past.values(), ...this.#entries.values()].sort((a, b) => a.pid - b.pid);
  }

  /**
   * Records a process's end and resolves all waits for it. False when it had ended before.
   * `isForgotten`: its parent does not want to hear of it (SIGCHLD ignored).
   */
  end(pid: number, status: WireStatus, nowMs: number, isForgotten = false): boolean {
    const entry = this.#entries.get(pid);
    if (entry === undefined || entry.status !== null) return false;
    entry.status = status;
    entry.endedMs = nowMs;
    this.interrupt(pid);
    if (entry.group === pid) this.#leaveChildren(pid);
    for (const watch of this.#watchers.get(pid) ?? []) watch(status);
    this.#watchers.delete(pid);
    this.#deliver(entry, status, isForgotten);
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

  /**
   * wait(2): the end of one child, or of any when `child` is null. -ECHILD when there is none. The
   * children of one thread are those of all its process.
   */
  wait(caller: number, child: number | null, sleeps = false): Promise<WireWaitResult | number> {
    const now = this.waitNow(caller, child);
    const family = this.#familyOf(caller);
    if (now !== 0 || family === undefined) return Promise.resolve(now);
    return new Promise((resolve) => family.waiters.push({ caller, child, sleeps, resolve }));
  }

  /** The same, with 0 instead of a wait. */
  waitNow(caller: number, child: number | null): WireWaitResult | number {
    const family = this.#familyOf(caller);
    if (family === undefined || !mayHope(family, child)) return -ECHILD;
    const [first] = family.ended.values();
    const ended = child === null ? first : family.ended.get(child);
    if (!ended?.status) return 0;
    this.#forget(ended);
    return { pid: ended.pid, status: ended.status };
  }

  /** The children whose end a wait would report. */
  awaited(caller: number, child: number | null): ProcessEntry[] {
    const running = [...(this.#familyOf(caller)?.running.values() ?? [])];
    return child === null ? running : running.filter(({ pid }) => pid === child);
  }

  /** Ends the waits of a process with -EINTR: a signal was handled. */
  interrupt(caller: number): void {
    this.#endWaits(caller, EINTR, () => true);
  }

  /** Ends the wait in which a process's Worker sleeps with -`errno`. */
  wake(caller: number, errno: number): void {
    this.#endWaits(caller, errno, ({ sleeps }) => sleeps);
  }

  #endWaits(caller: number, errno: number, concerns: (waiter: Waiter) => boolean): void {
    const family = this.#familyOf(caller);
    if (family === undefined) return;
    const isOver = (waiter: Waiter): boolean => waiter.caller === caller && concerns(waiter);
    const over = family.waiters.filter(isOver);
    family.waiters = family.waiters.filter((waiter) => !isOver(waiter));
    for (const waiter of over) waiter.resolve(-errno);
  }

  /** The children of a thread's process; undefined without any. */
  #familyOf(caller: number): Family | undefined {
    return this.#families.get(this.get(caller)?.group ?? caller);
  }

  #family(parent: number): Family {
    let family = this.#families.get(parent);
    if (family === undefined) {
      family = { running: new Map(), ended: new Map(), waiters: [] };
      this.#families.set(parent, family);
    }
    return family;
  }

  /** A process has ended: its children pass to the host, its own waits end. */
  #leaveChildren(pid: number): void {
    const family = this.#families.get(pid);
    if (family === undefined) return;
    this.#families.delete(pid);
    for (const child of family.running.values()) child.parent = HOST_PID;
    for (const child of family.ended.values()) {
      child.parent = HOST_PID;
      this.#forget(child);
    }
  }

  /** Gives a child's end to the first waiter of its parent that it concerns. */
  #deliver(entry: ProcessEntry, status: WireStatus, isForgotten: boolean): void {
    const family = this.#families.get(entry.parent);
    if (entry.parent === HOST_PID || family === undefined) {
      this.#forget(entry);
      return;
    }
    family.running.delete(entry.pid);
    const index = family.waiters.findIndex(({ child }) => child === null || child === entry.pid);
    if (isForgotten) {
      this.#forget(entry);
    } else if (index >= 0) {
      const [waiter] = family.waiters.splice(index, 1);
      this.#forget(entry);
      waiter?.resolve({ pid: entry.pid, status });
    } else {
      family.ended.set(entry.pid, entry);
      return;
    }
    // Waiters with no child left to wait for.
    const hopeless = family.waiters.filter(({ child }) => !mayHope(family, child));
    family.waiters = family.waiters.filter((waiter) => !hopeless.includes(waiter));
    for (const waiter of hopeless) waiter.resolve(-ECHILD);
  }

  #forget(entry: ProcessEntry): void {
    this.#entries.delete(entry.pid);
    this.#families.get(entry.parent)?.ended.delete(entry.pid);
    this.#past.set(entry.pid, entry);
    const [oldest] = this.#past.keys();
    if (this.#past.size > ENDED_KEPT && oldest !== undefined) {
      this.#past.delete(oldest);
      this.#forgotten++;
    }
    this.#reap(entry.pid);
  }
}

/** Whether a wait for `child`, or any child, can succeed now or later. */
function mayHope({ running, ended }: Family, child: number | null): boolean {
  if (child === null) return running.size + ended.size > 0;
  return running.has(child) || ended.has(child);
}
