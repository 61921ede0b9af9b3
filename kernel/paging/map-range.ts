/**
 * Adding, removing and restricting entries over a range of VPNs, at the highest level that fits.
 * The bodies of the backends' map, unmap and protect. Under an open RangeOp; see there.
 *
 * Each returns false when memory for a table is exhausted, with a prefix done: roll back.
 */
import { compareExchange, exchange, fillWords, load, peek, poke } from '../../shared/atomics.ts';
import { TABLE_ENTRIES } from '../../shared/limits.ts';
import { panic } from '../../shared/panic.ts';
import * as pte from '../../shared/pte.ts';
import { nextAt, pagesAt } from './cursor.ts';
import { noteFlush } from './flush.ts';
import { frameRefs, getFrame } from '../frames/frames.ts';
import { LOG_CLEAR, LOG_FILL, LOG_PRESENT, LOG_PROTECT } from './range-log.ts';
import { logChange } from './range-op.ts';
import type { RangeOp } from './range-op.ts';
import { pushDown, seek } from './table.ts';

/** Fills [start, end), which is empty, with one reserved entry. */
export function reserveRange(op: RangeOp, start: number, end: number, entry: number): boolean {
  const { cpu, cursor } = op;
  let vpn = start;
  while (vpn < end) {
    const at = seek(cpu, cursor, vpn);
    const { level } = cursor;
    const pages = pagesAt(level);
    if (peek(cpu.words, at) !== 0) panic('mapRange: remap', vpn, peek(cpu.words, at));
    if ((vpn & (pages - 1)) !== 0 || vpn + pages > end) {
      if (!pushDown(cpu, cursor, at, level)) return false;
      continue;
    }
    const run = emptyRun(op, at, vpn, Math.floor((end - vpn) / pages), level);
    fillWords(cpu.words, at, at + run, entry);
    logChange(op, LOG_FILL, at, 0, run);
    vpn += run * pages;
  }
  return true;
}

/** Length of the run of empty slots from `at`, at most `most`, within one table. */
function emptyRun(op: RangeOp, at: number, vpn: number, most: number, level: number): number {
  const index = Math.floor(vpn / pagesAt(level)) & (TABLE_ENTRIES - 1);
  const limit = Math.min(most, TABLE_ENTRIES - index);
  let run = 1;
  while (run < limit && peek(op.cpu.words, at + run) === 0) run++;
  return run;
}

/**
 * Makes [start, end), which is empty, present at once: page start + i gets frame pfn + i. Uses
 * superpages where both sides are aligned. An entry takes a reference on each of its frames.
 */
export function presentRange(
  op: RangeOp,
  start: number,
  end: number,
  pfn: number,
  bits: number,
): boolean {
  const { cpu, cursor } = op;
  let vpn = start;
  while (vpn < end) {
    const at = seek(cpu, cursor, vpn);
    const { level } = cursor;
    const frame = pfn + (vpn - start);
    if (peek(cpu.words, at) !== 0) panic('mapRange: remap', vpn, peek(cpu.words, at));
    const superpage = level === 1 && (vpn & 1023) === 0 && (frame & 1023) === 0;
    if (level > 0 && !(superpage && vpn + TABLE_ENTRIES <= end)) {
      if (!pushDown(cpu, cursor, at, level)) return false;
      continue;
    }
    for (let i = 0; i < pagesAt(level); i++) getFrame(cpu, frame + i);
    poke(cpu.words, at, pte.makeLeaf(frame, level > 0 ? bits | pte.PTE_S : bits));
    logChange(op, LOG_PRESENT, at, vpn, level);
    vpn += pagesAt(level);
  }
  return true;
}

/** Clears [start, end), whatever is there. Frames follow after the flush. */
export function clearRange(op: RangeOp, start: number, end: number): boolean {
  const { cpu, cursor } = op;
  let vpn = start;
  while (vpn < end) {
    let at = seek(cpu, cursor, vpn);
    const { level } = cursor;
    const pages = pagesAt(level);
    if (level === 0) {
      const stop = Math.min(end, nextAt(vpn, 1));
      for (; vpn < stop; vpn++, at++) clearEntry(op, at, vpn, 0);
      continue;
    }
    if (peek(cpu.words, at) === 0) {
      vpn = nextAt(vpn, level);
    } else if ((vpn & (pages - 1)) !== 0 || vpn + pages > end) {
      if (!pushDown(cpu, cursor, at, level)) return false;
    } else {
      clearEntry(op, at, vpn, level);
      vpn += pages;
    }
  }
  return true;
}

function clearEntry(op: RangeOp, at: number, vpn: number, level: number): void {
  const { words } = op.cpu;
  if (peek(words, at) === 0) return;
  // ORDER: one exchange takes the entry with the A and D bits it has at that moment.
  const old = exchange(words, at, 0);
  logChange(op, LOG_CLEAR, at, old, level);
  // Without A no MMU has it: A is set before a TLB is filled, and only on the entry as it was.
  if (pte.isPresent(old) && (old & pte.PTE_A) !== 0) noteFlush(op, vpn, pagesAt(level));
}

/** Gives [start, end) the permission `rwx` (PTE_R, PTE_W, PTE_X). Empty entries stay empty. */
export function protectRange(op: RangeOp, start: number, end: number, rwx: number): boolean {
  const { cpu, cursor } = op;
  let vpn = start;
  while (vpn < end) {
    let at = seek(cpu, cursor, vpn);
    const { level } = cursor;
    const pages = pagesAt(level);
    if (level === 0) {
      const stop = Math.min(end, nextAt(vpn, 1));
      for (; vpn < stop; vpn++, at++) protectEntry(op, at, vpn, 0, rwx);
      continue;
    }
    if (peek(cpu.words, at) === 0) {
      vpn = nextAt(vpn, level);
    } else if ((vpn & (pages - 1)) !== 0 || vpn + pages > end) {
      if (!pushDown(cpu, cursor, at, level)) return false;
    } else {
      protectEntry(op, at, vpn, level, rwx);
      vpn += pages;
    }
  }
  return true;
}

function protectEntry(op: RangeOp, at: number, vpn: number, level: number, rwx: number): void {
  const { words } = op.cpu;
  for (;;) {
    // ORDER: a read-modify-write, because the MMU may set A or D at this moment.
    const old = load(words, at);
    if (old === 0) return;
    const entry = withPermission(op, old, rwx);
    if (entry === old) return;
    if (compareExchange(words, at, old, entry) !== old) continue;
    logChange(op, LOG_PROTECT, at, old, level);
    const lost = old & ~entry & pte.PTE_RWX;
    if (pte.isPresent(old) && lost !== 0 && (old & pte.PTE_A) !== 0) {
      op.restricted = true;
      noteFlush(op, vpn, pagesAt(level));
    }
    return;
  }
}

/**
 * The entry with another permission. A private frame that others hold is never made writable, and
 * neither is the zero page, whose count is always 0.
 */
function withPermission(op: RangeOp, entry: number, rwx: number): number {
  const bare = entry & ~(pte.PTE_RWX | pte.PTE_COW);
  if (!pte.isPresent(entry)) return bare | rwx;
  const writable = (rwx & pte.PTE_W) !== 0;
  if (!writable || (entry & pte.PTE_SHARED) !== 0) return bare | rwx;
  if (frameRefs(op.cpu.machine, pte.pfnOf(entry)) === 1) return bare | rwx;
  return bare | pte.copyOnWriteBits(rwx);
}
