/**
 * What a range operation notes while it changes entries: each change, so that it can be undone, and
 * the pages whose translations some TLB may hold, so that they are flushed at its end.
 */
import type { Pte, Vpn, WordIndex } from '../../shared/units.ts';
import type { RangeOp } from './range-op.ts';

/** Kinds of changes. The columns of RangeOp say what is kept of each. */
export const LOG_FILL = 0;
export const LOG_CLEAR = 1;
export const LOG_PROTECT = 2;
export const LOG_PRESENT = 3;

/** Notes a change for rollback. */
export function logChange(
  op: RangeOp,
  kind: number,
  at: WordIndex,
  old: Pte | Vpn,
  count: number,
): void {
  op.kinds.push(kind);
  op.slots.push(at);
  op.olds.push(old);
  op.counts.push(count);
}

/** Notes that TLBs may hold translations of these pages: one interval, grown by each call. */
export function noteFlush(op: RangeOp, vpn: Vpn, pages: number): void {
  if (op.cpu.machine.flushPolicy === 'sync') op.flushes.push(vpn, pages);
  if (op.flushEndVpn === op.flushStartVpn) {
    op.flushStartVpn = vpn;
    op.flushEndVpn = vpn + pages;
    return;
  }
  if (vpn < op.flushStartVpn) op.flushStartVpn = vpn;
  if (vpn + pages > op.flushEndVpn) op.flushEndVpn = vpn + pages;
}
