/**
 * Flush policy `batched`, the default: one shootdown for the whole operation. A CPU that is told of
 * more than TLB_FLUSH_ALL_PAGES pages flushes everything (as asterinas and Linux do).
 *
 * Guarantees: as the shootdown's, for one round of waiting.
 */
import type { RangeOp } from './range-op.ts';
import { shootDown } from './shootdown.ts';

export function flushBatched(op: RangeOp): boolean {
  shootDown(op.cpu, op.space, op.flushStart, op.flushEnd - op.flushStart);
  return true;
}
