/**
 * Address spaces: a root table, an area set, a TLB generation and counters in one block.
 *
 * Locking: SPACE.REFS is atomic; the area set is the protocol's lockAreas; counters are atomic.
 */
import { add, peek, poke } from '../../shared/atomics.ts';
import * as BOOT from '../../shared/layout/boot.ts';
import * as SLAB from '../../shared/layout/slabs.ts';
import * as SPACE from '../../shared/layout/space.ts';
import {
  FIRST_GENERATION,
  HEAP_START,
  TABLE_ENTRIES,
  TLB_RING,
  USER_PAGES,
} from '../../shared/limits.ts';
import { panic } from '../../shared/panic.ts';
import * as pte from '../../shared/pte.ts';
import type { Pfn, Pte, SpaceBlock } from '../../shared/units.ts';
import type { Cpu } from '../machine/cpu.ts';
import { assertAreasHeld } from '../machine/held-locks.ts';
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
export function createSpace(cpu: Cpu): SpaceBlock {
  const { words } = cpu;
  const space = slabAlloc(cpu, SLAB.SPACE);
  if (space === 0) return 0;
  const root = allocTable(cpu, space, ROOT_LEVEL);
  if (root === 0) {
    slabFree(cpu, SLAB.SPACE, space);
    return 0;
  }
  poke(words, space + SPACE.ROOT, root);
  poke(words, space + SPACE.REFS, 1);
  initLimits(cpu, space);
  storeWide(cpu.machine, space + SPACE.START_BRK, HEAP_START);
  storeWide(cpu.machine, space + SPACE.BRK, HEAP_START);
  resetGenerations(cpu, space);
  // ORDER: a counter; the number is only ever compared for equality.
  poke(words, space + SPACE.ID, add(words, BOOT.SPACES, 1) + 1);
  return space;
}

/** What a forked child inherits besides areas: heap and stack, the identities in use. */
export function inheritHeap(cpu: Cpu, parent: SpaceBlock, child: SpaceBlock): void {
  assertAreasHeld(cpu, parent);
  assertAreasHeld(cpu, child);
  const { machine, words } = cpu;
  for (const field of [SPACE.START_BRK, SPACE.BRK, SPACE.START_STACK]) {
    storeWide(machine, child + field, loadWide(machine, parent + field));
  }
  poke(words, child + SPACE.LAST_ANON, peek(words, parent + SPACE.LAST_ANON));
  poke(words, child + SPACE.UNMERGED, peek(words, parent + SPACE.UNMERGED));
}

/** The area set of a space, for a caller that holds the areas' lock. */
export function areasOf(cpu: Cpu, space: SpaceBlock): AreaSet {
  return new MemorySet(new SharedAreaStore(cpu, space));
}

/** The same set for an operation after which Linux merges nothing. */
export function unmergingAreasOf(cpu: Cpu, space: SpaceBlock): AreaSet {
  return new MemorySet(new SharedAreaStore(cpu, space), neverEqual);
}

function neverEqual(): boolean {
  return false;
}

/** Adds a user, a thread of one that keeps its own reference meanwhile. Returns the space. */
export function getSpace(cpu: Cpu, space: SpaceBlock): SpaceBlock {
  // ORDER: a count; the caller's reference keeps it from reaching 0.
  if (add(cpu.words, space + SPACE.REFS, 1) <= 0) panic('getSpace: space is free', space);
  return space;
}

/** Drops a reference; the last one unmaps everything and frees the space. */
export function putSpace(cpu: Cpu, space: SpaceBlock): void {
  if (space === 0) panic('putSpace: no space');
  // ORDER: the decrement to 0 comes after every other user's last use.
  const before = add(cpu.words, space + SPACE.REFS, -1);
  if (before <= 0) panic('putSpace: space is free', space);
  if (before > 1) return;
  clearSpace(cpu, space);
  if (cpu.userHooks !== null) cpu.userHooks.endSpace(peek(cpu.words, space + SPACE.ID));
  freeTables(cpu, space, peek(cpu.words, space + SPACE.ROOT), ROOT_LEVEL);
  leaveGroup(cpu, space);
  slabFree(cpu, SLAB.SPACE, space);
}

/** Unmaps every area. Whole areas only, so no table is needed and nothing can fail. */
function clearSpace(cpu: Cpu, space: SpaceBlock): void {
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

/** No CPU can reach the space any more, so its tables need no grace period. Depth is 3. */
function freeTables(cpu: Cpu, space: SpaceBlock, table: Pfn, level: number): void {
  const first = frameWord(cpu.machine, table);
  for (let i = 0; i < TABLE_ENTRIES; i++) {
    const entry: Pte = peek(cpu.words, first + i);
    if (entry === 0) continue;
    if (level === 0 || !pte.isTable(entry)) panic('freeTables: entry left', table, i, entry);
    freeTables(cpu, space, pte.pfnOf(entry), level - 1);
  }
  freeTable(cpu, space, table);
}

/** The first generations; every record of the ring is older, so that no CPU looks for it. */
function resetGenerations({ words }: Cpu, space: SpaceBlock): void {
  poke(words, space + SPACE.TLB_GEN, FIRST_GENERATION);
  poke(words, space + SPACE.LAZY_GEN, FIRST_GENERATION);
  for (let i = 0; i < TLB_RING; i++) {
    const at = space + SPACE.TLB_RING + i * SPACE.TLB_RING_WORDS;
    const behind = TLB_RING - ((i - FIRST_GENERATION) & (TLB_RING - 1));
    poke(words, at + SPACE.RING_STAMP, FIRST_GENERATION - behind);
  }
}
