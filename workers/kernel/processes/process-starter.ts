/**
 * How processes begin: spawn, fork, clone and vfork, and exec, by which one begins again.
 *
 * Guarantees: a thread's pid is in memory (CLONE_PARENT_SETTID, CLONE_CHILD_SETTID) before the
 * thread runs. An exec that fails for want of memory leaves the old image, but its other threads
 * have ended, as on Linux past the point of no return they would have too.
 */
import {
  clearChildTid,
  createProcess,
  execProcess,
  processCpu,
  livingProcess,
  storeUserWord,
} from '../../../kernel/index.ts';
import type { Cpu, ProcessSpec } from '../../../kernel/index.ts';
import { EAGAIN, EINVAL, EPERM, ESRCH } from '../../../shared/abi/errno.ts';
import * as CLONE from '../../../shared/abi/sched.ts';
import { SIGCHLD } from '../../../shared/abi/signals.ts';
import { USER_SPACE_END } from '../../../shared/limits.ts';
import type { WireClone, WireSpawn } from '../../../shared/wire.ts';
import { SyscallError } from '../../wire/errors.ts';
import { inKernel } from '../in-kernel.ts';
import type { Dispatcher } from './dispatcher.ts';
import type { Pool } from './pool.ts';
import { HOST_PID } from './process-table.ts';
import type { ProcessEntry, ProcessTable } from './process-table.ts';
import type { ThreadGroups } from './thread-groups.ts';
import { untilDone } from './until-done.ts';
import type { Fulfil } from './until-done.ts';

export interface ProcessStarterNeeds {
  readonly cpu: Cpu;
  readonly pool: Pool;
  readonly table: ProcessTable;
  readonly groups: ThreadGroups;
  readonly dispatcher: Dispatcher;
  readonly fulfil: Fulfil;
  /** Ends a thread for another one of its process. */
  readonly end: (pid: number) => void;
}

export class ProcessStarter {
  readonly #needs: ProcessStarterNeeds;
  /** Parents that wait for a child of vfork, by the child's pid. */
  readonly #vforks = new Map<number, () => void>();

  constructor(needs: ProcessStarterNeeds) {
    this.#needs = needs;
  }

  /** The child's or thread's pid, or -errno. */
  async spawn(parent: number, request: WireSpawn): Promise<number> {
    const { table, pool } = this.#needs;
    const { clone, dedicated } = request;
    const refusal = clone === null ? 0 : checkClone(clone);
    if (refusal !== 0) return refusal;
    try {
      const tgid = request.thread ? (table.get(parent)?.tgid ?? 0) : 0;
      const slot = await pool.acquire(dedicated, request.thread ? this.#threadCpus(tgid) : []);
      const { generation, cpu } = slot;
      const made = this.#create(parent, request, { cpu, generation });
      if (typeof made === 'number') {
        pool.release(slot, generation);
        return made;
      }
      await this.#begin(parent, made, request);
      return made.pid;
    } catch (error) {
      if (error instanceof SyscallError) return -error.errno;
      throw error;
    }
  }

  /** Makes the process, in the kernel and in the table. */
  #create(
    parent: number,
    request: WireSpawn,
    home: Pick<ProcessEntry, 'cpu' | 'generation'>,
  ): ProcessEntry | number {
    const { cpu, table, groups } = this.#needs;
    const family = table.get(parent);
    const isOrphan = parent !== HOST_PID && (family === undefined || family.isGone);
    if (isOrphan || (family !== undefined && groups.isEnding(family.group))) return -ESRCH;
    const { name, thread, dedicated, clone } = request;
    const flags = clone?.flags ?? 0;
    const group = (flags & CLONE.CLONE_THREAD) !== 0 ? (family?.group ?? 0) : 0;
    const spec = specOf(parent, home.cpu, group, request);
    const pid = inKernel(cpu, () => createProcess(cpu, spec));
    if (pid < 0) return pid;
    const announces = clone === null ? !thread : (flags & CLONE.CSIGNAL) === SIGCHLD;
    const made: ProcessEntry = {
      pid,
      tgid: thread && (flags & CLONE.CLONE_VFORK) === 0 ? (family?.tgid ?? pid) : pid,
      group: group === 0 ? pid : group,
      // A thread of a process is nobody's child: its end is told by its word (CLEARTID) alone.
      parent: group === 0 ? (family?.group ?? parent) : HOST_PID,
      announces: announces && group === 0,
      name,
      dedicated,
      ...home,
      startedMs: performance.now(),
      endedMs: 0,
      isGone: false,
      status: null,
      killReason: null,
      report: null,
    };
    table.add(made);
    groups.join(made.group, pid);
    return made;
  }

  /** Stores the pid where the flags say, and lets the process run. */
  async #begin(parent: number, made: ProcessEntry, request: WireSpawn): Promise<void> {
    const { module, entry, args, clone } = request;
    const { pid } = made;
    const flags = clone?.flags ?? 0;
    if (clone !== null && (flags & CLONE.CLONE_PARENT_SETTID) !== 0) {
      await this.#storeTid(parent, clone.parentTid, pid);
    }
    if (clone !== null && (flags & CLONE.CLONE_CHILD_SETTID) !== 0) {
      await this.#storeTid(pid, clone.childTid, pid);
    }
    const isVfork = (flags & CLONE.CLONE_VFORK) !== 0 && !made.isGone;
    const released = isVfork
      ? new Promise<void>((resolve) => void this.#vforks.set(pid, resolve))
      : null;
    const { dispatcher } = this.#needs;
    dispatcher.dispatch(made, { pid, module, entry, args, stack: clone?.stack ?? null });
    // On the caller's CPU it would never begin.
    if (isVfork && request.isAsleep) void dispatcher.toOwnWorker(made);
    await released;
  }

  /** As Linux: what cannot be stored is not an error. */
  async #storeTid(pid: number, address: number, tid: number): Promise<void> {
    const { cpu, fulfil } = this.#needs;
    await untilDone(cpu, pid, fulfil, () => {
      const proc = livingProcess(cpu.machine, pid);
      return proc === 0 ? 0 : storeUserWord(cpu, proc, address, tid);
    });
  }

  /**
   * exec by a process that sleeps in this call: ends its other threads and gives it an empty
   * address space. 0, -EAGAIN while another thread does the same, -ENOMEM, -ESRCH.
   */
  async exec(pid: number, name: string): Promise<number> {
    const { cpu, table, groups, fulfil, end } = this.#needs;
    const entry = table.get(pid);
    if (entry === undefined || entry.isGone) return -ESRCH;
    const others = groups.beginExec(entry.group, pid);
    if (others === null) return -EAGAIN;
    for (const other of others) end(other);
    await groups.alone(entry.group);
    await untilDone(cpu, pid, fulfil, () => {
      const proc = livingProcess(cpu.machine, pid);
      return proc === 0 ? 0 : clearChildTid(cpu, proc);
    });
    const outcome = entry.isGone ? -ESRCH : inKernel(cpu, () => execProcess(cpu, pid, name));
    groups.endExec(entry.group, pid);
    if (outcome !== 0) return outcome;
    entry.name = name;
    this.released(pid);
    return 0;
  }

  /** A process no longer uses its parent's memory: a vfork returns. */
  released(pid: number): void {
    this.#vforks.get(pid)?.();
    this.#vforks.delete(pid);
  }

  /** The CPUs of the processes that share an address space, one for each. */
  #threadCpus(tgid: number): number[] {
    const { cpu, table } = this.#needs;
    const threads = table.running().filter((entry) => entry.tgid === tgid && !entry.isGone);
    // Where it runs, which may differ from the CPU it was queued on last.
    return threads.map((entry) => processCpu(cpu.machine, entry.pid) || entry.cpu);
  }
}

/** 0, or what clone(2) answers to its flags and addresses. */
function checkClone({ flags, tls, parentTid, childTid }: WireClone): number {
  const refusal = CLONE.checkCloneFlags(flags);
  if (refusal !== 0) return refusal;
  if (![tls, parentTid, childTid].every(Number.isInteger)) return -EINVAL;
  if ((flags & CLONE.CLONE_SETTLS) === 0) return 0;
  return tls < 0 || tls >= USER_SPACE_END ? -EPERM : 0;
}

/** What the kernel makes of a request. */
function specOf(parent: number, home: number, tgid: number, request: WireSpawn): ProcessSpec {
  const { name, inherit, thread, fork, stackBytes, nice, memoryMaxPages, clone } = request;
  const { capabilities } = request;
  return {
    ...{ parent, home, name, inherit, thread, fork, stackBytes, tgid },
    ...(nice === null ? {} : { nice }),
    ...(memoryMaxPages === null ? {} : { memoryMaxPages }),
    ...(capabilities === null ? {} : { capabilities }),
    ...(clone === null ? {} : cloneSpec(clone)),
  };
}

function cloneSpec({ flags, tls, childTid }: WireClone): Partial<ProcessSpec> {
  const isUsers = childTid > 0 && childTid < USER_SPACE_END;
  return {
    shareDescriptors: (flags & CLONE.CLONE_FILES) !== 0,
    fsBase: (flags & CLONE.CLONE_SETTLS) === 0 ? 0 : tls,
    clearTid: (flags & CLONE.CLONE_CHILD_CLEARTID) !== 0 && isUsers ? childTid : 0,
  };
}
