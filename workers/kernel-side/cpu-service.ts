/** What the kernel worker offers to each CPU worker: the syscalls that programs await. */
import { EBADF, ENOENT } from '../../shared/errno.ts';
import type { KernelCpuApi, WireStatus } from '../../shared/protocol.ts';
import type { KernelSyscalls } from './kernel-syscalls.ts';
import type { ObjectRegistry } from './object-registry.ts';
import type { ProcessManager } from './process-manager.ts';

export interface CpuServiceOptions {
  readonly syscalls: KernelSyscalls;
  readonly processes: ProcessManager;
  readonly objects: ObjectRegistry;
  readonly print: (pid: number, line: string) => void;
  readonly attending: () => void;
  readonly panicked: (message: string) => void;
}

export function cpuService(options: CpuServiceOptions): KernelCpuApi {
  const { syscalls, processes, objects } = options;
  return {
    syscall: (pid, number, args) => syscalls.call(number, pid, args),
    open: async (pid, name, flags) => {
      const object = objects.byName(name);
      return object === undefined ? -ENOENT : syscalls.open(pid, object.block, flags);
    },
    fstat: (pid, fd) => {
      const block = syscalls.objectOf(pid, fd);
      const object = objects.byBlock(block);
      return object === undefined ? -EBADF : { size: object.sizeBytes, kind: object.kind };
    },
    spawn: (pid, request) => processes.spawn(pid, request),
    wait: (pid, child) => processes.table.wait(pid, child),
    interruptWaits: (pid) => processes.interruptWaits(pid),
    kill: (pid, target, signal) => processes.kill(pid, target, signal),
    print: (pid, line) => options.print(pid, line),
    exited: (pid, status: WireStatus) => processes.exited(pid, status),
    attending: () => options.attending(),
    panicked: (message) => options.panicked(message),
  };
}
