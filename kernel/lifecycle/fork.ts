/**
 * The memory half of fork(2): a copy of an address space whose private pages are shared until one
 * side writes.
 *
 *   forkSpace      for each area: a reserved copy in the child, then its pages
 *   copyPages      one leaf table of the parent after the other
 *   sharePage      a present page: one more reference; of a private page both entries lose W and
 *                  get COW
 *   copyPinned     after the flush: copies of the private pages that are pinned, whose holders go
 *                  on with the parent's frames (Linux: copy_present_page)
 *
 * Guarantees: the child's memory reads as the parent's at one moment between the parent's writes.
 * What the child's own faults will find again is not copied: entries of areas that never had a page
 * or guard of their own. DONTFORK areas are left out, WIPEONFORK areas are empty, locks are not
 * inherited, and areas do not merge, as on Linux.
 * Locking: the parent's areas and its whole table, then the child's, which nobody else can reach.
 * The parent's TLBs are flushed before its table is unlocked, so that none of its threads writes
 * a shared frame.
 * Not guaranteed: memory for the child's tables. Then the caller frees the child; parent entries
 * that are COW by then, and the sole holders of their frames again, become writable at the next
 * write, without a copy.
 */
import { compareExchange, copyWords, load, peek, poke } from '../../shared/atomics.ts';
import { ENOMEM } from '../../shared/abi/errno.ts';
import * as FRAME from '../../shared/layout/frame.ts';
import { TABLE_ENTRIES, USER_PAGES, USER_SPACE_END } from '../../shared/limits.ts';
import * as pte from '../../shared/pte.ts';
import { vpnOf } from '../../shared/units.ts';
import type { Pfn, Pte, SpaceBlock, Vpn, WordIndex } from '../../shared/units.ts';
import { ANON_GUARDS } from '../../shared/layout/area.ts';
import * as SPACE from '../../shared/layout/space.ts';
import { AREA_DONTFORK, AREA_LOCK_FLAGS, AREA_WIPEONFORK } from '../machine/area-flags.ts';
import { MemoryArea } from '../areas/memory-area.ts';
import type { Cpu } from '../machine/cpu.ts';
import { assertNoLockHeld } from '../machine/held-locks.ts';
import { allocFrame, getFrame } from '../frames/frames.ts';
import { isPinned } from '../frames/pin-count.ts';
import { Cursor, nextAt } from '../machine/cursor.ts';
import { frameWord } from '../machine/machine.ts';
import { flushRange } from '../paging/flush.ts';
import { noteFlush } from '../paging/range-log.ts';
import { openRange } from '../space/open-range.ts';
import { guardRange, leafSlot } from '../paging/map-range.ts';
import { closeRange } from '../paging/range-op.ts';
import type { RangeOp } from '../paging/range-op.ts';
import { seek } from '../paging/table.ts';
import { getSlot } from '../objects/swap-map.ts';
import { inheritedIdentity, settleAnon } from '../space/anon-identity.ts';
import type { Area, AreaSet } from '../space/shared-area-store.ts';
import { mappingErrno } from '../syscalls/mmap.ts';
import { areasOf, inheritHeap, unmergingAreasOf } from '../space/space.ts';
import { backendOf } from '../backends/registry.ts';

/**
 * Copies the space `parent` into the empty space `child`. 0 or a negative errno, with a part
 * copied: -ENOMEM, or what a module answers that arranges its pages itself (backends/arranged.ts).
 */
export function forkSpace(cpu: Cpu, parent: SpaceBlock, child: SpaceBlock): number {
  assertNoLockHeld(cpu);
  const { protocol } = cpu.machine;
  protocol.lockAreas(cpu, parent);
  protocol.lockAreas(cpu, child);
  const from = openRange(cpu, parent, 0, USER_PAGES);
  // Again, under the range's lock: a page entered since would be missing in the child, and not what
  // was written after it.
  settleAnon(cpu, parent, 0, USER_PAGES);
  const to = openRange(cpu, child, 0, USER_PAGES, new Cursor());
  to.copiedFrom = parent;
  inheritHeap(cpu, parent, child);
  const pinned: PinnedPage[] = [];
  let outcome = copyAreas(from, to, pinned);
  if (outcome === 0 && !copyPinned(from, to, pinned)) outcome = -ENOMEM;
  closeRange(to);
  closeRange(from);
  protocol.unlockAreas(cpu, child);
  protocol.unlockAreas(cpu, parent);
  return outcome;
}

/** A page of the parent that the child gets a copy of. */
interface PinnedPage {
  /** The parent's frame. */
  readonly pfn: Pfn;
  /** The child's entry, empty until then. */
  readonly slot: WordIndex;
  /** What the child's entry allows. */
  readonly bits: number;
}

/**
 * Copies pinned pages for the child. Only now: no thread of the parent writes any page that the
 * child shares, so that the copies belong to the same moment. The parent's entries are COW, and it
 * is the sole user of its frames: its next write takes them over in place. What the holders of the
 * pins store meanwhile, the copies may have in part.
 */
function copyPinned(from: RangeOp, to: RangeOp, pinned: readonly PinnedPage[]): boolean {
  const { cpu } = from;
  const { machine } = cpu;
  if (pinned.length === 0) return true;
  if (from.flushEndVpn !== from.flushStartVpn) flushRange(from);
  for (const { pfn, slot, bits } of pinned) {
    const copy = allocFrame(cpu, FRAME.USED);
    if (copy === 0) return false;
    copyWords(cpu.words, frameWord(machine, copy), frameWord(machine, pfn), TABLE_ENTRIES);
    poke(cpu.words, slot, pte.makeLeaf(copy, bits));
    to.resident++;
  }
  return true;
}

function copyAreas(from: RangeOp, to: RangeOp, pinned: PinnedPage[]): number {
  const { cpu } = from;
  const parents = areasOf(cpu, from.space);
  const children = unmergingAreasOf(cpu, to.space);
  let area = parents.nextArea(0);
  while (area !== null) {
    const isLeftOut = (area.flags & AREA_DONTFORK) !== 0;
    const outcome = isLeftOut ? 0 : copyArea(from, to, children, area, pinned);
    if (outcome !== 0) return outcome;
    area = area.end < USER_SPACE_END ? parents.nextArea(area.end) : null;
  }
  return 0;
}

function copyArea(
  from: RangeOp,
  to: RangeOp,
  children: AreaSet,
  area: Area,
  pinned: PinnedPage[],
): number {
  const { cpu, space } = to;
  const { start, end, size, flags, backend } = area;
  const isWiped = (flags & AREA_WIPEONFORK) !== 0;
  const hasPages = backend.anon !== 0 && !isWiped;
  const identity = hasPages && backend.hasIdentity ? inheritedIdentity(cpu, space) : 0;
  const anon = identity | (backend.anon & ANON_GUARDS);
  const inherited = flags & ~AREA_LOCK_FLAGS;
  // Areas that only a lock or an identity kept apart stay two.
  if (inherited !== flags || isWiped) poke(cpu.words, space + SPACE.UNMERGED, 1);
  const behind = backendOf(cpu.machine, backend.record, anon, backend.delta);
  const copy = new MemoryArea(start, size, inherited, behind);
  const mapped = children.map(copy, to, false);
  if (!mapped.ok) return mappingErrno(mapped.error);
  return !hasPages || copyPages(from, to, vpnOf(start), vpnOf(end), pinned) ? 0 : -ENOMEM;
}

/** Copies the pages and guards of [startVpn, endVpn). False when there is no table to be had. */
function copyPages(
  from: RangeOp,
  to: RangeOp,
  startVpn: Vpn,
  endVpn: Vpn,
  pinned: PinnedPage[],
): boolean {
  const { cpu } = from;
  let vpn = startVpn;
  while (vpn < endVpn) {
    const at = seek(cpu, from.cursor, vpn);
    const stopVpn = Math.min(endVpn, nextAt(vpn, Math.max(1, from.cursor.level)));
    if (from.cursor.level === 0) {
      if (!copyTable(from, to, at, vpn, stopVpn, pinned)) return false;
    } else {
      // A whole span: untouched, as the child has it already, or guarded.
      const entry: Pte = peek(cpu.words, at);
      if (pte.isGuard(entry) && !guardRange(to, vpn, stopVpn, entry)) return false;
    }
    vpn = stopVpn;
  }
  return true;
}

/**
 * Copies the entries of [vpn, endVpn), which lie in one leaf table, the first of them at `at`.
 *
 * Copies all entries at once and then changes those that must differ in the child: loading the
 * parent's entries one by one would take a third of a fork's time. Entries of untouched pages are
 * the same in both.
 */
function copyTable(
  from: RangeOp,
  to: RangeOp,
  at: WordIndex,
  vpn: Vpn,
  endVpn: Vpn,
  pinned: PinnedPage[],
): boolean {
  const { words } = from.cpu;
  let page = vpn;
  let source = at;
  // ORDER: under the range's lock only A and D bits change here.
  while (page < endVpn && !isCopied(load(words, source))) {
    page++;
    source++;
  }
  if (page === endVpn) return true;
  let slot = leafSlot(to, page);
  if (slot === 0) return false;
  copyWords(words, slot, source, endVpn - page);
  for (; page < endVpn; page++, source++, slot++) {
    const entry: Pte = peek(words, slot);
    if (pte.isPresent(entry)) {
      poke(words, slot, sharePage(from, to, source, page, entry, slot, pinned));
    } else if (pte.isSwapped(entry)) {
      getSlot(from.cpu, pte.reservedSlot(entry));
    }
  }
  return true;
}

/** Whether the entry is more than what mapping the area has put into the child. */
function isCopied(entry: Pte): boolean {
  if (pte.isPresent(entry)) return true;
  const kind = pte.reservedKind(entry);
  return pte.isReserved(entry) && kind !== pte.RESERVED_LAZY && kind !== pte.RESERVED_OBJECT;
}

/**
 * Makes a present page the child's too; the child's entry, not accessed, or empty for a page that
 * is copied later.
 */
function sharePage(
  from: RangeOp,
  to: RangeOp,
  at: WordIndex,
  vpn: Vpn,
  seen: Pte,
  slot: WordIndex,
  pinned: PinnedPage[],
): Pte {
  const { cpu } = from;
  const pfn = pte.pfnOf(seen);
  const isShared = (seen & pte.PTE_SHARED) !== 0;
  const isCopied = pfn !== 0 && !isShared && isPinned(cpu.machine, pfn);
  if (pfn !== 0 && !isCopied) {
    getFrame(cpu, pfn);
    to.resident++;
  }
  // Of a shared page both may write; who wrote it so far was the parent.
  if (isShared) return seen & ~(pte.PTE_A | pte.PTE_D);
  let entry = seen;
  while ((entry & pte.PTE_W) !== 0) {
    const shared = (entry & ~pte.PTE_W) | pte.PTE_COW;
    // ORDER: a read-modify-write, because the MMU may set A or D at this moment.
    const now = compareExchange(cpu.words, at, entry, shared);
    if (now === entry) {
      if ((entry & pte.PTE_A) !== 0) {
        from.restricted = true;
        noteFlush(from, vpn, 1);
      }
      entry = shared;
    } else {
      entry = now;
    }
  }
  if (!isCopied) return entry & ~pte.PTE_A;
  pinned.push({ pfn, slot, bits: pte.logicalRwx(seen) | pte.PTE_D });
  return 0;
}
