/** What the kernel worker offers to each CPU worker: the syscalls that programs await. */
import type { KernelCpuApi, WireStatus } from '../../../shared/wire.ts';
import type { FileService } from '../files/file-service.ts';
import type { ObjectRegistry } from '../files/object-registry.ts';
import type { SyscallService } from './syscall-service.ts';
import type { ProcessManager } from '../processes/process-manager.ts';
import type { Spawn } from '../processes/spawn.ts';
import type { UserPagers } from '../files/user-pagers.ts';

export interface CpuServiceNeeds {
  readonly syscalls: SyscallService;
  readonly objects: ObjectRegistry;
  readonly processes: ProcessManager;
  readonly spawn: Spawn;
  readonly files: FileService;
  readonly pagers: UserPagers;
  readonly print: (pid: number, line: string) => void;
  readonly attending: () => void;
  readonly goesOn: (pid: number) => void;
  readonly panicked: (message: string) => void;
}

export function cpuService(needs: CpuServiceNeeds): KernelCpuApi {
  const { syscalls, processes, files } = needs;
  const { changes } = needs.objects;
  return {
    syscall: (pid, number, args) => syscalls.call(number, pid, args),
    open: async (pid, name, flags) => {
      await changes.checkAll();
      return files.open(pid, name, flags);
    },
    unlink: async (pid, name) => files.unlink(pid, name),
    memfdCreate: (pid, name, flags) => files.memfdCreate(pid, name, flags),
    fstat: async (pid, fd) => {
      await changes.checkAll();
      return files.fstat(pid, fd);
    },
    createPager: (pid, name, sizeBytes) => needs.pagers.create(pid, name, sizeBytes),
    spawn: (pid, request) => needs.spawn(pid, request),
    wait: (pid, child) => processes.table.wait(pid, child),
    interruptWaits: (pid) => processes.interruptWaits(pid),
    kill: (pid, target, signal) => processes.kill(pid, target, signal),
    print: (pid, line) => needs.print(pid, line),
    exited: (pid, status: WireStatus) => processes.exited(pid, status),
    goesOn: (pid) => needs.goesOn(pid),
    attending: () => needs.attending(),
    panicked: (message) => needs.panicked(message),
  };
}
