/** What the kernel worker offers to each CPU worker: the syscalls that programs await. */
import type { KernelCpuApi, WireStatus } from '../../../shared/wire.ts';
import type { FileService } from '../files/file-service.ts';
import type { KernelSyscalls } from './kernel-syscalls.ts';
import type { ProcessManager } from '../processes/process-manager.ts';
import type { UserPagers } from '../files/user-pagers.ts';

export interface CpuServiceOptions {
  readonly syscalls: KernelSyscalls;
  readonly processes: ProcessManager;
  readonly files: FileService;
  readonly pagers: UserPagers;
  readonly print: (pid: number, line: string) => void;
  readonly attending: () => void;
  readonly panicked: (message: string) => void;
}

export function cpuService(options: CpuServiceOptions): KernelCpuApi {
  const { syscalls, processes, files } = options;
  return {
    syscall: (pid, number, args) => syscalls.call(number, pid, args),
    open: async (pid, name, flags) => files.open(pid, name, flags),
    unlink: async (pid, name) => files.unlink(pid, name),
    memfdCreate: (pid, name, flags) => files.memfdCreate(pid, name, flags),
    fstat: (pid, fd) => files.fstat(pid, fd),
    createPager: (pid, name, sizeBytes) => options.pagers.create(pid, name, sizeBytes),
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
