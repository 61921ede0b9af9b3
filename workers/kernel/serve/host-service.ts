/** What the kernel worker offers to the host. */
import { ESRCH } from '../../../shared/abi/errno.ts';
import type { WireProcFile } from '../../../shared/wire.ts';
import type { AuditReport, MachineReport } from '../../api/machine-api.ts';
import { SyscallError } from '../../wire/errors.ts';
import type { PauseGate } from '../../wire/pause.ts';
import type { ObjectRegistry } from '../files/object-registry.ts';
import type { Pool } from '../processes/pool.ts';
import type { ProcessManager } from '../processes/process-manager.ts';
import type { Spawn } from '../processes/spawn.ts';
import { HOST_PID } from '../processes/process-table.ts';
import type { KernelApi } from '../../boot/worker-host.ts';

export interface HostServiceNeeds {
  /** Resolves when boot is complete. */
  readonly ready: () => Promise<void>;
  readonly processes: ProcessManager;
  readonly spawn: Spawn;
  readonly objects: ObjectRegistry;
  readonly pool: Pool;
  readonly procFile: (pid: number, name: WireProcFile) => string | number;
  readonly pagemap: (pid: number, first: number, pages: number) => BigUint64Array | number;
  readonly stats: () => MachineReport;
  readonly dmesg: () => string[];
  readonly audit: () => Promise<AuditReport>;
  readonly hold: (gate: PauseGate) => void;
}

export function hostService(needs: HostServiceNeeds): KernelApi {
  const { processes, objects, pool } = needs;
  return {
    ready: () => needs.ready(),
    spawn: (request) => needs.spawn(HOST_PID, request),
    status: async (pid) => {
      const status = await processes.table.status(pid);
      if (typeof status === 'number') throw new SyscallError('wait', ESRCH);
      // What it wrote to host files must be there before its end is reported.
      await objects.writeBack.syncAll(false);
      return status;
    },
    kill: (pid, signal) => processes.kill(HOST_PID, pid, signal),
    addFile: (name, file) => objects.addFile(name, file),
    procFile: (pid, name) => needs.procFile(pid, name),
    pagemap: (pid, first, pages) => needs.pagemap(pid, first, pages),
    stats: () => needs.stats(),
    dmesg: () => needs.dmesg(),
    audit: () => needs.audit(),
    hold: (gate) => needs.hold(gate),
    cpuDied: (cpu, generation, reason) => pool.died(cpu, generation, reason),
    shutdown: async () => {
      await pool.shutdown();
      await objects.closeAll();
    },
  };
}
