/**
 * The lives of processes, as the kernel worker directs them: spawned onto a CPU of the pool, ended
 * by themselves, by a signal, or with their Worker.
 *
 * Guarantees: every process that `spawn` gave a pid to ends exactly once in the table, whatever
 * happens to its Worker, and its memory is given back before anybody is told. All ends run on the
 * kernel worker, so none can meet a syscall of the same process.
 */
import {
  condemnCpu,
  createProcess,
  exitProcess,
  killProcess,
  releaseProcess,
} from '../../kernel/index.ts';
import type { Cpu } from '../../kernel/index.ts';
import { EINVAL, EPERM, ESRCH } from '../../shared/errno.ts';
import type { WireSpawn, WireStatus } from '../../shared/protocol.ts';
import { SIGABRT, SIGBUS, SIGKILL, SIGSEGV, SIGTERM } from '../../shared/signals.ts';
import type { ProcessReport } from '../api.ts';
import { SyscallError, describeThrown } from '../wire/errors.ts';
import { inKernel } from './in-kernel.ts';
import type { Pool } from './pool.ts';
import { HOST_PID, ProcessTable } from './process-table.ts';
import type { ProcessEntry } from './process-table.ts';

/** How long a killed process may run on before its Worker is ended. */
const KILL_GRACE_MS = 500;
/** Pause between two attempts to condemn a CPU that is in the kernel. */
const CONDEMN_RETRY_MS = 1;

const signalNumbers: Readonly<Record<string, number>> = {
  SIGABRT,
  SIGBUS,
  SIGKILL,
  SIGSEGV,
  SIGTERM,
};
/** Those that `kill` sends; the others have causes of their own. */
const sendable: readonly string[] = ['SIGKILL', 'SIGTERM'];

function exit(cpu: Cpu, pid: number, status: WireStatus): void {
  if ('code' in status) exitProcess(cpu, pid, status.code, 0, 0);
  else exitProcess(cpu, pid, 0, signalNumbers[status.signal] ?? SIGKILL, status.address ?? 0);
}

/** Gathers what is known of a process. */
export type Reporter = (
  entry: ProcessEntry,
  status: WireStatus | null,
  nowMs: number,
) => ProcessReport;

export class ProcessManager {
  readonly table: ProcessTable;
  readonly #cpu: Cpu;
  readonly #pool: Pool;
  readonly #report: Reporter;

  /** `report` is called just before a process's memory is given back. */
  constructor(cpu: Cpu, pool: Pool, report: Reporter) {
    this.#cpu = cpu;
    this.#pool = pool;
    this.#report = report;
    this.table = new ProcessTable((pid) => inKernel(cpu, () => releaseProcess(cpu, pid)));
  }

  /** The child's or thread's pid, or -errno. */
  async spawn(parent: number, request: WireSpawn): Promise<number> {
    const cpu = this.#cpu;
    try {
      const { name, entry, inherit, thread, fork, dedicated } = request;
      const tgid = thread ? (this.table.get(parent)?.tgid ?? 0) : 0;
      const slot = await this.#pool.acquire(dedicated, this.#threadCpus(tgid));
      const { generation } = slot;
      const isOrphan = parent !== HOST_PID && this.table.get(parent)?.status !== null;
      const spec = { parent, cpu: slot.cpu, name, inherit, thread, fork };
      const pid = isOrphan ? -ESRCH : inKernel(cpu, () => createProcess(cpu, spec));
      if (pid < 0) {
        this.#pool.release(slot, generation);
        return pid;
      }
      this.table.add({
        pid,
        tgid: thread ? tgid : pid,
        parent,
        name,
        cpu: slot.cpu,
        generation,
        startedMs: performance.now(),
        endedMs: 0,
        status: null,
        report: null,
      });
      slot.connection?.remote
        .start(pid, request.module, entry, request.args)
        .catch((error: unknown) => {
          this.exited(pid, { signal: 'SIGABRT', reason: describeThrown(error) });
        });
      return pid;
    } catch (error) {
      if (error instanceof SyscallError) return -error.errno;
      throw error;
    }
  }

  /** A process has ended; nothing of it runs any more. */
  exited(pid: number, status: WireStatus): void {
    const entry = this.table.get(pid);
    if (entry === undefined || entry.status !== null) return;
    const nowMs = performance.now();
    entry.report = this.#report(entry, status, nowMs);
    inKernel(this.#cpu, () => exit(this.#cpu, pid, status));
    this.table.end(pid, status, nowMs);
    const slot = this.#pool.slot(entry.cpu);
    if (slot !== undefined) this.#pool.release(slot, entry.generation);
  }

  /** Ends a process from outside; resolves when it is gone. 0, or -errno. */
  async kill(target: number, signal: string): Promise<number> {
    const number = signalNumbers[signal];
    if (number === undefined || !sendable.includes(signal)) return -EINVAL;
    if (target === HOST_PID) return -EPERM;
    const entry = this.table.get(target);
    if (entry === undefined) return -ESRCH;
    const ended = this.table.status(target);
    if (typeof ended === 'number') return ended;
    if (entry.status === null) {
      inKernel(this.#cpu, () => killProcess(this.#cpu, target, number));
      this.#deliver(entry, signal);
    }
    await ended;
    return 0;
  }

  /** Every process of a CPU whose Worker is gone. */
  cpuDied(cpu: number, reason: string): void {
    for (const entry of this.table.running()) {
      if (entry.cpu !== cpu) continue;
      this.exited(entry.pid, { signal: 'SIGKILL', reason: `its Worker died: ${reason}` });
    }
  }

  /** Makes a CPU unable to enter the kernel, so that its Worker holds no lock when it is ended. */
  async condemn(cpu: number): Promise<void> {
    while (!condemnCpu(this.#cpu, cpu)) {
      await new Promise((resolve) => setTimeout(resolve, CONDEMN_RETRY_MS));
    }
  }

  /** The CPUs of a process's threads, one for each. */
  #threadCpus(tgid: number): number[] {
    const threads = this.table.running().filter((entry) => entry.tgid === tgid);
    return threads.map(({ cpu }) => cpu);
  }

  /** Ends the process if it awaits; if it runs and touches memory, the MMU ends it. */
  #deliver(entry: ProcessEntry, signal: string): void {
    const slot = this.#pool.slot(entry.cpu);
    if (slot?.generation !== entry.generation) return;
    slot.connection?.remote.kill(entry.pid, signal).catch(() => {});
    setTimeout(() => {
      if (entry.status !== null || slot.generation !== entry.generation) return;
      const reason = `process ${entry.pid} did not react to ${signal} for ${KILL_GRACE_MS} ms`;
      this.#pool.end(slot, reason);
    }, KILL_GRACE_MS);
  }
}
