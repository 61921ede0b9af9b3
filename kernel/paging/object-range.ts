/**
 * What happens to the entries of an object's mapping when the object changes: its pages are
 * truncated, punched out or written back. Under an open RangeOp; see there.
 *
 * Only entries of the lowest level can be present here: spans stand for untouched pages, and the
 * objects that map superpages neither shrink nor are written back.
 */
import { compareExchange, exchange, load } from '../../shared/atomics.ts';
import * as pte from '../../shared/pte.ts';
import type { Pte, Vpn, WordIndex } from '../../shared/units.ts';
import { isPageCache, markDirty } from '../objects/pages.ts';
import { nextAt } from '../machine/cursor.ts';
import { LOG_CLEAR, logChange, noteFlush } from './range-log.ts';
import type { RangeOp } from './range-op.ts';
import { seek } from './table.ts';
import { assertAreasHeld } from '../machine/held-locks.ts';

/** Every page goes, even a private mapping's own copies: the object was truncated. */
export const ZAP_ALL = 0;
/** The object's pages go, private copies stay: a hole was punched. */
export const ZAP_OBJECT = 1;
/** The object's pages stay; D is noted on their frames, which will be written back. */
export const CLEAN = 2;

/**
 * Does `action` to the pages [startVpn, endVpn), which are mapped. `reserved` is the entry that
 * stands for an untouched page of the mapping. Cannot fail.
 */
export function changeObjectRange(
  op: RangeOp,
  startVpn: Vpn,
  endVpn: Vpn,
  reserved: Pte,
  action: number,
): void {
  assertAreasHeld(op.cpu, op.space);
  const { cursor } = op;
  // The object has changed when this returns: the flush must be waited for.
  op.restricted = true;
  let vpn = startVpn;
  while (vpn < endVpn) {
    let at = seek(op.cpu, cursor, vpn);
    const stopVpn = Math.min(endVpn, nextAt(vpn, Math.max(1, cursor.level)));
    if (cursor.level > 0) vpn = stopVpn;
    for (; vpn < stopVpn; vpn++, at++) {
      if (action === CLEAN) cleanEntry(op, at, vpn);
      else zapEntry(op, at, vpn, reserved, action);
    }
  }
}

function zapEntry(op: RangeOp, at: WordIndex, vpn: Vpn, reserved: Pte, action: number): void {
  const { cpu } = op;
  // ORDER: under the range's lock only A and D bits change here.
  const seen = load(cpu.words, at);
  if (pte.isPresent(seen)) {
    const isObjects = (seen & pte.PTE_SHARED) !== 0 || isPageCache(cpu.machine, pte.pfnOf(seen));
    if (action === ZAP_OBJECT && !isObjects) return;
  } else if (action === ZAP_OBJECT || !pte.isSwapped(seen)) {
    return;
  }
  // ORDER: one exchange takes the entry with the A and D bits it has at that moment.
  const old = exchange(cpu.words, at, reserved);
  logChange(op, LOG_CLEAR, at, old, 0);
  if (pte.isPresent(old) && (old & pte.PTE_A) !== 0) noteFlush(op, vpn, 1);
}

/** After the flush, the next write sets D again: what is written later is not lost. */
function cleanEntry(op: RangeOp, at: WordIndex, vpn: Vpn): void {
  const { cpu } = op;
  for (;;) {
    // ORDER: a read-modify-write, because the MMU may set A or D at this moment.
    const entry: Pte = load(cpu.words, at);
    if (!pte.isPresent(entry) || (entry & pte.PTE_SHARED) === 0) return;
    if ((entry & pte.PTE_D) === 0) return;
    if (compareExchange(cpu.words, at, entry, entry & ~pte.PTE_D) !== entry) continue;
    markDirty(cpu, pte.pfnOf(entry));
    noteFlush(op, vpn, 1);
    return;
  }
}
