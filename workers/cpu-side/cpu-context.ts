/**
 * What the processes of one CPU worker share: the CPU and its user mode, the line to the kernel
 * worker, and the two ways into the kernel that return a result.
 */
import {
  TRY_KERNEL,
  blockCpu,
  recordLatency,
  syscallIndex,
  sysMmap,
  sysMprotect,
  sysMunmap,
  unblockCpu,
} from '../../kernel/index.ts';
import type { Cpu, SyscallName } from '../../kernel/index.ts';
import { MAP_POPULATE } from '../../shared/mman.ts';
import * as protocol from '../../shared/protocol.ts';
import type { CpuInit, KernelCpuApi } from '../../shared/protocol.ts';
import type { Connection } from '../wire/endpoint.ts';
import { TrapCaller } from '../wire/trap.ts';
import type { UserMode } from '../user/user-mode.ts';

export class CpuContext {
  readonly cpu: Cpu;
  readonly mode: UserMode;
  readonly init: CpuInit;
  readonly kernel: Connection<KernelCpuApi>['remote'];
  readonly #traps: TrapCaller;

  constructor(mode: UserMode, init: CpuInit, kernel: Connection<KernelCpuApi>) {
    const { cpu } = mode;
    this.cpu = cpu;
    this.mode = mode;
    this.init = init;
    this.kernel = kernel.remote;
    this.#traps = new TrapCaller(cpu.words, cpu.base, () => kernel.ring());
  }

  /**
   * In kernel mode: calls the kernel worker and sleeps. -EINTR when `isInterrupted` cut it short.
   * BLOCKED meanwhile, so that nobody waits for an acknowledgement of this CPU.
   */
  trap(op: number, pid: number, args: readonly number[], isInterrupted: () => boolean): number {
    blockCpu(this.cpu);
    const result = this.#traps.call(op, pid, args, isInterrupted);
    unblockCpu(this.cpu);
    return result;
  }

  /** In kernel mode: runs a syscall of the process with block `proc`, or answers -TRY_KERNEL. */
  local(op: number, pid: number, proc: number, args: readonly number[]): number {
    const { cpu } = this;
    const [a = NaN, b = NaN, c = NaN, d = NaN, e = NaN, f = NaN] = args;
    switch (op) {
      case protocol.TRAP_MMAP:
        // Populating may need pages that only the kernel worker can supply.
        return (d & MAP_POPULATE) !== 0 ? -TRY_KERNEL : sysMmap(cpu, proc, a, b, c, d, e, f);
      case protocol.TRAP_MUNMAP:
        return sysMunmap(cpu, proc, a, b);
      case protocol.TRAP_MPROTECT:
        return sysMprotect(cpu, proc, a, b, c);
      case protocol.TRAP_GETPID:
        return pid;
      case protocol.TRAP_SCHED_YIELD:
        return 0;
      default:
        // Descriptors are the kernel worker's to change, also for syscalls under way there.
        return -TRY_KERNEL;
    }
  }

  /** Counts a syscall's latency as its caller saw it. */
  record(name: SyscallName, startedMs: number): void {
    const ns = (performance.now() - startedMs) * 1e6;
    recordLatency(this.cpu.machine, syscallIndex(name), ns);
  }
}
