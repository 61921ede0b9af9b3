/**
 * What the processes of one CPU worker share: the CPU and its user mode, the channel to the kernel
 * worker, and the two ways into the kernel that return a result.
 */
import {
  ITS_TURN,
  MLOCK_REST,
  TRY_KERNEL,
  WAIT_PAGE,
  blockCpu,
  dispatch,
  populate,
  recordLatency,
  releaseFaultObject,
  syscallIndex,
  unblockCpu,
  wantsMemory,
} from '../../../kernel/index.ts';
import type { Call, Cpu, SyscallName } from '../../../kernel/index.ts';
import type { CpuInit, KernelCpuApi } from '../../../shared/wire.ts';
import { isLocalSyscall } from '../../../shared/abi/syscalls.ts';
import type { Connection } from '../../wire/endpoint.ts';
import { TrapCaller } from '../../wire/trap.ts';
import type { HeapReserve } from '../memory/heap-reserve.ts';
import type { ThreadMode } from '../memory/thread-mode.ts';
import type { EndedCode } from './ended-code.ts';
import type { ProgramTimers } from './program-timers.ts';
import type { RunAccount, RunQueue } from './run-queue.ts';
import type { StrayErrors } from './stray-errors.ts';

/** A process of this CPU, while another process has the thread. */
export interface Sibling {
  /** Whether a signal is to end it. */
  isKilled(): boolean;
  /** In kernel mode: ends the process, which is killed. */
  endKilled(): void;
}

export interface CpuContextNeeds {
  readonly mode: ThreadMode;
  readonly init: CpuInit;
  readonly kernel: Connection<KernelCpuApi>;
  readonly queue: RunQueue;
  readonly timers: ProgramTimers<RunAccount>;
  readonly endedCode: EndedCode;
  readonly heap: HeapReserve;
  readonly strays: StrayErrors;
  /** The processes that run on this CPU, by pid. */
  readonly runners: ReadonlyMap<number, Sibling>;
}

export class CpuContext {
  readonly cpu: Cpu;
  readonly mode: ThreadMode;
  readonly init: CpuInit;
  readonly kernel: Connection<KernelCpuApi>['remote'];
  readonly queue: RunQueue;
  readonly timers: ProgramTimers<RunAccount>;
  readonly endedCode: EndedCode;
  readonly heap: HeapReserve;
  readonly strays: StrayErrors;
  readonly #runners: ReadonlyMap<number, Sibling>;
  readonly #traps: TrapCaller;

  constructor({
    mode,
    init,
    kernel,
    queue,
    timers,
    endedCode,
    heap,
    strays,
    runners,
  }: CpuContextNeeds) {
    const { cpu } = mode;
    this.cpu = cpu;
    this.mode = mode;
    this.init = init;
    this.kernel = kernel.remote;
    this.queue = queue;
    this.timers = timers;
    this.endedCode = endedCode;
    this.heap = heap;
    this.strays = strays;
    this.#runners = runners;
    this.#traps = new TrapCaller(
      cpu.words,
      cpu.base,
      () => kernel.ring(),
      (sleep) => queue.asleep(sleep),
    );
  }

  /**
   * In kernel mode: calls the kernel worker and sleeps. -EINTR when `isInterrupted` cut it short.
   * BLOCKED meanwhile, so that no CPU waits for an acknowledgement from this one.
   *
   * Other processes of the CPU that are killed meanwhile end during the sleep: it may last until
   * one of them has given its memory back.
   */
  trap(op: number, pid: number, args: readonly number[], isInterrupted: () => boolean): number {
    blockCpu(this.cpu);
    const look = (): boolean => {
      this.endKilled(pid);
      return isInterrupted();
    };
    const result = this.#traps.call(op, pid, args, look);
    unblockCpu(this.cpu);
    return result;
  }

  /** BLOCKED in a call of process `caller`: ends the CPU's other processes that were killed. */
  endKilled(caller: number): void {
    for (const [pid, runner] of [...this.#runners]) {
      if (pid === caller || !runner.isKilled()) continue;
      unblockCpu(this.cpu);
      runner.endKilled();
      blockCpu(this.cpu);
    }
  }

  /**
   * In kernel mode: runs a syscall of the process with block `proc`, or answers -TRY_KERNEL. After
   * -WAIT_PAGE nothing is to be waited for: out of the kernel and back, for the rest (restOf).
   */
  local({ number, args }: Call, proc: number): number {
    const { cpu } = this;
    cpu.stoppedAtVpn = 0;
    cpu.carriedErrno = 0;
    if (!isLocalSyscall(number) && number !== MLOCK_REST) return -TRY_KERNEL;
    const [a = NaN, b = NaN, c = NaN, d = NaN, e = NaN, f = NaN] = args;
    cpu.populateStartVpn = 0;
    cpu.populateEndVpn = 0;
    const result = dispatch(cpu, proc, number, a, b, c, d, e, f);
    // Only the kernel worker reclaims frames.
    if (wantsMemory(cpu, result)) return -TRY_KERNEL;
    if (result !== -WAIT_PAGE || cpu.faultObject === ITS_TURN) return result;
    // Only the kernel worker supplies pages; it does the rest.
    releaseFaultObject(cpu, cpu.faultObject);
    return -TRY_KERNEL;
  }

  /**
   * In kernel mode: a batch of the pages [start, end) (VPNs) that the last syscall wants populated.
   * Where it stopped, and whether the kernel worker must go on there.
   */
  populate(proc: number, start: number, end: number): { vpn: number; needsWorker: boolean } {
    const { cpu } = this;
    const vpn = populate(cpu, proc, start, end);
    const needsWorker = vpn !== end && cpu.faultObject !== ITS_TURN;
    if (needsWorker) releaseFaultObject(cpu, cpu.faultObject);
    return { vpn, needsWorker };
  }

  /** Counts a syscall's latency as its caller saw it. */
  record(name: SyscallName, startedMs: number): void {
    const ns = (performance.now() - startedMs) * 1e6;
    recordLatency(this.cpu.machine, syscallIndex(name), ns);
  }
}
