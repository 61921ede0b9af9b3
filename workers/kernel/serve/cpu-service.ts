/** What the kernel worker offers to each CPU worker: the syscalls that programs await. */
import type { KernelCpuApi, WireStatus } from '../../../shared/wire.ts';
import type { FileService } from '../files/file-service.ts';
import type { ObjectRegistry } from '../files/object-registry.ts';
import type { RunStaged, StagedCalls } from './staged-calls.ts';
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
  readonly staged: StagedCalls;
  readonly print: (pid: number, line: string) => void;
  readonly attending: () => void;
  readonly goesOn: (pid: number) => void;
  readonly panicked: (message: string) => void;
}

type OpenNeeds = Pick<CpuServiceNeeds, 'objects' | 'files'>;

/** open(2), after a look at what others have done to the host's files. */
async function openFresh(
  { objects, files }: OpenNeeds,
  pid: number,
  name: string,
  flags: number,
): Promise<number> {
  await objects.changes.checkAll();
  return files.open(pid, name, flags);
}

type StagedNeeds = OpenNeeds & Pick<CpuServiceNeeds, 'processes' | 'spawn'>;

/** Carries out what a process has staged. */
export function runStaged(needs: StagedNeeds): RunStaged {
  const { processes, spawn, files } = needs;
  return (pid, staged) => {
    switch (staged.call) {
      case 'exec':
        return processes.exec(pid, staged.name);
      case 'open':
        return openFresh(needs, pid, staged.name, staged.flags);
      case 'unlink':
        return files.unlink(pid, staged.name);
      case 'memfdCreate':
        return files.memfdCreate(pid, staged.name, staged.flags);
      case 'spawn':
        return spawn(pid, { ...staged.request, isAsleep: true });
    }
  };
}

export function cpuService(needs: CpuServiceNeeds): KernelCpuApi {
  const { syscalls, processes, files } = needs;
  const { changes } = needs.objects;
  return {
    syscall: (pid, number, args) => syscalls.call(number, pid, args),
    stage: (pid, call) => needs.staged.stage(pid, call),
    open: (pid, name, flags) => openFresh(needs, pid, name, flags),
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
    exited: (pid, status: WireStatus, endsGroup) => {
      needs.staged.forget(pid);
      processes.exited(pid, status, endsGroup);
    },
    goesOn: (pid) => needs.goesOn(pid),
    attending: () => needs.attending(),
    panicked: (message) => needs.panicked(message),
  };
}
