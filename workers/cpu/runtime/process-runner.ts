/**
 * One process on its CPU worker: loads its module, runs its main function, and sees to its end. The
 * process has been started (startProcess) on this CPU.
 *
 * Guarantees: exactly one end is reported to the kernel worker, however often and for whatever
 * reason the process is ended; afterwards its `proc` throws ProcessKilled and its awaits never
 * resume. Other processes of the Worker are unaffected, unless it never gives up the Worker.
 */
import {
  FAULT_DONE,
  TRY_KERNEL,
  WAIT_PAGE,
  beginProgram,
  dropContext,
  restOf,
  hasSignal,
  pendingSignal,
  processOf,
} from '../../../kernel/index.ts';
import type { Call } from '../../../kernel/index.ts';
import { peek } from '../../../shared/atomics.ts';
import * as PROCESS from '../../../shared/layout/process.ts';
import { EINTR } from '../../../shared/abi/errno.ts';
import { KernelPanic } from '../../../shared/panic.ts';
import {
  TRAP_DEVICE_LOAD,
  TRAP_DEVICE_STORE,
  TRAP_FAULT,
  TRAP_POPULATE,
  TRAP_STAGED,
} from '../../../shared/wire.ts';
import type { WireStaged, WireStart, WireStatus } from '../../../shared/wire.ts';
import { signalName } from '../../../shared/abi/signals.ts';
import type { ExecOptions, Proc, Program } from '../../api/machine-api.ts';
import type { CpuContext } from './cpu-context.ts';
import { exitCodeOf } from './exit-code.ts';
import { futexWaitSync } from './futex-wait.ts';
import type { FutexHost } from './futex-wait.ts';
import { ProcessKilled } from '../../wire/errors.ts';
import { isA } from '../../wire/thrown.ts';
import { ProgramMmu } from '../memory/program-mmu.ts';
import type { MmuHost } from '../memory/program-mmu.ts';
import { execProgram } from './exec.ts';
import { createProc } from './proc.ts';
import { loadProgram } from './load-program.ts';
import { ownStack } from './own-stack.ts';
import { PageServer } from './page-server.ts';
import { ProcGuard } from './proc-guard.ts';
import type { ProcessAccount } from './process-account.ts';
import type { RunnerCare, RunningProcess } from './running-process.ts';
import { SignalDelivery } from './signal-delivery.ts';
import { thrownStatus } from './thrown-status.ts';

export class ProcessRunner implements RunningProcess {
  readonly pid: number;
  readonly module: string;
  readonly #start: WireStart;
  readonly context: CpuContext;
  readonly guard: ProcGuard;
  readonly mmu: ProgramMmu;
  readonly account: ProcessAccount;
  readonly signals: SignalDelivery;
  readonly pages: PageServer = new PageServer();
  readonly #proc: number;
  readonly #care: RunnerCare;

  constructor(context: CpuContext, start: WireStart, account: ProcessAccount, care: RunnerCare) {
    const { pid, module } = start;
    const { cpu, queue } = context;
    this.context = context;
    this.pid = pid;
    this.module = module;
    this.#start = start;
    this.account = account;
    const onCallAfterEnd = (): void => context.endedCode.called(pid);
    this.guard = new ProcGuard(pid, (run) => queue.ready(account, run), onCallAfterEnd);
    this.#proc = processOf(cpu.machine, pid);
    this.signals = new SignalDelivery(cpu, this.#proc, this.guard, (signal) =>
      this.#die({ signal: signalName(signal) }),
    );
    this.#care = care;
    this.mmu = new ProgramMmu(context.mode, this.#proc, this.#mmuHost());
  }

  /** Runs the program, which exec has loaded already, to its end. Never rejects. */
  async run(program: Program | null = null): Promise<void> {
    const { module, entry, args } = this.#start;
    const main = program ?? (await loadProgram(module, entry));
    if (this.guard.isOver) return;
    if (typeof main !== 'function') {
      this.end(main.status);
      return;
    }
    const { mode, queue } = this.context;
    mode.inKernel(() => beginProgram(mode.cpu, this.pid));
    try {
      // Killed before its program begins, or while exec waited: not a step of that runs.
      this.check();
      const returned: unknown = await main(createProc(this), ...(args as never[]));
      queue.runs(this.account);
      // As a return from C's main; of another thread only its own function is over.
      const isLeader = peek(this.context.cpu.words, this.#proc + PROCESS.TGID) === this.pid;
      this.end({ code: exitCodeOf(returned) }, isLeader);
    } catch (error) {
      queue.runs(this.account);
      this.fail(error);
    }
  }

  end(status: WireStatus, endsGroup = false): void {
    if (this.guard.isOver) return;
    const { queue, endedCode, timers } = this.context;
    queue.charge();
    // When another one has the thread, none of this one's code is on the stack.
    if (queue.running === this.account) endedCode.ended(this.pid);
    timers.end(this.account);
    this.account.close();
    this.guard.end(status.signal !== undefined ? status.signal : 'exit');
    // Before the kernel worker is told: the memory and the block are gone soon after.
    this.mmu.close();
    this.#care.ended();
    this.context.kernel.exited(this.pid, status, endsGroup).catch(() => {});
  }

  /** Whether a signal is to end it. */
  isKilled(): boolean {
    return pendingSignal(this.context.cpu, this.#proc) !== 0;
  }

  /** In kernel mode, in the midst of another process's call: ends this one, which was killed. */
  endKilled(): void {
    dropContext(this.context.mode.user, this.mmu.context);
    this.end({ signal: signalName(pendingSignal(this.context.cpu, this.#proc)) });
  }

  /** Ends the process because of something that it threw. */
  fail(error: unknown): void {
    if (isA(error, KernelPanic)) this.context.kernel.panicked(error.message).catch(() => {});
    else this.end(thrownStatus(error));
  }

  isLive(): boolean {
    return this.context.mode.user.live === this.mmu.context;
  }

  hasTurn(): boolean {
    return this.context.queue.running === this.account;
  }

  /** The kernel worker reports pending signals: they are handled between two awaits. */
  signalled(): void {
    this.context.queue.ready(this.account, () => {
      try {
        if (!this.guard.isOver) this.check();
      } catch (error) {
        if (!isA(error, ProcessKilled)) this.fail(error);
      }
    });
  }

  exec(module: string, options: ExecOptions): Promise<number> {
    return execProgram(this, module, options, (...next) => this.#care.replaced(...next));
  }

  staged(call: WireStaged): number {
    this.check();
    this.context.kernel.stage(this.pid, call).catch(() => {});
    return this.trap(TRAP_STAGED, []);
  }

  /** Memory of the process's own above its guard page, if it has been given one. */
  stack(): Proc['stack'] {
    return this.#start.stack ?? ownStack(this.context.cpu.machine, this.#proc);
  }

  /** What futex waits need from this process. */
  futexHost(): FutexHost {
    const { context, signals } = this;
    return {
      cpu: context.cpu,
      proc: this.#proc,
      inKernel: (work) => context.mode.inKernel(work),
      supply: (address) => this.#sleepIn(TRAP_FAULT, [address, 0]),
      asleep: (sleep) => context.queue.asleep(sleep),
      isOver: () => this.guard.isOver,
      endKilled: () => context.endKilled(this.pid),
      onInterrupt: (interrupt) => signals.onInterrupt(interrupt),
    };
  }

  /** A wait on a futex in which the whole Worker sleeps. */
  futexWait(address: number, expected: number, timeoutMs: number): number {
    this.check();
    const result = futexWaitSync(this.futexHost(), address, expected, timeoutMs);
    if (result === -EINTR) this.check();
    return result;
  }

  /** A syscall by trap. A signal that cuts it short ends the process. */
  trap(op: number, args: readonly number[]): number {
    this.check();
    const result = this.context.mode.inKernel(() => this.#sleepIn(op, args));
    if (result === -EINTR) this.check();
    return result;
  }

  /** A syscall on this CPU, or by trap where only the kernel worker can do it. */
  local(op: number, args: readonly number[]): number {
    this.check();
    const { context } = this;
    const { mode, cpu } = context;
    let call: Call = { number: op, args };
    let carried = 0;
    let result = mode.inKernel(() => context.local(call, this.#proc));
    while (result === -WAIT_PAGE) {
      carried = carried === 0 ? cpu.carriedErrno : carried;
      call = restOf(call, cpu.stoppedAtVpn);
      this.#checkKilled();
      result = mode.inKernel(() => context.local(call, this.#proc));
    }
    const { populateStartVpn: start, populateEndVpn: end } = cpu;
    if (result === -TRY_KERNEL) {
      carried = carried === 0 ? cpu.carriedErrno : carried;
      call = restOf(call, cpu.stoppedAtVpn);
      result = this.trap(call.number, call.args);
    } else if (start !== end) this.#populate(start, end);
    return result === 0 ? carried : result;
  }

  /** Faults in the pages [start, end) (VPNs), batch by batch. */
  #populate(start: number, end: number): void {
    const { context } = this;
    for (let at = start; at !== end;) {
      const { vpn, needsWorker } = context.mode.inKernel(() =>
        context.populate(this.#proc, at, end),
      );
      at = vpn;
      if (needsWorker) {
        context.mode.inKernel(() => this.#sleepIn(TRAP_POPULATE, [vpn, end]));
        return;
      }
      if (at !== end) this.#checkKilled();
    }
  }

  /** Between two batches of a long syscall, where only the process's end is looked for. */
  #checkKilled(): void {
    if (this.isKilled()) this.check();
  }

  /** Handles signals; throws when the process has ended, perhaps by one of them. */
  check(): void {
    this.guard.check();
    const { heap, queue } = this.context;
    if (!heap.suffices()) this.#die({ signal: 'SIGABRT', reason: heap.describe() });
    queue.runs(this.account);
    if (!hasSignal(this.context.cpu, this.#proc)) return;
    const signal = pendingSignal(this.context.cpu, this.#proc);
    if (signal !== 0) this.#die({ signal: signalName(signal) });
    this.signals.deliver();
    this.guard.check();
  }

  /** Ends the process in the midst of its code, which ProcessKilled then unwinds. */
  #die(status: { readonly signal: string; readonly reason?: string }): never {
    this.end(status);
    throw new ProcessKilled(this.pid, status.signal);
  }

  #sleepIn(op: number, args: readonly number[]): number {
    const { context } = this;
    const isInterrupted = (): boolean => pendingSignal(context.cpu, this.#proc) !== 0;
    return context.trap(op, this.pid, args, isInterrupted);
  }

  #mmuHost(): MmuHost {
    return {
      faults: this.context.init.faults,
      trapFault: (address, write) => {
        const outcome = this.#sleepIn(TRAP_FAULT, [address, write ? 1 : 0]);
        // Interrupted: the MMU asks `check` before it walks again.
        return outcome === -EINTR ? FAULT_DONE : outcome;
      },
      deviceLoad: (address, width) => this.#sleepIn(TRAP_DEVICE_LOAD, [address, width]),
      deviceStore: (address, width, value) =>
        this.#sleepIn(TRAP_DEVICE_STORE, [address, width, value]),
      handler: (signal) => this.signals.faultHandler(signal),
      hasHeap: () => this.context.heap.suffices(),
      check: () => this.check(),
      die: (signal, reason) => {
        // A signal from outside needs no reason.
        this.check();
        return this.#die({ signal: signalName(signal), reason });
      },
    };
  }
}
