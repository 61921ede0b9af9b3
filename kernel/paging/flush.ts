/**
 * When translations that an operation took away are flushed: the policy is a part of the machine.
 *
 *   sync      one shootdown for each changed entry, as a kernel without batching. This is what
 *             batching is measured against.
 *   batched   the default: one shootdown for the operation. A CPU that is told of more than
 *             TLB_FLUSH_ALL_PAGES pages flushes everything, as in asterinas and Linux.
 *   lazy      no waiting: CPUs sweep later, frames are held until all have (flush-lazy.ts)
 *
 * Guarantees: under every policy no frame is used again while a TLB leads to it. Only `lazy` lets
 * an outdated translation be used for a while after munmap returned, as its paper does.
 */
import { panic } from '../../shared/panic.ts';
import { postponeFlush } from './flush-lazy.ts';
import type { RangeOp } from './range-op.ts';
import { shootDown } from './shootdown.ts';

/**
 * Flushes what the operation noted. True: every CPU has flushed, frames and tables may be released.
 * False: the policy has taken them over.
 */
export function flushRange(op: RangeOp): boolean {
  switch (op.cpu.machine.flushPolicy) {
    case 'sync':
      return flushEach(op);
    case 'batched':
      return flushTogether(op);
    case 'lazy':
      return !postponeFlush(op) && flushTogether(op);
    default:
      return panic('flushRange: policy', op.cpu.machine.flushPolicy);
  }
}

function flushEach(op: RangeOp): boolean {
  for (let i = 0; i < op.flushes.length; i += 2) {
    shootDown(op.cpu, op.space, op.flushes[i] as number, op.flushes[i + 1] as number);
  }
  return true;
}

function flushTogether(op: RangeOp): boolean {
  shootDown(op.cpu, op.space, op.flushStartVpn, op.flushEndVpn - op.flushStartVpn);
  return true;
}
