/**
 * Moving pages to other addresses of their space: the entries of mremap. Under an open RangeOp that
 * covers both ranges; see there.
 *
 * Guarantees: a page is at its old address or at the new one; a moved page keeps its frame, and
 * what the MMU noted in A and D. prepareMove does all that needs memory, moveRange cannot fail.
 * Locking: the range's lock. No CPU reaches the new addresses before the operation ends, and none
 * uses the old translations after it: they are flushed before the lock is dropped.
 * Not guaranteed: an undo. Moves are not in the log, since nothing that follows them may fail.
 */
import { exchange, load, store } from '../../shared/atomics.ts';
import { panic } from '../../shared/panic.ts';
import * as pte from '../../shared/pte.ts';
import type { Pte, RecordId, Vpn, WordIndex } from '../../shared/units.ts';
import { nextAt } from '../machine/cursor.ts';
import { noteFlush } from './range-log.ts';
import { leafSlot, splitSpans } from './map-range.ts';
import type { RangeOp } from './range-op.ts';
import { seek } from './table.ts';
import { assertAreasHeld } from '../machine/held-locks.ts';

/**
 * Makes the tables that the move of [fromVpn, from + pages) to `toVpn` needs, also for clearing the
 * old range afterwards. False when memory is exhausted: tables made by then mean the same as what
 * they replaced.
 */
export function prepareMove(op: RangeOp, fromVpn: Vpn, toVpn: Vpn, pages: number): boolean {
  const { cpu, cursor } = op;
  // An old length of 0 maps shared memory a second time: its pages stay.
  if (pages === 0) return true;
  if (!splitSpans(op, fromVpn, fromVpn + pages)) return false;
  let made = -1;
  for (let vpn = fromVpn; vpn < fromVpn + pages;) {
    let at = seek(cpu, cursor, vpn);
    const stopVpn = Math.min(fromVpn + pages, nextAt(vpn, Math.max(1, cursor.level)));
    // Above the lowest level there are only untouched spans, which stay behind.
    if (cursor.level > 0) vpn = stopVpn;
    for (; vpn < stopVpn; vpn++, at++) {
      const targetVpn = toVpn + (vpn - fromVpn);
      // ORDER: under the range's lock only A and D bits change here.
      if (!isMoved(load(cpu.words, at)) || nextAt(targetVpn, 1) === made) continue;
      if (leafSlot(op, targetVpn) === 0) return false;
      made = nextAt(targetVpn, 1);
    }
  }
  return true;
}

/**
 * Moves the pages of [fromVpn, from + pages), and all other entries that say more than "untouched",
 * to `toVpn`, where the new area's reserved entries stand. The old entries become `left`: 0, or
 * what the old area reserves. Guards at the new addresses name `record`.
 */
export function moveRange(
  op: RangeOp,
  fromVpn: Vpn,
  toVpn: Vpn,
  pages: number,
  left: Pte,
  record: RecordId,
): void {
  assertAreasHeld(op.cpu, op.space);
  const { cpu, cursor } = op;
  for (let vpn = fromVpn; vpn < fromVpn + pages;) {
    let at = seek(cpu, cursor, vpn);
    const stopVpn = Math.min(fromVpn + pages, nextAt(vpn, Math.max(1, cursor.level)));
    if (cursor.level > 0) vpn = stopVpn;
    for (; vpn < stopVpn; vpn++, at++) {
      // ORDER: as above; the exchange takes the entry with the A and D bits of its moment.
      if (isMoved(load(cpu.words, at)))
        moveEntry(op, at, vpn, toVpn + (vpn - fromVpn), left, record);
    }
  }
}

function moveEntry(
  op: RangeOp,
  at: WordIndex,
  vpn: Vpn,
  targetVpn: Vpn,
  left: Pte,
  record: RecordId,
): void {
  const { cpu, cursor } = op;
  // ORDER: see moveRange.
  const entry: Pte = exchange(cpu.words, at, left);
  const slot = seek(cpu, cursor, targetVpn);
  if (cursor.level !== 0) panic('moveRange: no table', targetVpn, cursor.level);
  // ORDER: nobody walks here before the range is unlocked; the frame is as it was.
  store(cpu.words, slot, pte.isGuard(entry) ? pte.withRecord(entry, record) : entry);
  if (!pte.isPresent(entry) || (entry & pte.PTE_A) === 0) return;
  op.restricted = true;
  noteFlush(op, vpn, 1);
}

/** Whether the entry says more than that its area is there. */
function isMoved(entry: Pte): boolean {
  return pte.isPresent(entry) || pte.isGuard(entry) || pte.isSwapped(entry);
}
