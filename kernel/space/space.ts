/**
 * Address spaces: a root table, an area set, a TLB generation and counters in one block.
 *
 * Locking: S_REFS is atomic; the area set is the protocol's lockAreas; counters are atomic.
 */
import { add, peek, poke } from '../../shared/atomics.ts';
import * as L from '../../shared/layout/regions.ts';
import { HEAP_START, TABLE_ENTRIES, TLB_RING, USER_PAGES } from '../../shared/limits.ts';
import { panic } from '../../shared/panic.ts';
import * as pte from '../../shared/pte.ts';
import type { Cpu } from '../machine/cpu.ts';
import { ROOT_LEVEL } from '../machine/cursor.ts';
import { loadWide, storeWide } from '../frames/wide.ts';
import { frameWord } from '../machine/machine.ts';
import { MemorySet } from '../areas/memory-set.ts';
import { settleLazy } from '../paging/flush-lazy.ts';
import { closeRange } from '../paging/range-op.ts';
import { openRange } from './open-range.ts';
import { SharedAreaStore } from './shared-area-store.ts';
import type { AreaSet } from './shared-area-store.ts';
import { slabAlloc, slabFree } from '../frames/slab.ts';
import { leaveGroup } from '../frames/memory-group.ts';
import { allocTable, freeTable } from '../paging/table.ts';
import { initLimits } from './rlimits.ts';

export type { AreaSet } from './shared-area-store.ts';

/** An empty address space with one reference; 0 when memory is exhausted. */
export function createSpace(cpu: Cpu): number {
  const { words } = cpu;
  const space = slabAlloc(cpu, L.SLAB_SPACE);
  if (space === 0) return 0;
  const root = allocTable(cpu, space, ROOT_LEVEL);
  if (root === 0) {
    slabFree(cpu, L.SLAB_SPACE, space);
    return 0;
  }
  poke(words, space + L.S_ROOT, root);
  poke(words, space + L.S_REFS, 1);
  initLimits(cpu, space);
  storeWide(cpu.machine, space + L.S_BRK, HEAP_START);
  resetRing(cpu, space);
  // ORDER: a counter; the number is only ever compared for equality.
  poke(words, space + L.S_ID, add(words, L.B_SPACES, 1) + 1);
  return space;
}

/** What a forked child has of its parent's space beside areas: the break, identities in use. */
export function inheritHeap(cpu: Cpu, parent: number, child: number): void {
  const { machine, words } = cpu;
  storeWide(machine, child + L.S_BRK, loadWide(machine, parent + L.S_BRK));
  poke(words, child + L.S_LAST_ANON, peek(words, parent + L.S_LAST_ANON));
}

/** The area set of a space, for a caller that holds the areas' lock. */
export function areasOf(cpu: Cpu, space: number): AreaSet {
  return new MemorySet(new SharedAreaStore(cpu, space));
}

/** One user more: a thread of somebody who has the space and keeps it meanwhile. The space. */
export function getSpace(cpu: Cpu, space: number): number {
  // ORDER: a count; the reference of who asks keeps it from reaching 0.
  if (add(cpu.words, space + L.S_REFS, 1) <= 0) panic('getSpace: space is free', space);
  return space;
}

/** Drops a reference; the last one unmaps everything and frees the space. */
export function putSpace(cpu: Cpu, space: number): void {
  // ORDER: the decrement to 0 comes after every other user's last use.
  const before = add(cpu.words, space + L.S_REFS, -1);
  if (before <= 0) panic('putSpace: space is free', space);
  if (before > 1) return;
  clearSpace(cpu, space);
  freeTables(cpu, space, peek(cpu.words, space + L.S_ROOT), ROOT_LEVEL);
  leaveGroup(cpu, space);
  slabFree(cpu, L.SLAB_SPACE, space);
}

/** Unmaps every area. Whole areas only, so no table is needed and nothing can fail. */
function clearSpace(cpu: Cpu, space: number): void {
  const { protocol } = cpu.machine;
  protocol.lockAreas(cpu, space);
  const op = openRange(cpu, space, 0, USER_PAGES);
  op.teardown = true;
  const result = areasOf(cpu, space).clear(op);
  closeRange(op);
  settleLazy(cpu, space, 0, USER_PAGES);
  protocol.unlockAreas(cpu, space);
  if (!result.ok) panic('clearSpace:', result.error.kind, result.error.cause);
}

/** Nobody can reach the space any more, so its tables need no grace period. Depth is 3. */
function freeTables(cpu: Cpu, space: number, table: number, level: number): void {
  const first = frameWord(cpu.machine, table);
  for (let i = 0; i < TABLE_ENTRIES; i++) {
    const entry = peek(cpu.words, first + i);
    if (entry === 0) continue;
    if (level === 0 || !pte.isTable(entry)) panic('freeTables: entry left', table, i, entry);
    freeTables(cpu, space, pte.pfnOf(entry), level - 1);
  }
  freeTable(cpu, space, table);
}

/** Stamps every record of the ring as the one before the first, which nobody asks for. */
function resetRing(cpu: Cpu, space: number): void {
  for (let i = 0; i < TLB_RING; i++) {
    poke(cpu.words, space + L.S_TLB_RING + i * L.TLB_RING_WORDS, i - TLB_RING);
  }
}
