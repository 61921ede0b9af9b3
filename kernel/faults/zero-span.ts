/**
 * A span of untouched private memory that is populated for reading: one entry of level 1 for 1024
 * pages of the zero page. Without it, reading 256 GiB ahead would fill 65536 tables.
 *
 * Guarantees: the span reads as zero, as its untouched entry would have; its first write makes it
 * a table (fault.ts), as any operation on a part of it does.
 * Locking: the page lock of the span's first page. It covers the entry that decides about the whole
 * span, because there is no table below it; faults that run in parallel meet at the exchange.
 */
import { add, compareExchange, load } from '../../shared/atomics.ts';
import * as SPACE from '../../shared/layout/space.ts';
import { SPAN_PAGES } from '../../shared/limits.ts';
import * as pte from '../../shared/pte.ts';
import type { Pte, SpaceBlock, Vpn } from '../../shared/units.ts';
import { STAT, count } from '../machine/cpu.ts';
import type { Cpu } from '../machine/cpu.ts';
import type { Cursor } from '../machine/cursor.ts';
import { assertInKernel, assertNoLockHeld } from '../machine/held-locks.ts';
import { pushDown, seek } from '../paging/table.ts';

/**
 * Enters the zero page for the span that begins at page `startVpn`, or finds it there. False where
 * page after page must be looked at: a part of the span has been touched, is guarded or not private
 * and anonymous, cannot be read, or a table is needed and memory is exhausted.
 */
export function enterZeroSpan(cpu: Cpu, space: SpaceBlock, startVpn: Vpn): boolean {
  assertInKernel(cpu);
  assertNoLockHeld(cpu);
  const { protocol } = cpu.machine;
  const cursor = cpu.faultCursor;
  protocol.lockPage(cpu, cursor, space, startVpn);
  const isEntered = enterSpan(cpu, cursor, startVpn);
  protocol.unlockPage(cpu, cursor);
  return isEntered;
}

function enterSpan(cpu: Cpu, cursor: Cursor, startVpn: Vpn): boolean {
  const { words } = cpu;
  let at = seek(cpu, cursor, startVpn);
  while (cursor.level > 1) {
    // ORDER: under the page's lock; a parallel fault may have made it a table, which is not lazy.
    if (!isReadableLazy(load(words, at))) return false;
    if (!pushDown(cpu, cursor, at, cursor.level)) return false;
    at = seek(cpu, cursor, startVpn);
  }
  // ORDER: as above.
  const entry: Pte = load(words, at);
  if (cursor.level !== 1) return false;
  if (pte.isZeroPage(entry) && (entry & pte.PTE_R) !== 0) return true;
  if (!isReadableLazy(entry)) return false;
  // Not accessed: no TLB has it, so that it can go again without a flush.
  const leaf = pte.makeLeaf(0, pte.copyOnWriteBits(entry & pte.PTE_RWX) | pte.PTE_S);
  // ORDER: the zero page never changes. If another fault came first, its table stays.
  if (compareExchange(words, at, entry, leaf) !== entry) return false;
  count(cpu, STAT.faultsMinor, SPAN_PAGES);
  // ORDER: a counter.
  add(words, cursor.space + SPACE.FAULTS_MINOR, SPAN_PAGES);
  return true;
}

function isReadableLazy(entry: Pte): boolean {
  if (!pte.isReserved(entry) || (entry & pte.PTE_R) === 0) return false;
  return pte.reservedKind(entry) === pte.RESERVED_LAZY;
}
