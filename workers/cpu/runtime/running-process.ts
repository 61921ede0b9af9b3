/** A process that runs on this CPU, as the parts of its `proc` see it (process-runner.ts). */
import type { WireStaged, WireStart, WireStatus } from '../../../shared/wire.ts';
import type { ExecOptions, Proc, Program } from '../../api/machine-api.ts';
import type { ProgramMmu } from '../memory/program-mmu.ts';
import type { CpuContext } from './cpu-context.ts';
import type { FutexHost } from './futex-wait.ts';
import type { PageServer } from './page-server.ts';
import type { ProcGuard } from './proc-guard.ts';
import type { RunAccount } from './run-queue.ts';
import type { SignalDelivery } from './signal-delivery.ts';

/** What becomes of a runner. */
export interface RunnerCare {
  /** Its process has ended. */
  ended(): void;
  /** Its process goes on with another program, which is loaded. */
  replaced(start: WireStart, main: Program): void;
}

export interface RunningProcess {
  readonly pid: number;
  /** URL of its program's module. */
  readonly module: string;
  readonly context: CpuContext;
  readonly guard: ProcGuard;
  readonly mmu: ProgramMmu;
  readonly account: RunAccount;
  readonly signals: SignalDelivery;
  readonly pages: PageServer;
  /**
   * The process is over, for the reason that `status` gives. Only the first one counts.
   * `endsGroup`: with its other threads, as by a signal.
   */
  end(status: WireStatus, endsGroup?: boolean): void;
  /** Handles signals; throws when the process has ended, perhaps by one of them. */
  check(): void;
  /** Goes on with another program: never settles; or -errno. Rejects if that does not load. */
  exec(module: string, options: ExecOptions): Promise<number>;
  /** A syscall by trap whose arguments are no numbers. */
  staged(call: WireStaged): number;
  /** Memory of the process's own above its guard page, if it has been given one. */
  stack(): Proc['stack'];
  /** A syscall by trap. A signal that cuts it short ends the process. */
  trap(op: number, args: readonly number[]): number;
  /** A syscall on this CPU, or by trap where only the kernel worker can do it. */
  local(op: number, args: readonly number[]): number;
  /** What futex waits need from this process. */
  futexHost(): FutexHost;
  /** A wait on a futex in which the whole Worker sleeps. */
  futexWait(address: number, expected: number, timeoutMs: number): number;
}
