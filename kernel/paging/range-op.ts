/**
 * One operation on a range of a page table: what the backends of an area set write through.
 *
 * Guarantees
 * - Undo: every change is logged; `rollback` restores the entries, whatever the operation did.
 * - Free after flush: frames behind cleared entries are remembered and given back by `finishRange`
 *   only after the shootdown. Nothing else may free them. The same goes for mapping records and
 *   the count of writers: what an object no longer has, no CPU uses through a TLB.
 * Locking: the protocol's range lock from `openRange` (space/open-range.ts) to `closeRange`, the
 * areas' lock around it.
 * Not guaranteed: that memory suffices. Splitting a span or making a table can fail; the backend
 * then reports ENOMEM and the caller rolls back.
 */
import { load } from '../../shared/atomics.ts';
import { TABLE_ENTRIES } from '../../shared/limits.ts';
import { assert, panic } from '../../shared/panic.ts';
import * as pte from '../../shared/pte.ts';
import type { Pfn, Pte, SpaceBlock, Vpn, WordIndex } from '../../shared/units.ts';
import type { Cpu } from '../machine/cpu.ts';
import { assertAreasHeld } from '../machine/held-locks.ts';
import { nextAt, pagesAt } from '../machine/cursor.ts';
import type { Cursor } from '../machine/cursor.ts';
import { flushRange } from './flush.ts';
import { putFrame } from '../frames/frames.ts';
import { markDirty } from '../objects/pages.ts';
import type { PageTableLike } from '../areas/mapping-backend.ts';
import { LOG_CLEAR, LOG_FILL, LOG_PRESENT, LOG_PROTECT, noteFlush } from './range-log.ts';
import { addResident } from '../frames/memory-group.ts';
import { putRecord } from '../objects/record.ts';
import { countWriter } from '../objects/seals.ts';
import { putSlot } from '../objects/swap-map.ts';
import { retireTable, seek, unlinkTable } from './table.ts';
import { restoreEntry, restorePermissions, undoFill, undoPresent } from './undo.ts';

/** The bits of an entry for an object's page that may have to be written back to the host. */
const WRITTEN: number = pte.PTE_SHARED | pte.PTE_D;

/** An operation on a range of a page table, from openRange to closeRange: the `pt` of MemorySet. */
export class RangeOp implements PageTableLike {
  /** The CPU that carries it out. */
  readonly cpu: Cpu;
  /** Where it is in the page table, and what is locked there. */
  readonly cursor: Cursor;
  /** Block of the address space. */
  readonly space: SpaceBlock;
  /**
   * The undo log, as columns: kind and entry's word, then for a fill {0, entries}, for a cleared or
   * protected entry {value before, level}, for a new present entry {VPN, level}.
   */
  readonly kinds: number[] = [];
  /** The log: words of entries. */
  readonly slots: WordIndex[] = [];
  /** The log: what was there. */
  readonly olds: (Pte | Vpn)[] = [];
  /** The log: entries, or the level. */
  readonly counts: number[] = [];
  /** Frames of entries that were rolled back after they had been present. */
  readonly dropped: Pfn[] = [];
  /** Tables unlinked by `pruneTables`, to retire after the shootdown. */
  readonly unlinked: Pfn[] = [];
  /** VPNs that some TLB may hold: flushed when not empty. */
  flushStartVpn: Vpn = 0;
  /** The end of those VPNs. */
  flushEndVpn: Vpn = 0;
  /** The same one by one, {VPN, pages} each, under the policy `sync`. */
  readonly flushes: number[] = [];
  /** A present entry lost a permission and stays: the flush must be waited for. */
  restricted = false;
  /** Change of the space's resident pages. */
  resident = 0;
  /** The whole space goes: no backend can refuse any more. */
  teardown = false;
  /** The space whose areas are copied into this one, by fork or for a child that inherits; or 0. */
  copiedFrom: SpaceBlock = 0;
  /** Only area flags that do not concern access change: no page-table entry does. */
  flagsOnly = false;

  constructor(cpu: Cpu, space: SpaceBlock, cursor: Cursor) {
    this.cpu = cpu;
    this.cursor = cursor;
    this.space = space;
  }

  checkpoint(): number {
    return this.kinds.length;
  }

  rollback(checkpoint: number): boolean {
    // A mark that was never reached would lengthen the log.
    if (!(checkpoint >= 0 && checkpoint <= this.kinds.length)) return false;
    for (let i = this.kinds.length - 1; i >= checkpoint; i--) undoEntry(this, i);
    this.kinds.length = checkpoint;
    this.slots.length = checkpoint;
    this.olds.length = checkpoint;
    this.counts.length = checkpoint;
    return true;
  }
}

/** Flushes, frees, unlocks: the end of every operation, even of one that was rolled back. */
export function closeRange(op: RangeOp): void {
  assertAreasHeld(op.cpu, op.space);
  finishRange(op);
  op.cpu.machine.protocol.unlockRange(op.cpu, op.cursor);
}

/** Flushes, and only then frees frames and tables, unless the policy keeps them for later. */
function finishRange(op: RangeOp): void {
  const { cpu, space } = op;
  const flushed = op.flushEndVpn === op.flushStartVpn || flushRange(op);
  // Last first: free frames are a stack, and pages touched in order get frames in order again,
  // which makes bulk accesses faster.
  for (let i = op.kinds.length - 1; i >= 0; i--) {
    if (op.kinds[i] === LOG_CLEAR) releaseEntry(op, op.olds[i] as number, flushed);
    if (op.kinds[i] === LOG_PRESENT) op.resident += pagesAt(op.counts[i] as number);
  }
  for (const pfn of op.dropped) putFrame(cpu, pfn);
  for (const record of cpu.droppedWriters) countWriter(cpu, record, -1);
  for (const record of cpu.droppedRecords) putRecord(cpu, record);
  cpu.droppedWriters.length = 0;
  cpu.droppedRecords.length = 0;
  for (const table of op.unlinked) retireTable(cpu, space, table);
  if (op.resident !== 0) addResident(cpu, space, op.resident);
}

/** Drops the references that a cleared entry held. A superpage holds one on each of its frames. */
function releaseEntry(op: RangeOp, entry: Pte, flushed: boolean): void {
  if (pte.isSwapped(entry)) putSlot(op.cpu, pte.reservedSlot(entry));
  if (!pte.isPresent(entry) || pte.isZeroPage(entry)) return;
  const pages = (entry & pte.PTE_S) !== 0 ? TABLE_ENTRIES : 1;
  if ((entry & WRITTEN) === WRITTEN) markDirty(op.cpu, pte.pfnOf(entry));
  for (let i = 0; i < pages && flushed; i++) putFrame(op.cpu, pte.pfnOf(entry) + i);
  op.resident -= pages;
}

/**
 * Unlinks the tables that lie wholly in [startVpn, endVpn), which holds no mapping any more. Both
 * the table and its parent are under the cursor's locks. Leaf tables first, then their parents.
 */
export function pruneTables(op: RangeOp, startVpn: Vpn, endVpn: Vpn): void {
  assert(startVpn < endVpn, 'pruneTables: range', startVpn);
  const { cpu, cursor } = op;
  for (let level = 1; level <= cursor.topLevel; level++) {
    const pages = pagesAt(level);
    let vpn = (startVpn & (pages - 1)) === 0 ? startVpn : nextAt(startVpn, level);
    while (vpn + pages <= endVpn) {
      const at = seek(cpu, cursor, vpn, level);
      if (cursor.level === level) unlinkEmpty(op, at, vpn, pages);
      vpn = nextAt(vpn, cursor.level);
    }
  }
}

function unlinkEmpty(op: RangeOp, at: WordIndex, vpn: Vpn, pages: number): void {
  const { cpu, cursor } = op;
  // ORDER: under the parent's lock; a table entry changes only under it.
  const entry: Pte = load(cpu.words, at);
  if (!pte.isTable(entry)) return;
  const table = pte.pfnOf(entry);
  cpu.machine.protocol.markStray(cpu, cursor, table);
  unlinkTable(cpu, at);
  op.unlinked.push(table);
  // A walk of the MMU may be in the table now: the shootdown waits for it.
  noteFlush(op, vpn, pages);
}

function undoEntry(op: RangeOp, i: number): void {
  const at = op.slots[i] as number;
  const old = op.olds[i] as number;
  switch (op.kinds[i]) {
    case LOG_FILL:
      return undoFill(op, at, op.counts[i] as number);
    case LOG_CLEAR:
      return restoreEntry(op, at, old, op.counts[i] as number);
    case LOG_PROTECT:
      return restorePermissions(op, at, old);
    case LOG_PRESENT:
      return undoPresent(op, at, old, op.counts[i] as number);
    default:
      return panic('rollback: kind', op.kinds[i]);
  }
}
