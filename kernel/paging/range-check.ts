/** Looking at the entries of a range, under an open RangeOp, without changing any. */
import { load } from '../../shared/atomics.ts';
import * as pte from '../../shared/pte.ts';
import type { Pte, Vpn } from '../../shared/units.ts';
import { nextAt } from '../machine/cursor.ts';
import type { RangeOp } from './range-op.ts';
import { seek } from './table.ts';

/**
 * The first page of [startVpn, endVpn) that is empty, or allows other than `rwx` (PTE_R, PTE_W,
 * PTE_X); with `rwx` -1 the first that is not empty. -1 for none.
 */
export function firstUnlike(op: RangeOp, startVpn: Vpn, endVpn: Vpn, rwx: number): Vpn {
  const { cpu, cursor } = op;
  let vpn = startVpn;
  while (vpn < endVpn) {
    // ORDER: under the range's lock only A and D change, and the permission of a COW page.
    const entry: Pte = load(cpu.words, seek(cpu, cursor, vpn));
    const isLike = rwx < 0 ? entry === 0 : entry !== 0 && pte.logicalRwx(entry) === rwx;
    if (!isLike) return vpn;
    vpn = nextAt(vpn, cursor.level);
  }
  return -1;
}
