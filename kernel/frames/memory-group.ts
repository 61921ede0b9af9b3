/**
 * Memory groups: processes that share a limit on resident pages, like Linux's control groups with
 * `memory.max`. A group begins with a process that is given a limit; its descendants belong to it,
 * unless they begin one of their own.
 *
 * A page counts for each address space that has it resident, so one that two processes share counts
 * twice (Linux charges the first user only). A fault that would exceed the group's limit is refused
 * with FAULT_NO_MEMORY, and the reclaim that follows takes pages from the group alone.
 *
 * Locking: none. Blocks are taken by compare-exchange, and given back by the last space; counts are
 * atomic. *Not guaranteed*: an exact limit. CPUs that check at the same time may each add a page,
 * and fork copies a space of any size.
 */
import { add, compareExchange, load, peek, poke, store } from '../../shared/atomics.ts';
import * as BOOT from '../../shared/layout/boot.ts';
import * as GROUP from '../../shared/layout/group.ts';
import * as SPACE from '../../shared/layout/space.ts';
import { MEMORY_GROUPS_MAX } from '../../shared/limits.ts';
import { panic } from '../../shared/panic.ts';
import * as pte from '../../shared/pte.ts';
import type { GroupBlock, Pte, SpaceBlock } from '../../shared/units.ts';
import type { Cpu } from '../machine/cpu.ts';
import type { Machine } from '../machine/machine.ts';

/** The state of a memory group, in pages of 4 KiB; a page of two processes is counted twice. */
export interface MemoryGroup {
  /** Pages that may be resident, those that are, and the most that ever were. */
  readonly limitPages: number;
  /** Pages that its processes have resident now. */
  readonly residentPages: number;
  /** The most that they had. */
  readonly residentPagesPeak: number;
  /** Address spaces. */
  readonly spaces: number;
}

/** A new group without members: its block, or 0 when there are MEMORY_GROUPS_MAX. */
export function makeGroup(cpu: Cpu, limitPages: number): GroupBlock {
  const { words } = cpu;
  for (let i = 0; i < MEMORY_GROUPS_MAX; i++) {
    const group = BOOT.GROUPS + i * GROUP.WORDS;
    // ORDER: takes the block; nobody knows of it before a space names it.
    if (compareExchange(words, group + GROUP.LIMIT, 0, limitPages) === 0) {
      poke(words, group + GROUP.PEAK, 0);
      return group;
    }
  }
  return 0;
}

/** A new space joins a group, or none (0). Before anything of it is resident. */
export function joinGroup(cpu: Cpu, space: SpaceBlock, group: GroupBlock): void {
  poke(cpu.words, space + SPACE.GROUP, group);
  // ORDER: a count; the caller's own space, or the group's newness, keeps the block meanwhile.
  if (group !== 0) add(cpu.words, group + GROUP.SPACES, 1);
}

/** A space that has no pages left leaves its group; the last one ends it. */
export function leaveGroup(cpu: Cpu, space: SpaceBlock): void {
  const { words } = cpu;
  const group = groupOf(cpu, space);
  // ORDER: the decrement to 0 comes after every other member's last use.
  if (group === 0 || add(words, group + GROUP.SPACES, -1) > 1) return;
  // ORDER: nobody is left who could change it.
  const resident = load(words, group + GROUP.RESIDENT);
  if (resident !== 0) panic('leaveGroup: pages are left', group, resident);
  // ORDER: gives the block away, after its last use.
  store(words, group + GROUP.LIMIT, 0);
}

/** The block of a space's group, 0 for none. */
export function groupOf(cpu: Cpu, space: SpaceBlock): GroupBlock {
  return peek(cpu.words, space + SPACE.GROUP);
}

/** Changes a space's resident count and its peak, and those of its group. */
export function addResident(cpu: Cpu, space: SpaceBlock, pages: number): void {
  // ORDER: counters. A race may leave the peak slightly too low.
  const now = add(cpu.words, space + SPACE.RESIDENT, pages) + pages;
  const peakAt = space + SPACE.RESIDENT_PEAK;
  if (now > peek(cpu.words, peakAt)) poke(cpu.words, peakAt, now);
  chargeGroup(cpu, space, pages);
}

function chargeGroup(cpu: Cpu, space: SpaceBlock, pages: number): void {
  const { words } = cpu;
  const group = groupOf(cpu, space);
  if (group === 0) return;
  // ORDER: counters. A race may leave the peak slightly too low.
  const now = add(words, group + GROUP.RESIDENT, pages) + pages;
  if (now > load(words, group + GROUP.PEAK)) store(words, group + GROUP.PEAK, now);
}

/** Whether a group (0 for none) has reached its limit. */
export function groupIsFull(cpu: Cpu, group: GroupBlock): boolean {
  if (group === 0) return false;
  // ORDER: momentary values; see above.
  return load(cpu.words, group + GROUP.RESIDENT) >= load(cpu.words, group + GROUP.LIMIT);
}

/** Whether resolving a fault on this entry makes one page more resident. */
export function addsPage(entry: Pte, write: boolean): boolean {
  if (pte.isPresent(entry)) return write && pte.isZeroPage(entry);
  if (!pte.isReserved(entry)) return false;
  const kind = pte.reservedKind(entry);
  if (kind === pte.RESERVED_LAZY) return write;
  return kind !== pte.RESERVED_DEVICE && kind !== pte.RESERVED_GUARD;
}

/** The state of a group, or null for 0. */
export function groupUsage(machine: Machine, group: GroupBlock): MemoryGroup | null {
  if (group === 0) return null;
  const { words } = machine;
  return {
    // ORDER: momentary values for reports and decisions.
    limitPages: load(words, group + GROUP.LIMIT),
    residentPages: load(words, group + GROUP.RESIDENT),
    residentPagesPeak: load(words, group + GROUP.PEAK),
    spaces: load(words, group + GROUP.SPACES),
  };
}
