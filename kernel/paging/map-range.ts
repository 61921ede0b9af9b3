/**
 * Adding, removing and restricting entries over a range of VPNs, at the highest level that fits.
 * The bodies of the backends' map, unmap and protect. Under an open RangeOp; see there.
 * Each returns false when memory for a table is exhausted, with a prefix done: roll back.
 */
import { compareExchange, fillWords, load, peek, store } from '../../shared/atomics.ts';
import { SPAN_PAGES, TABLE_ENTRIES } from '../../shared/limits.ts';
import { panic } from '../../shared/panic.ts';
import * as pte from '../../shared/pte.ts';
import type { Pfn, Pte, Vpn, WordIndex } from '../../shared/units.ts';
import { nextAt, pagesAt } from '../machine/cursor.ts';
import { frameRefs, getFrame } from '../frames/frames.ts';
import {
  LOG_CLEAR,
  LOG_FILL,
  LOG_PRESENT,
  LOG_PROTECT,
  logChange,
  noteFlush,
} from './range-log.ts';
import type { RangeOp } from './range-op.ts';
import { mapCount } from '../objects/map-count.ts';
import { pushDown, seek } from './table.ts';

/** Fills [startVpn, endVpn), which is empty, with one reserved entry. */
export function reserveRange(op: RangeOp, startVpn: Vpn, endVpn: Vpn, entry: Pte): boolean {
  const { cpu, cursor } = op;
  let vpn = startVpn;
  while (vpn < endVpn) {
    const at = seek(cpu, cursor, vpn);
    const { level } = cursor;
    const pages = pagesAt(level);
    if (peek(cpu.words, at) !== 0) panic('mapRange: remap', vpn, peek(cpu.words, at));
    if ((vpn & (pages - 1)) !== 0 || vpn + pages > endVpn) {
      if (!pushDown(cpu, cursor, at, level)) return false;
      continue;
    }
    const run = emptyRun(op, at, vpn, Math.floor((endVpn - vpn) / pages), level);
    fillWords(cpu.words, at, at + run, entry);
    logChange(op, LOG_FILL, at, 0, run);
    vpn += run * pages;
  }
  return true;
}

/** Length of the run of empty slots from `at`, at most `most`, within one table. */
function emptyRun(op: RangeOp, at: WordIndex, vpn: Vpn, most: number, level: number): number {
  const index = Math.floor(vpn / pagesAt(level)) & (TABLE_ENTRIES - 1);
  const limit = Math.min(most, TABLE_ENTRIES - index);
  let run = 1;
  while (run < limit && peek(op.cpu.words, at + run) === 0) run++;
  return run;
}

/**
 * Makes [startVpn, endVpn), which is empty, present at once: page startVpn + i gets frame pfn + i.
 * Uses superpages where both sides are aligned. An entry takes a reference on each of its frames.
 */
export function presentRange(
  op: RangeOp,
  startVpn: Vpn,
  endVpn: Vpn,
  pfn: Pfn,
  bits: number,
): boolean {
  const { cpu, cursor } = op;
  let vpn = startVpn;
  while (vpn < endVpn) {
    const at = seek(cpu, cursor, vpn);
    const { level } = cursor;
    const frame = pfn + (vpn - startVpn);
    if (peek(cpu.words, at) !== 0) panic('mapRange: remap', vpn, peek(cpu.words, at));
    const superpage = level === 1 && ((vpn | frame) & (SPAN_PAGES - 1)) === 0;
    if (level > 0 && !(superpage && vpn + TABLE_ENTRIES <= endVpn)) {
      if (!pushDown(cpu, cursor, at, level)) return false;
      continue;
    }
    for (let i = 0; i < pagesAt(level); i++) getFrame(cpu, frame + i);
    // ORDER: publishes the frame's contents: an MMU that walks here meanwhile may use it at once.
    store(cpu.words, at, pte.makeLeaf(frame, level > 0 ? bits | pte.PTE_S : bits));
    logChange(op, LOG_PRESENT, at, vpn, level);
    vpn += pagesAt(level);
  }
  return true;
}

/** What a change makes of an entry. */
const CLEAR = 0;
const PROTECT = 1;
const DISCARD = 2;
const GUARD = 3;
const UNGUARD = 4;
const FREE = 5;
const COLD = 6;

/** Clears [startVpn, endVpn), whatever is there. The frames are released after the flush. */
export function clearRange(op: RangeOp, startVpn: Vpn, endVpn: Vpn): boolean {
  return changeRange(op, startVpn, endVpn, CLEAR, 0);
}

/**
 * Gives [startVpn, endVpn) the permission `rwx` (PTE_R, PTE_W, PTE_X). Empty entries stay empty. No
 * entry lies across `startVpn` or `endVpn` afterwards, whatever changed.
 */
export function protectRange(op: RangeOp, startVpn: Vpn, endVpn: Vpn, rwx: number): boolean {
  return splitSpans(op, startVpn, endVpn) && changeRange(op, startVpn, endVpn, PROTECT, rwx);
}

/**
 * No entry may lie across the boundary of an area: one that lies across `startVpn` or `endVpn`
 * becomes a table that means the same. False when memory is exhausted; tables made by then stay.
 */
export function splitSpans(op: RangeOp, startVpn: Vpn, endVpn: Vpn): boolean {
  return splitSpan(op, startVpn, startVpn) && splitSpan(op, endVpn, endVpn - 1);
}

/** The same at `vpn` alone. `neighbour` is a page of the range beside it: `vpn` or `vpn` - 1. */
export function splitSpan(op: RangeOp, vpn: Vpn, neighbour: Vpn): boolean {
  const { cpu, cursor } = op;
  for (;;) {
    const at = seek(cpu, cursor, neighbour);
    if ((vpn & (pagesAt(cursor.level) - 1)) === 0) return true;
    // ORDER: under the range's lock; but the MMU may set A or D of a superpage at this moment.
    if (load(cpu.words, at) === 0) return true;
    if (!pushDown(cpu, cursor, at, cursor.level)) return false;
  }
}

/** The page's own entry of the lowest level; 0 when memory for a table is exhausted. */
export function leafSlot(op: RangeOp, vpn: Vpn): WordIndex {
  const { cpu, cursor } = op;
  let at = seek(cpu, cursor, vpn);
  while (cursor.level > 0) {
    if (!pushDown(cpu, cursor, at, cursor.level)) return 0;
    at = seek(cpu, cursor, vpn);
  }
  return at;
}

/**
 * Removes the pages of [startVpn, endVpn), which lies in one area: the next touch finds the area's
 * reserved entry. Guards stay. Needs memory only to cut a superpage. Not undone.
 */
export function discardRange(op: RangeOp, startVpn: Vpn, endVpn: Vpn, reserved: Pte): boolean {
  return changeRange(op, startVpn, endVpn, DISCARD, reserved);
}

/**
 * Turns [startVpn, endVpn), which lies in one area, into guards. Not undone: a failure leaves a
 * prefix.
 */
export function guardRange(op: RangeOp, startVpn: Vpn, endVpn: Vpn, guard: Pte): boolean {
  return changeRange(op, startVpn, endVpn, GUARD, guard);
}

/**
 * Replaces the guards in [startVpn, endVpn), which lies in one area, by the area's reserved entry.
 * Not undone.
 */
export function unguardRange(op: RangeOp, startVpn: Vpn, endVpn: Vpn, reserved: Pte): boolean {
  return changeRange(op, startVpn, endVpn, UNGUARD, reserved);
}

/**
 * MADV_FREE of [startVpn, endVpn), which lies in one private anonymous area: its pages count as not
 * written, and may go instead of being swapped out as long as that holds; those that are in swap go
 * now. Not undone.
 */
export function freeRange(op: RangeOp, startVpn: Vpn, endVpn: Vpn, reserved: Pte): boolean {
  return changeRange(op, startVpn, endVpn, FREE, reserved);
}

/** MADV_COLD: pages that no other entry maps count as not used. Not undone. */
export function coldRange(op: RangeOp, startVpn: Vpn, endVpn: Vpn): boolean {
  return changeRange(op, startVpn, endVpn, COLD, 0);
}

function changeRange(
  op: RangeOp,
  startVpn: Vpn,
  endVpn: Vpn,
  change: number,
  value: number,
): boolean {
  const { cpu, cursor } = op;
  let vpn = startVpn;
  while (vpn < endVpn) {
    let at = seek(cpu, cursor, vpn);
    const { level } = cursor;
    const pages = pagesAt(level);
    if (level === 0) {
      const stopVpn = Math.min(endVpn, nextAt(vpn, 1));
      for (; vpn < stopVpn; vpn++, at++) changeEntry(op, at, vpn, 0, change, value);
      continue;
    }
    // ORDER: under the range's lock; but the MMU may set A of a superpage at this moment.
    const old: Pte = load(cpu.words, at);
    if (changed(op, old, change, value) === old) {
      vpn = nextAt(vpn, level);
    } else if ((vpn & (pages - 1)) !== 0 || vpn + pages > endVpn) {
      if (!pushDown(cpu, cursor, at, level)) return false;
    } else {
      changeEntry(op, at, vpn, level, change, value);
      vpn += pages;
    }
  }
  return true;
}

function changeEntry(
  op: RangeOp,
  at: WordIndex,
  vpn: Vpn,
  level: number,
  change: number,
  value: number,
): void {
  const { words } = op.cpu;
  for (;;) {
    // ORDER: a read-modify-write, because the MMU may set A or D at this moment.
    const old = load(words, at);
    const entry = changed(op, old, change, value);
    if (entry === old) return;
    if (compareExchange(words, at, old, entry) !== old) continue;
    const stays = change === PROTECT || (change >= FREE && pte.isPresent(entry));
    logChange(op, stays ? LOG_PROTECT : LOG_CLEAR, at, old, level);
    const loses = change !== PROTECT || (old & ~entry & pte.PTE_RWX) !== 0;
    // Without A it is in no TLB: A is set before a TLB is filled, and only on an unchanged entry.
    if (!loses || !pte.isPresent(old) || (old & pte.PTE_A) === 0) return;
    // What stays mapped may be used again at once: the flush must be waited for.
    if (change !== CLEAR) op.restricted = true;
    noteFlush(op, vpn, pagesAt(level));
    return;
  }
}

/** The entry as the change leaves it. */
function changed(op: RangeOp, entry: Pte, change: number, value: number): Pte {
  if (entry === 0) return 0;
  switch (change) {
    case CLEAR:
      return 0;
    case PROTECT:
      return withPermission(op, entry, value);
    case DISCARD:
      return pte.isPresent(entry) || pte.isSwapped(entry) ? value : entry;
    case GUARD:
      return value;
    case UNGUARD:
      return pte.isGuard(entry) ? value : entry;
    case FREE:
      if (pte.isSwapped(entry)) return value;
      return hasFrame(entry) ? entry & ~(pte.PTE_A | pte.PTE_D) : entry;
    case COLD:
      if (!hasFrame(entry) || mapCount(op.cpu.machine, pte.pfnOf(entry)) > 1) return entry;
      return entry & ~pte.PTE_A;
    default:
      return panic('changeRange: change', change);
  }
}

/** Present, and not the zero page. */
function hasFrame(entry: Pte): boolean {
  return pte.isPresent(entry) && !pte.isZeroPage(entry);
}

/**
 * The entry with another permission. A private frame that others hold is never made writable, and
 * neither is the zero page, whose count is always 0.
 */
function withPermission(op: RangeOp, entry: Pte, rwx: number): Pte {
  const bare = entry & ~(pte.PTE_RWX | pte.PTE_COW);
  if (!pte.isPresent(entry)) return bare | rwx;
  const writable = (rwx & pte.PTE_W) !== 0;
  if (!writable || (entry & pte.PTE_SHARED) !== 0) return bare | rwx;
  if (frameRefs(op.cpu.machine, pte.pfnOf(entry)) === 1) return bare | rwx;
  return bare | pte.copyOnWriteBits(rwx);
}
