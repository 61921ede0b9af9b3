/** What a range operation must flush: one interval of VPNs, grown as changes are made. */
import type { RangeOp } from './range-op.ts';

/** Notes that TLBs may hold translations of these pages. */
export function noteFlush(op: RangeOp, vpn: number, pages: number): void {
  if (op.cpu.machine.flushPolicy === 'sync') op.flushes.push(vpn, pages);
  if (op.flushEnd === op.flushStart) {
    op.flushStart = vpn;
    op.flushEnd = vpn + pages;
    return;
  }
  if (vpn < op.flushStart) op.flushStart = vpn;
  if (vpn + pages > op.flushEnd) op.flushEnd = vpn + pages;
}
