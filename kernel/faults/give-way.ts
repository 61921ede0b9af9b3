/**
 * Work on a user's range that is too long for one stay in the kernel.
 *
 *     a batch is done → -WAIT_PAGE, wanting ITS_TURN → leaves the kernel → called again
 *
 * Between two batches the CPU answers shootdowns and sees a signal that ends the process; on the
 * kernel worker, other processes' calls and the host's are served (Linux: cond_resched and
 * fatal_signal_pending). No lock is held then, so another CPU may change the range meanwhile: only
 * work gives way that Linux does not do in one step either.
 */
import { USER_BATCH } from '../../shared/limits.ts';
import type { Vpn } from '../../shared/units.ts';
import type { Cpu } from '../machine/cpu.ts';
import { WAIT_PAGE } from '../machine/wait-codes.ts';

/** Stands for the object's block when a syscall waits for nothing but its turn. */
export const ITS_TURN = -2;

/** The beginning of a stay in the kernel: so much may be done in it. */
export function beginBatch(cpu: Cpu): void {
  cpu.batchLeft = USER_BATCH;
}

/** Leaves a syscall with the rest of its range, from page `vpn` on, still to do. */
export function giveWay(cpu: Cpu, vpn: Vpn): number {
  cpu.faultObject = ITS_TURN;
  cpu.faultPage = 0;
  cpu.stoppedAtVpn = vpn;
  return -WAIT_PAGE;
}
