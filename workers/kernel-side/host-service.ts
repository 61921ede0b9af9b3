/** What the kernel worker offers to the host. */
import { ESRCH } from '../../shared/errno.ts';
import type { AuditReport, MachineReport } from '../api.ts';
import { SyscallError } from '../wire/errors.ts';
import type { ObjectRegistry } from './object-registry.ts';
import type { Pool } from './pool.ts';
import type { ProcessManager } from './process-manager.ts';
import { HOST_PID } from './process-table.ts';
import type { KernelApi } from '../host/worker-host.ts';

export interface HostServiceOptions {
  /** Resolves when boot is complete. */
  readonly ready: () => Promise<void>;
  readonly processes: ProcessManager;
  readonly objects: ObjectRegistry;
  readonly pool: Pool;
  readonly maps: (pid: number) => string | number;
  readonly smaps: (pid: number) => string | number;
  readonly stats: () => MachineReport;
  readonly dmesg: () => string[];
  readonly audit: () => Promise<AuditReport>;
}

export function hostService(options: HostServiceOptions): KernelApi {
  const { processes, objects, pool } = options;
  return {
    ready: () => options.ready(),
    spawn: (request) => processes.spawn(HOST_PID, request),
    status: async (pid) => {
      const status = await processes.table.status(pid);
      if (typeof status === 'number') throw new SyscallError('wait', ESRCH);
      return status;
    },
    kill: (pid, signal) => processes.kill(pid, signal),
    addFile: (name, file) => objects.addFile(name, file),
    maps: (pid) => options.maps(pid),
    smaps: (pid) => options.smaps(pid),
    stats: () => options.stats(),
    dmesg: () => options.dmesg(),
    audit: () => options.audit(),
    cpuDied: (cpu, generation, reason) => pool.died(cpu, generation, reason),
    shutdown: async () => {
      await pool.shutdown();
      await objects.closeAll();
    },
  };
}
