/** Kernel work for a process that may have to wait for a page or a frame. */
import { ITS_TURN, WAIT_PAGE, wantsMemory } from '../../../kernel/index.ts';
import type { Cpu } from '../../../kernel/index.ts';
import { FAULT_RETRIES_MAX } from '../../../shared/limits.ts';
import { inKernel } from '../in-kernel.ts';
import { FRAME_REQUEST, takePageRequest } from '../memory/page-request.ts';
import type { PageRequest } from '../memory/page-request.ts';

/** Gets what kernel code waits for on a process's behalf. 0 or -errno. */
export type Fulfil = (pid: number, request: PageRequest) => Promise<number>;

/** Does `work` in the kernel; what it waits for, if it must be done again, else its result. */
export function tryOnce(cpu: Cpu, work: () => number): number | PageRequest {
  return inKernel(cpu, () => {
    const result = work();
    if (result === -WAIT_PAGE) return takePageRequest(cpu);
    return wantsMemory(cpu, result) ? FRAME_REQUEST : result;
  });
}

/** Does `work` again and again until it waits for nothing, or what it waits for cannot be had. */
export async function untilDone(
  cpu: Cpu,
  pid: number,
  fulfil: Fulfil,
  work: () => number,
): Promise<number> {
  for (let attempt = 0; ; attempt++) {
    const outcome = tryOnce(cpu, work);
    if (typeof outcome === 'number') return outcome;
    if (outcome.object === ITS_TURN) attempt = -1;
    const supplied = attempt < FAULT_RETRIES_MAX ? await fulfil(pid, outcome) : -1;
    if (supplied < 0) return supplied;
  }
}
