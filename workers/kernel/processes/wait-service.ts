/**
 * wait4(2), by message or by trap. A caller that traps sleeps with its whole Worker, so that no
 * process of that Worker goes on meanwhile.
 *
 * Guarantees: a child's end that was taken is told to its caller (what ends a sleeping wait is
 * decided here, never by the sleeper). A signal that the caller must act on ends the sleep. A wait
 * by trap is refused with EDEADLK when only Workers that sleep in such waits could end it; before
 * that a child that has not begun gets a Worker of its own.
 * Not guaranteed: that an allowed wait ends; a child may wait for something that never comes.
 */
import {
  checkWait4,
  hasSignal,
  livingProcess,
  processOf,
  storeWait4,
} from '../../../kernel/index.ts';
import type { Cpu, Usage } from '../../../kernel/index.ts';
import { EDEADLK, EFAULT, EINTR, ESRCH } from '../../../shared/abi/errno.ts';
import { WNOHANG, waitStatusOf } from '../../../shared/abi/wait-status.ts';
import { PAGE_SIZE } from '../../../shared/limits.ts';
import type { WireWaitResult } from '../../../shared/wire.ts';
import type { ProcessReport } from '../../api/machine-api.ts';
import type { ProcessManager } from './process-manager.ts';
import type { ProcessEntry } from './process-table.ts';
import { canWaitEnd } from './sleeping-waits.ts';
import type { SleepingWait } from './sleeping-waits.ts';
import { untilDone } from './until-done.ts';
import type { Fulfil } from './until-done.ts';

export interface WaitServiceNeeds {
  readonly cpu: Cpu;
  readonly processes: ProcessManager;
  readonly fulfil: Fulfil;
}

export class WaitService {
  readonly #needs: WaitServiceNeeds;
  /** By the CPU that sleeps. */
  readonly #sleeping = new Map<number, SleepingWait>();

  constructor(needs: WaitServiceNeeds) {
    this.#needs = needs;
  }

  /** `sleeper`: the CPU that sleeps until this is answered, 0 for none. A pid, 0 or -errno. */
  async wait4(caller: number, args: readonly number[], sleeper: number): Promise<number> {
    const [pid = NaN, status = NaN, options = NaN, usage = NaN] = args;
    const refusal = checkWait4(intOf(pid), status, intOf(options), usage);
    if (refusal !== 0) return refusal;
    const { table } = this.#needs.processes;
    const child = childOf(intOf(pid));
    const now = table.waitNow(caller, child);
    const isDone = now !== 0 || (options & WNOHANG) !== 0;
    const result = isDone ? now : await this.#wait({ caller, child }, sleeper);
    return typeof result === 'number' ? result : this.#tell(caller, result, status, usage);
  }

  async #wait(wait: SleepingWait, sleeper: number): Promise<WireWaitResult | number> {
    const { caller, child } = wait;
    const { cpu, processes } = this.#needs;
    const { table } = processes;
    if (sleeper === 0) return table.wait(caller, child);
    const proc = processOf(cpu.machine, caller);
    // One that came after the caller's last look; later ones end the wait when they are sent.
    if (proc === 0 || hasSignal(cpu, proc)) return -EINTR;
    const ended = table.wait(caller, child, true);
    this.#sleeping.set(sleeper, wait);
    void this.#seeToItsEnd(wait);
    const result = await ended;
    if (this.#sleeping.get(sleeper) === wait) this.#sleeping.delete(sleeper);
    return result;
  }

  async #seeToItsEnd(wait: SleepingWait): Promise<void> {
    const { processes } = this.#needs;
    const { table, dispatcher } = processes;
    for (const entry of table.awaited(wait.caller, wait.child)) {
      if (this.#canEnd(wait) || (await dispatcher.toOwnWorker(entry))) return;
    }
    // It may have ended meanwhile, and its caller may wait again, for somebody else.
    const isStill = [...this.#sleeping.values()].includes(wait);
    if (isStill && !this.#canEnd(wait)) table.wake(wait.caller, EDEADLK);
  }

  #canEnd(wait: SleepingWait): boolean {
    const { table, groups, dispatcher } = this.#needs.processes;
    const threadsOf = (entry: ProcessEntry): ProcessEntry[] =>
      groups.threadsOf(entry.group).flatMap((pid) => table.get(pid) ?? []);
    return canWaitEnd(wait, this.#sleeping, ({ caller, child }) =>
      table
        .awaited(caller, child)
        .flatMap(threadsOf)
        .flatMap((thread) => dispatcher.cpusOf(thread)),
    );
  }

  /** The child's pid, or -EFAULT; then its end is lost, as on Linux. */
  async #tell(
    caller: number,
    { pid, status }: WireWaitResult,
    statusAddress: number,
    usageAddress: number,
  ): Promise<number> {
    const { cpu, processes, fulfil } = this.#needs;
    const word = waitStatusOf(status);
    const used = usageOf(processes.table.get(pid)?.report ?? null);
    const told = await untilDone(cpu, caller, fulfil, () => {
      const proc = livingProcess(cpu.machine, caller);
      if (processes.table.get(caller)?.isGone !== false || proc === 0) return -ESRCH;
      return storeWait4(cpu, proc, statusAddress, word, usageAddress, used);
    });
    return told === 0 ? pid : -EFAULT;
  }
}

function intOf(value: number): number {
  return Number.isInteger(value) ? value | 0 : value;
}

/** All processes are of one process group, which has no number. */
function childOf(pid: number): number | null {
  return pid === 0 || pid === -1 ? null : pid;
}

function usageOf(report: ProcessReport | null): Usage {
  return {
    cpuUs: (report?.cpuMs ?? 0) * 1000,
    residentPeakKiB: ((report?.residentPagesPeak ?? 0) * PAGE_SIZE) / 1024,
    faultsMinor: report?.faultsMinor ?? 0,
    faultsMajor: report?.faultsMajor ?? 0,
  };
}
