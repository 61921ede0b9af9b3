/**
 * Flush policy `sync`: each changed entry is shot down on its own, one after the other.
 *
 * Guarantees: as the shootdown's. This is what batching is measured against.
 */
import type { RangeOp } from './range-op.ts';
import { shootDown } from './shootdown.ts';

export function flushSync(op: RangeOp): boolean {
  for (let i = 0; i < op.flushes.length; i += 2) {
    shootDown(op.cpu, op.space, op.flushes[i] as number, op.flushes[i + 1] as number);
  }
  return true;
}
