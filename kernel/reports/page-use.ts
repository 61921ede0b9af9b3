/**
 * The state of an area's pages at this moment: resident, shared, dirty, swapped. The counts are
 * those of Linux's smaps_account; sizes are in bytes.
 *
 * Locking: none. A walk in kernel mode may meet entries that are changing, and frames whose counts
 * are: a report is not a snapshot of a single moment.
 */
import { load, peek } from '../../shared/atomics.ts';
import * as FRAME from '../../shared/layout/frame.ts';
import * as SWAP from '../../shared/layout/swap.ts';
import { PAGE_SIZE } from '../../shared/limits.ts';
import * as pte from '../../shared/pte.ts';
import type { Pte, SpaceBlock, Vpn } from '../../shared/units.ts';
import type { Cpu } from '../machine/cpu.ts';
import { openAtRoot } from '../paging/covering.ts';
import { frameField } from '../machine/machine.ts';
import type { Machine } from '../machine/machine.ts';
import type { ObjectKind } from '../objects/kinds.ts';
import { mapCount } from '../objects/map-count.ts';
import { isPageCache } from '../objects/pages.ts';
import { Cursor, nextAt } from '../machine/cursor.ts';
import { seek } from '../paging/table.ts';
import { slotAt } from '../objects/swap-map.ts';

/** Sums over pages, in bytes. Shares of a page are summed in 1/4096 of a byte, as in Linux. */
export class PageUse {
  rss = 0;
  /** Resident pages by what they are; `rss` is their sum. */
  anonymous = 0;
  file = 0;
  shmem = 0;
  pss = 0;
  pssDirty = 0;
  sharedClean = 0;
  sharedDirty = 0;
  privateClean = 0;
  privateDirty = 0;
  referenced = 0;
  swap = 0;
  swapPss = 0;
  /** Anonymous pages that were not written since MADV_FREE. */
  lazyFree = 0;
}

const SHARE = 2 ** 12;

/** Adds the pages [startVpn, endVpn) (VPNs) of one area, which maps an object of `kind`. */
export function addPageUse(
  cpu: Cpu,
  space: SpaceBlock,
  startVpn: Vpn,
  endVpn: Vpn,
  kind: ObjectKind,
  use: PageUse,
): void {
  const cursor = new Cursor();
  openAtRoot(cpu, cursor, space, startVpn, endVpn);
  for (let vpn = startVpn; vpn < endVpn;) {
    // ORDER: acquires the tables passed; they are not freed while this CPU is in the kernel.
    const entry: Pte = load(cpu.words, seek(cpu, cursor, vpn));
    const nextVpn = Math.min(endVpn, nextAt(vpn, cursor.level));
    if (pte.isSwapped(entry)) addSwapped(cpu, use, entry);
    else if (isCounted(cpu.machine, entry)) addResident(cpu.machine, use, entry, kind);
    vpn = nextVpn;
  }
}

/** Whether Linux would have a struct page for it: neither the zero page nor a driver's. */
export function isCounted(machine: Machine, entry: Pte): boolean {
  if (!pte.isPresent(entry) || pte.isZeroPage(entry)) return false;
  return (entry & pte.PTE_SHARED) === 0 || isPageCache(machine, pte.pfnOf(entry));
}

function addResident(machine: Machine, use: PageUse, entry: Pte, kind: ObjectKind): void {
  const pfn = pte.pfnOf(entry);
  const stateAt = frameField(machine, pfn, FRAME.STATE);
  // ORDER: a momentary value for a report.
  const noted = (load(machine.words, stateAt) & FRAME.DIRTY) !== 0;
  const dirty = noted || (entry & pte.PTE_D) !== 0;
  const mapped = mapCount(machine, pfn);
  const share = Math.floor((PAGE_SIZE * SHARE) / mapped);
  use.rss += PAGE_SIZE;
  if (!isPageCache(machine, pfn)) {
    use.anonymous += PAGE_SIZE;
    if (!dirty) use.lazyFree += PAGE_SIZE;
  } else use[kind.countsAs] += PAGE_SIZE;
  use.pss += share;
  if (dirty) use.pssDirty += share;
  if ((entry & pte.PTE_A) !== 0) use.referenced += PAGE_SIZE;
  if (mapped > 1 && dirty) use.sharedDirty += PAGE_SIZE;
  else if (mapped > 1) use.sharedClean += PAGE_SIZE;
  else if (dirty) use.privateDirty += PAGE_SIZE;
  else use.privateClean += PAGE_SIZE;
}

function addSwapped(cpu: Cpu, use: PageUse, entry: Pte): void {
  const slot = pte.reservedSlot(entry);
  const refs = Math.max(1, peek(cpu.words, slotAt(cpu.machine, slot) + SWAP.REFS));
  use.swap += PAGE_SIZE;
  use.swapPss += Math.floor((PAGE_SIZE * SHARE) / refs);
}

/** Whole KiB of a sum of shares. */
export function shareKib(sum: number): number {
  return Math.floor(sum / (SHARE * 1024));
}
