/**
 * Page tables: 3 levels of 1024 entries, each table in one frame. Level 2 is the root, level 0
 * holds the leaves; a leaf at level 1 is a superpage of 4 MiB.
 *
 * Locking: to change an entry, hold what the protocol's cursor locked. To follow tables without a
 * lock, be in kernel mode (tables are freed after a grace period) or be the MMU (a shootdown waits
 * for it). A live entry changes by atomic read-modify-write only: the MMU may set A and D at any
 * time.
 */
import { add, compareExchange, fillWords, load, peek, poke, store } from '../../shared/atomics.ts';
import * as BOOT from '../../shared/layout/boot.ts';
import * as FRAME from '../../shared/layout/frame.ts';
import * as SPACE from '../../shared/layout/space.ts';
import { SPAN_PAGES, TABLE_ENTRIES } from '../../shared/limits.ts';
import { assert } from '../../shared/panic.ts';
import * as pte from '../../shared/pte.ts';
import type { Pfn, Pte, SpaceBlock, Vpn, WordIndex } from '../../shared/units.ts';
import type { Cpu } from '../machine/cpu.ts';
import { ROOT_LEVEL, indexAt } from '../machine/cursor.ts';
import type { Cursor } from '../machine/cursor.ts';
import { retireFrame } from '../frames/grace.ts';
import { allocFrame, freeFrame } from '../frames/frames.ts';
import { INJECT_TABLE, injected } from '../machine/inject.ts';
import { frameField, frameWord, zeroFrame } from '../machine/machine.ts';
import type { Machine } from '../machine/machine.ts';

/** A new empty table for a space; 0 when memory is exhausted. */
export function allocTable(cpu: Cpu, space: SpaceBlock, level: number): Pfn {
  if (injected(cpu, INJECT_TABLE)) return 0;
  const pfn = allocFrame(cpu, FRAME.TABLE | (level << FRAME.LEVEL_SHIFT));
  if (pfn === 0) return 0;
  zeroFrame(cpu.machine, pfn);
  // ORDER: counters; nothing is concluded from them while others run.
  add(cpu.words, space + SPACE.TABLES, 1);
  const tables = add(cpu.words, BOOT.TABLE_FRAMES, 1) + 1;
  // A racing CPU's update may be lost, which leaves the peak slightly too low.
  if (tables > peek(cpu.words, BOOT.TABLE_FRAMES_PEAK)) {
    poke(cpu.words, BOOT.TABLE_FRAMES_PEAK, tables);
  }
  return pfn;
}

/** Retires an unlinked table, after the shootdown. */
export function retireTable(cpu: Cpu, space: SpaceBlock, pfn: Pfn): void {
  // ORDER: counters, as above.
  add(cpu.words, space + SPACE.TABLES, -1);
  add(cpu.words, BOOT.TABLE_FRAMES, -1);
  retireFrame(cpu, pfn);
}

/** Frees a table that was never published, or that nobody else can reach any more. */
export function freeTable(cpu: Cpu, space: SpaceBlock, pfn: Pfn): void {
  // ORDER: counters, as above.
  add(cpu.words, space + SPACE.TABLES, -1);
  add(cpu.words, BOOT.TABLE_FRAMES, -1);
  freeFrame(cpu, pfn);
}

export function tableLevel(machine: Machine, pfn: Pfn): number {
  return (peek(machine.words, frameField(machine, pfn, FRAME.STATE)) >> FRAME.LEVEL_SHIFT) & 3;
}

/** Index of the entry for `vpn` in the table `pfn` at `level`. */
export function entryAt(machine: Machine, pfn: Pfn, level: number, vpn: Vpn): WordIndex {
  return frameWord(machine, pfn) + indexAt(vpn, level);
}

/**
 * The deepest existing entry for `vpn` at `lowest` or above, from the cursor's top. Sets
 * `cursor.level`.
 */
export function seek(cpu: Cpu, cursor: Cursor, vpn: Vpn, lowest = 0): WordIndex {
  const isLocked = vpn >= cursor.startVpn && vpn < cursor.endVpn;
  assert(isLocked || !cpu.machine.checked, 'seek: outside the locked range', vpn);
  let table = cursor.top;
  let level = cursor.topLevel;
  for (;;) {
    const at = entryAt(cpu.machine, table, level, vpn);
    if (level === lowest) {
      cursor.level = level;
      return at;
    }
    // ORDER: acquires the child table's contents, published by the exchange in pushDown.
    const entry: Pte = load(cpu.words, at);
    if (!pte.isTable(entry)) {
      cursor.level = level;
      return at;
    }
    table = pte.pfnOf(entry);
    level--;
  }
}

/**
 * The entry that decides about `vpn`, found without a lock: a hint, unless the caller holds one.
 * Kernel mode only.
 */
export function peekEntry(cpu: Cpu, space: SpaceBlock, vpn: Vpn): Pte {
  let table: Pfn = peek(cpu.words, space + SPACE.ROOT);
  for (let level = ROOT_LEVEL; ; level--) {
    // ORDER: acquires the child table's contents.
    const entry: Pte = load(cpu.words, entryAt(cpu.machine, table, level, vpn));
    if (level === 0 || !pte.isTable(entry)) return entry;
    table = pte.pfnOf(entry);
  }
}

/**
 * Replaces the non-table entry at `at` (level `level`) by a new table that means the same: empty,
 * or full of what the span was. The protocol puts the new table under the cursor's locks before any
 * CPU can reach it. False when memory is exhausted.
 */
export function pushDown(cpu: Cpu, cursor: Cursor, at: WordIndex, level: number): boolean {
  const { machine, words } = cpu;
  assert(level > 0 && level <= ROOT_LEVEL, 'pushDown: level', level);
  const child = allocTable(cpu, cursor.space, level - 1);
  if (child === 0) return false;
  for (;;) {
    // ORDER: acquires the entry; only the holder of the cursor's lock changes a non-table entry
    // here, except for the A and D bits of a superpage, which the exchange below would notice.
    const entry: Pte = load(words, at);
    if (pte.isTable(entry)) {
      // Another fault was first, under a protocol that lets faults on one span run in parallel.
      freeTable(cpu, cursor.space, child);
      return true;
    }
    fillChild(machine, child, level - 1, entry);
    machine.protocol.adoptTable(cpu, cursor, child);
    // ORDER: publishes the filled child.
    if (compareExchange(words, at, entry, pte.makeTable(child)) === entry) return true;
    machine.protocol.dropTable(cpu, cursor, child);
  }
}

/** Fills a new child table with what its span was. Private until it is published. */
export function fillChild(machine: Machine, child: Pfn, level: number, entry: Pte): void {
  const { words } = machine;
  const first = frameWord(machine, child);
  if (!pte.isPresent(entry)) {
    fillWords(words, first, first + TABLE_ENTRIES, entry);
    return;
  }
  assert(level === 0, 'pushDown: superpage above level 1', entry);
  const bits = pte.leafBits(entry) & ~pte.PTE_S;
  for (let i = 0; i < SPAN_PAGES; i++) {
    poke(words, first + i, pte.makeLeaf(pte.frameOfPage(entry, i), bits));
  }
}

/** Unlinks the table under the entry `at`. The caller marked it stray and retires it. */
export function unlinkTable(cpu: Cpu, at: WordIndex): void {
  // ORDER: unreachable before the shootdown and the grace period start.
  store(cpu.words, at, 0);
}
