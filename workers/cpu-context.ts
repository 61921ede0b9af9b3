/**
 * What the processes of one CPU worker share: the CPU, its line to the kernel worker, and the two
 * ways into the kernel that block.
 */
import {
  TRY_KERNEL,
  blockCpu,
  enterKernel,
  leaveKernel,
  recordLatency,
  syscallIndex,
  sysMmap,
  sysMprotect,
  sysMunmap,
  unblockCpu,
} from '../kernel/index.ts';
import type { Cpu, SyscallName } from '../kernel/index.ts';
import { MAP_POPULATE } from '../shared/mman.ts';
import * as protocol from '../shared/protocol.ts';
import type { CpuInit, KernelCpuApi } from '../shared/protocol.ts';
import type { Connection } from './endpoint.ts';
import { inKernel } from './in-kernel.ts';
import { TrapCaller } from './trap.ts';

export class CpuContext {
  readonly cpu: Cpu;
  readonly init: CpuInit;
  readonly kernel: Connection<KernelCpuApi>['remote'];
  readonly #traps: TrapCaller;

  constructor(cpu: Cpu, init: CpuInit, kernel: Connection<KernelCpuApi>) {
    this.cpu = cpu;
    this.init = init;
    this.kernel = kernel.remote;
    this.#traps = new TrapCaller(cpu.words, cpu.base, () => kernel.ring());
  }

  /** Calls the kernel worker and sleeps. -EINTR when `isInterrupted` cut the sleep short. */
  trap(op: number, pid: number, args: readonly number[], isInterrupted: () => boolean): number {
    // BLOCKED while asleep: nobody waits for an acknowledgement of this CPU.
    enterKernel(this.cpu);
    blockCpu(this.cpu);
    const result = this.#traps.call(op, pid, args, isInterrupted);
    unblockCpu(this.cpu);
    leaveKernel(this.cpu);
    return result;
  }

  /** Runs a syscall of the process with block `proc` on this CPU; -TRY_KERNEL when it cannot. */
  local(op: number, pid: number, proc: number, args: readonly number[]): number {
    const { cpu } = this;
    const [a = NaN, b = NaN, c = NaN, d = NaN, e = NaN, f = NaN] = args;
    switch (op) {
      case protocol.TRAP_MMAP:
        // Populating may need pages that only the kernel worker can supply.
        if ((d & MAP_POPULATE) !== 0) return -TRY_KERNEL;
        return inKernel(cpu, () => sysMmap(cpu, proc, a, b, c, d, e, f));
      case protocol.TRAP_MUNMAP:
        return inKernel(cpu, () => sysMunmap(cpu, proc, a, b));
      case protocol.TRAP_MPROTECT:
        return inKernel(cpu, () => sysMprotect(cpu, proc, a, b, c));
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
