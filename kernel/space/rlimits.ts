/**
 * Resource limits of an address space's processes, and the questions that mapping operations ask
 * them: may_expand_vm, can_do_mlock and mlock_future_ok of Linux.
 *
 * Threads share their limits as they share the space; a child starts with its parent's.
 * Locking: the areas' lock for the questions, since they are about the sums kept with the areas.
 * A limit that another thread changes meanwhile counts before or after, as on Linux.
 */
import { CAP_IPC_LOCK } from '../../shared/abi/capabilities.ts';
import { peek, poke } from '../../shared/atomics.ts';
import * as BOOT from '../../shared/layout/boot.ts';
import * as SPACE from '../../shared/layout/space.ts';
import { MEMLOCK_LIMIT, STACK_LIMIT } from '../../shared/limits.ts';
import { RLIMIT_AS, RLIMIT_DATA, RLIMIT_MEMLOCK, RLIMIT_STACK } from '../../shared/abi/mman.ts';
import { fullPagesOf } from '../../shared/units.ts';
import type { SpaceBlock, WordIndex } from '../../shared/units.ts';
import { AREA_LOCKED, isDataArea } from '../machine/area-flags.ts';
import type { Cpu } from '../machine/cpu.ts';
import { assertAreasHeld } from '../machine/held-locks.ts';

const WORD = 2 ** 32;
const INFINITE = -1;

/** Word of the space where the limit lies: soft then hard, low word first; -1 for no such limit. */
export function limitAt(space: SpaceBlock, resource: number): WordIndex {
  const slot = [RLIMIT_DATA, RLIMIT_STACK, RLIMIT_MEMLOCK, RLIMIT_AS].indexOf(resource);
  return slot < 0 ? -1 : space + SPACE.RLIMITS + slot * SPACE.RLIMIT_WORDS;
}

/** The limits and capabilities of a process that the host starts: Linux's at boot. */
export function initLimits(cpu: Cpu, space: SpaceBlock): void {
  const { words } = cpu;
  for (let i = 0; i < SPACE.RLIMITS_MAX * SPACE.RLIMIT_WORDS; i++)
    poke(words, space + SPACE.RLIMITS + i, INFINITE);
  setLow(cpu, limitAt(space, RLIMIT_STACK), STACK_LIMIT);
  setLow(cpu, limitAt(space, RLIMIT_MEMLOCK), MEMLOCK_LIMIT);
  setLow(cpu, limitAt(space, RLIMIT_MEMLOCK) + 2, MEMLOCK_LIMIT);
  poke(words, space + SPACE.CAPABILITIES, peek(words, BOOT.CAPABILITIES));
}

function setLow(cpu: Cpu, at: WordIndex, bytes: number): void {
  poke(cpu.words, at, bytes);
  poke(cpu.words, at + 1, 0);
}

/** A child's limits and capabilities are its parent's at this moment. */
export function inheritLimits(cpu: Cpu, parent: SpaceBlock, child: SpaceBlock): void {
  const { words } = cpu;
  for (let i = SPACE.RLIMITS; i < SPACE.RLIMITS + SPACE.RLIMITS_MAX * SPACE.RLIMIT_WORDS; i++) {
    poke(words, child + i, peek(words, parent + i));
  }
  poke(words, child + SPACE.CAPABILITIES, peek(words, parent + SPACE.CAPABILITIES));
}

/** Whether the processes have the capability, a CAP_ number (capabilities.ts). */
export function hasCapability(cpu: Cpu, space: SpaceBlock, capability: number): boolean {
  return (peek(cpu.words, space + SPACE.CAPABILITIES) & (1 << capability)) !== 0;
}

/** A 64-bit limit as a number, exact below 2^53; "no limit" is about 1.8e19. */
function valueAt(cpu: Cpu, at: WordIndex): number {
  return (peek(cpu.words, at + 1) >>> 0) * WORD + (peek(cpu.words, at) >>> 0);
}

/** The soft limit of a resource, in bytes. */
export function softLimit(cpu: Cpu, space: SpaceBlock, resource: number): number {
  return valueAt(cpu, limitAt(space, resource));
}

/** The hard limit, in bytes. */
function hardLimit(cpu: Cpu, space: SpaceBlock, resource: number): number {
  return valueAt(cpu, limitAt(space, resource) + 2);
}

/** Whether `pages` more with these flags are within RLIMIT_AS and RLIMIT_DATA. */
export function mayExpand(cpu: Cpu, space: SpaceBlock, flags: number, pages: number): boolean {
  assertAreasHeld(cpu, space);
  const { words } = cpu;
  const total = peek(words, space + SPACE.TOTAL_PAGES) + pages;
  if (total > fullPagesOf(softLimit(cpu, space, RLIMIT_AS))) return false;
  if (!isDataArea(flags)) return true;
  const data = peek(words, space + SPACE.DATA_PAGES) + pages;
  const soft = softLimit(cpu, space, RLIMIT_DATA);
  if (data <= fullPagesOf(soft)) return true;
  // Linux's exception for Valgrind: a soft limit of 0 stands for the hard one.
  return soft === 0 && data <= fullPagesOf(hardLimit(cpu, space, RLIMIT_DATA));
}

/** Whether the processes may lock memory at all. */
export function canLock(cpu: Cpu, space: SpaceBlock): boolean {
  if (hasCapability(cpu, space, CAP_IPC_LOCK)) return true;
  return softLimit(cpu, space, RLIMIT_MEMLOCK) !== 0;
}

/** Whether `pages` more with these flags, if they are locked, are within RLIMIT_MEMLOCK. */
export function mayLock(cpu: Cpu, space: SpaceBlock, flags: number, pages: number): boolean {
  assertAreasHeld(cpu, space);
  if ((flags & AREA_LOCKED) === 0 || hasCapability(cpu, space, CAP_IPC_LOCK)) return true;
  const locked = peek(cpu.words, space + SPACE.LOCKED_PAGES) + pages;
  return locked <= lockLimitPages(cpu, space);
}

/** RLIMIT_MEMLOCK in whole pages. */
export function lockLimitPages(cpu: Cpu, space: SpaceBlock): number {
  return fullPagesOf(softLimit(cpu, space, RLIMIT_MEMLOCK));
}
