/**
 * Taking pages out of an address space, as reclaim does: from then on the entry of a private page
 * names a swap slot, that of an object's page its mapping record, as before the first touch.
 *
 * Guarantees: the page's contents stay reachable at every moment. When `evictPages` returns no CPU
 * uses the old translations, so that what the frames hold then is what must be written.
 * Locking: the areas' lock and the range's, as every operation on a range.
 * Not guaranteed: that a page asked for goes. It may have changed since it was chosen, its area may
 * be locked or the page pinned, or swap may be full.
 */
import { compareExchange, exchange, load, peek } from '../../shared/atomics.ts';
import * as RECORD from '../../shared/layout/record.ts';
import * as pte from '../../shared/pte.ts';
import { addressOf } from '../../shared/units.ts';
import type { ObjectBlock, Pte, SpaceBlock, SwapSlot, Vpn, WordIndex } from '../../shared/units.ts';
import { AREA_LOCKED } from '../machine/area-flags.ts';
import type { Area } from '../space/shared-area-store.ts';
import type { Cpu } from '../machine/cpu.ts';
import { assertNoLockHeld } from '../machine/held-locks.ts';
import { frameRefs } from '../frames/frames.ts';
import { isPinned } from '../frames/pin-count.ts';
import { kindOf } from '../objects/kinds.ts';
import { pageFrame } from '../objects/pages.ts';
import { ANONYMOUS, recordAt } from '../objects/record.ts';
import { openRange } from '../space/open-range.ts';
import { LOG_CLEAR, logChange, noteFlush } from '../paging/range-log.ts';
import { closeRange } from '../paging/range-op.ts';
import type { RangeOp } from '../paging/range-op.ts';
import { seek } from '../paging/table.ts';
import { areasOf } from '../space/space.ts';
import { swapOutFrame } from '../objects/swap-map.ts';

/** What evictPages did. */
export interface Evicted {
  /** Pages that are no longer in the space. */
  readonly pages: number;
  /** Slots that they went to, some of which need no writing (beginSwapWrite tells which). */
  readonly slots: readonly SwapSlot[];
}

/** Takes the pages `vpns`, ascending, out of a space. Kernel mode, no lock held. */
export function evictPages(cpu: Cpu, space: SpaceBlock, vpns: readonly Vpn[]): Evicted {
  assertNoLockHeld(cpu);
  const firstVpn = vpns[0];
  const lastVpn = vpns[vpns.length - 1];
  if (firstVpn === undefined || lastVpn === undefined) return { pages: 0, slots: [] };
  const { protocol } = cpu.machine;
  protocol.lockAreas(cpu, space);
  const op = openRange(cpu, space, firstVpn, lastVpn + 1);
  // Even under the lazy policy: a write after this must not be possible.
  op.restricted = true;
  const areas = areasOf(cpu, space);
  const slots: SwapSlot[] = [];
  let pages = 0;
  let area: Area | null = null;
  for (const vpn of vpns) {
    if (area === null || addressOf(vpn) >= area.end) area = areas.find(addressOf(vpn));
    if (area === null || (area.flags & AREA_LOCKED) !== 0) continue;
    const slot = evictPage(op, area, vpn);
    if (slot === NOT_EVICTED) continue;
    if (slot !== 0) slots.push(slot);
    pages++;
  }
  closeRange(op);
  protocol.unlockAreas(cpu, space);
  return { pages, slots };
}

const NOT_EVICTED = -1;

/** The slot that the page went to, 0 for an object's page, or NOT_EVICTED. */
function evictPage(op: RangeOp, area: Area, vpn: Vpn): SwapSlot {
  const { cpu, cursor } = op;
  const at = seek(cpu, cursor, vpn);
  // ORDER: under the range's lock only A and D can change.
  const entry: Pte = load(cpu.words, at);
  if (cursor.level > 0 || !pte.isPresent(entry) || pte.isZeroPage(entry)) return NOT_EVICTED;
  if (isPinned(cpu.machine, pte.pfnOf(entry))) return NOT_EVICTED;
  const rwx = pte.logicalRwx(entry);
  if (isObjectPage(cpu, area, vpn, entry)) {
    const shared = (entry & pte.PTE_SHARED) !== 0;
    const { record } = area.backend;
    replace(op, at, vpn, pte.makeReserved(pte.RESERVED_OBJECT, record, rwx, shared));
    return 0;
  }
  // Linear regions and other shared frames do not go to swap.
  if ((entry & pte.PTE_SHARED) !== 0) return NOT_EVICTED;
  if ((entry & pte.PTE_D) === 0 && dropFreed(op, area, at, vpn, entry)) return 0;
  const slot = swapOutFrame(cpu, pte.pfnOf(entry));
  if (slot === 0) return NOT_EVICTED;
  replace(op, at, vpn, pte.makeReserved(pte.RESERVED_SWAP, slot, rwx, false));
  return slot;
}

/**
 * Drops a private page that was not written since MADV_FREE. False when it has been by now, or
 * when another space or a swap slot has it too.
 */
function dropFreed(op: RangeOp, area: Area, at: WordIndex, vpn: Vpn, entry: Pte): boolean {
  const { cpu } = op;
  if (area.backend.record !== ANONYMOUS || frameRefs(cpu.machine, pte.pfnOf(entry)) > 1)
    return false;
  // ORDER: a write sets D first, by compare-exchange on the same entry.
  const reserved = area.backend.reserved(area.flags);
  if (compareExchange(cpu.words, at, entry, reserved) !== entry) return false;
  logChange(op, LOG_CLEAR, at, entry, 0);
  if ((entry & pte.PTE_A) !== 0) noteFlush(op, vpn, 1);
  return true;
}

/** Whether the object of the area's mapping can supply the page again. */
function isObjectPage(cpu: Cpu, area: Area, vpn: Vpn, entry: Pte): boolean {
  const { record } = area.backend;
  if (record === ANONYMOUS) return false;
  const at = recordAt(cpu.machine, record);
  const object: ObjectBlock = peek(cpu.words, at + RECORD.OBJECT);
  const { isContiguous, isArranged } = kindOf(cpu.machine, object);
  if (isContiguous || isArranged) return false;
  const page = vpn + peek(cpu.words, at + RECORD.DELTA);
  return pageFrame(cpu, object, page) === pte.pfnOf(entry);
}

function replace(op: RangeOp, at: WordIndex, vpn: Vpn, entry: Pte): void {
  // ORDER: one exchange takes the entry with the A and D bits it has at that moment.
  const old = exchange(op.cpu.words, at, entry);
  logChange(op, LOG_CLEAR, at, old, 0);
  if ((old & pte.PTE_A) !== 0) noteFlush(op, vpn, 1);
}

/**
 * Clears the accessed bit of the pages `vpns`, ascending, of a space, and flushes: the next access
 * sets it again. This is how second-chance reclaim tells which pages are in use.
 */
export function agePages(cpu: Cpu, space: SpaceBlock, vpns: readonly Vpn[]): void {
  assertNoLockHeld(cpu);
  const firstVpn = vpns[0];
  const lastVpn = vpns[vpns.length - 1];
  if (firstVpn === undefined || lastVpn === undefined) return;
  const { protocol } = cpu.machine;
  protocol.lockAreas(cpu, space);
  const op = openRange(cpu, space, firstVpn, lastVpn + 1);
  // An entry without A is in no TLB: that must hold again when the range is unlocked.
  op.restricted = true;
  for (const vpn of vpns) {
    const at = seek(cpu, op.cursor, vpn);
    // ORDER: a read-modify-write, because the MMU may set D at this moment.
    let entry: Pte = load(cpu.words, at);
    while (op.cursor.level === 0 && pte.isPresent(entry) && (entry & pte.PTE_A) !== 0) {
      const now = compareExchange(cpu.words, at, entry, entry & ~pte.PTE_A);
      if (now === entry) noteFlush(op, vpn, 1);
      entry = now === entry ? 0 : now;
    }
  }
  closeRange(op);
  protocol.unlockAreas(cpu, space);
}
