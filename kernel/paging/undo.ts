/**
 * How a range operation takes its changes back, newest first, under the locks that it still holds.
 *
 * Tables made and spans split meanwhile stay: they mean the same as what they replaced.
 */
import { compareExchange, exchange, fillWords, load, peek, store } from '../../shared/atomics.ts';
import { TABLE_ENTRIES } from '../../shared/limits.ts';
import { panic } from '../../shared/panic.ts';
import * as pte from '../../shared/pte.ts';
import type { Pfn, Pte, Vpn, WordIndex } from '../../shared/units.ts';
import { pagesAt } from '../machine/cursor.ts';
import { frameWord } from '../machine/machine.ts';
import { noteFlush } from './range-log.ts';
import type { RangeOp } from './range-op.ts';
import { fillChild } from './table.ts';

const PERMISSIONS: number = pte.PTE_RWX | pte.PTE_COW;

/** Entries that were empty and were reserved become empty again. */
export function undoFill(op: RangeOp, at: WordIndex, entries: number): void {
  fillWords(op.cpu.words, at, at + entries, 0);
}

/** A cleared entry comes back. If a table took its place meanwhile, the table is filled with it. */
export function restoreEntry(op: RangeOp, at: WordIndex, old: Pte, level: number): void {
  const { words } = op.cpu;
  // ORDER: under the range's lock only this operation changes the slot's kind.
  const now = load(words, at);
  if (now === 0) {
    // ORDER: publishes the entry again; its frame was never given back.
    store(words, at, old);
    return;
  }
  if (level === 0 || !pte.isTable(now)) panic('restoreEntry: slot taken', at, now, old);
  refill(op, pte.pfnOf(now), level - 1, old);
}

function refill(op: RangeOp, table: Pfn, level: number, old: Pte): void {
  const { machine, words } = op.cpu;
  if (level === 0) {
    fillChild(machine, table, 0, old);
    return;
  }
  const first = frameWord(machine, table);
  for (let i = 0; i < TABLE_ENTRIES; i++) {
    // Every slot is empty or an empty table here: what was filled in has been undone before.
    restoreEntry(op, first + i, old, level);
    if (peek(words, first + i) === 0) panic('refill: slot lost', table, i);
  }
}

/** Permissions go back; A and D stay as the MMU set them meanwhile. */
export function restorePermissions(op: RangeOp, at: WordIndex, old: Pte): void {
  const { words } = op.cpu;
  for (;;) {
    // ORDER: a read-modify-write, because the MMU may set A or D at this moment.
    const now = load(words, at);
    const back = (now & ~PERMISSIONS) | (old & PERMISSIONS);
    if (compareExchange(words, at, now, back) !== now) continue;
    // The operation had granted more, and an MMU may have used it. The log does not say which page.
    if (pte.isPresent(now) && (now & ~back & pte.PTE_RWX) !== 0) {
      noteFlush(op, op.cursor.startVpn, op.cursor.endVpn - op.cursor.startVpn);
    }
    return;
  }
}

/** An entry made present is removed; its frame is released after the flush. */
export function undoPresent(op: RangeOp, at: WordIndex, vpn: Vpn, level: number): void {
  // ORDER: out of reach before the shootdown that precedes the frame's release.
  const now = exchange(op.cpu.words, at, 0);
  const pages = pagesAt(level);
  for (let i = 0; i < pages; i++) op.dropped.push(pte.pfnOf(now) + i);
  noteFlush(op, vpn, pages);
}
