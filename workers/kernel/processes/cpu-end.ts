/** The end of a CPU's Worker: what is done before it is terminated, and when it is gone. */
import { condemnCpu, reapCpu } from '../../../kernel/index.ts';
import type { Cpu } from '../../../kernel/index.ts';
import * as CPU from '../../../shared/layout/cpu.ts';
import { modeOf } from '../cpu-mode.ts';
import { inKernel } from '../in-kernel.ts';

/** Pause between two attempts to condemn a CPU that is in the kernel. */
const CONDEMN_RETRY_MS = 1;

/** Makes CPU `id` unable to enter the kernel, so that its Worker holds no lock when it is ended. */
export async function condemn(cpu: Cpu, id: number): Promise<void> {
  while (!condemnCpu(cpu, id)) {
    await new Promise((resolve) => setTimeout(resolve, CONDEMN_RETRY_MS));
  }
}

export interface CleanUpNeeds {
  readonly cpu: Cpu;
  readonly traps: { removeCpu(id: number): void };
  readonly audits: { attending(id: number): void };
  readonly processes: { cpuDied(id: number, reason: string, isOurs: boolean): void };
  readonly panicked: (message: string) => void;
}

/** After the Worker of CPU `id` is gone: ends its processes, takes back its frames. */
export function cleanUpCpu(needs: CleanUpNeeds, id: number, reason: string, isOurs: boolean): void {
  const { cpu, traps, audits, processes, panicked } = needs;
  traps.removeCpu(id);
  audits.attending(id);
  if (!condemnCpu(cpu, id)) {
    panicked(`CPU ${id} died in the kernel: ${reason}`);
    return;
  }
  processes.cpuDied(id, reason, isOurs);
  // From a CPU that never came up there is nothing to take back.
  if (modeOf(cpu, id) !== CPU.MODE_OFFLINE) inKernel(cpu, () => reapCpu(cpu, id));
}
