/**
 * When translations that an operation took away are flushed: the policy is a part of the machine.
 *
 *   sync      one shootdown for each entry, as a kernel without batching (flush-sync.ts)
 *   batched   one shootdown for the operation, everything past a threshold (flush-batched.ts)
 *   lazy      no waiting: CPUs sweep later, frames are held until all have (flush-lazy.ts)
 *
 * Under every policy no frame is used again while a TLB leads to it. Only `lazy` lets an outdated
 * translation be used for a while after munmap returned, as its paper does.
 */
import { panic } from '../../shared/panic.ts';
import { flushBatched } from './flush-batched.ts';
import { flushLazy } from './flush-lazy.ts';
import { flushSync } from './flush-sync.ts';
import type { RangeOp } from './range-op.ts';

/**
 * Flushes what the operation noted. True: every CPU has, frames and tables may be released. False:
 * the policy has taken them over.
 */
export function flushRange(op: RangeOp): boolean {
  switch (op.cpu.machine.flushPolicy) {
    case 'sync':
      return flushSync(op);
    case 'batched':
      return flushBatched(op);
    case 'lazy':
      return flushLazy(op);
    default:
      return panic('flushRange: policy', op.cpu.machine.flushPolicy);
  }
}
