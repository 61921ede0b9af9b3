/**
 * Buddy allocator: blocks of 2^order frames, order 0 to 10 (4 KiB to 4 MiB), naturally aligned.
 *
 * Guarantees: blocks never overlap; a freed block merges with its free buddy at once.
 * Locking: everything here runs under BOOT.BUDDY_LOCK, except `seedFreeLists`, which runs at boot.
 * Not guaranteed: contents. A block comes with whatever its last user left.
 *
 * The free lists are doubly linked through frame metadata (FRAME.LINK next, FRAME.AUX previous, 0
 * ends); only the head frame of a block is on a list.
 */
import { peek, poke } from '../../shared/atomics.ts';
import * as BOOT from '../../shared/layout/boot.ts';
import * as FRAME from '../../shared/layout/frame.ts';
import { BUDDY_ORDERS } from '../../shared/limits.ts';
import { assert, panic } from '../../shared/panic.ts';
import type { Pfn } from '../../shared/units.ts';
import type { Cpu } from '../machine/cpu.ts';
import { assertHeld } from '../machine/held-locks.ts';
import { frameField } from '../machine/machine.ts';
import type { Machine } from '../machine/machine.ts';
import { lock, unlock } from '../machine/spinlock.ts';

/** State of a frame, without order, level and flags. */
export function frameState(machine: Machine, pfn: Pfn): number {
  return peek(machine.words, frameField(machine, pfn, FRAME.STATE)) & 0xf;
}

/** Sets state and order; keeps only the marks that say that the contents are poison, or zero. */
export function setFrameState(machine: Machine, pfn: Pfn, state: number, order: number): void {
  const at = frameField(machine, pfn, FRAME.STATE);
  const contents = peek(machine.words, at) & (FRAME.POISONED | FRAME.ZEROED);
  poke(machine.words, at, state | (order << FRAME.ORDER_SHIFT) | contents);
}

/** Puts all frames but frame 0 on the free lists, in the largest aligned blocks that fit. */
export function seedFreeLists(machine: Machine): void {
  let pfn = 1;
  while (pfn < machine.frames) {
    let order = 0;
    while (
      order + 1 < BUDDY_ORDERS &&
      pfn % (1 << (order + 1)) === 0 &&
      pfn + (1 << (order + 1)) <= machine.frames
    ) {
      order++;
    }
    push(machine, pfn, order);
    pfn += 1 << order;
  }
  poke(machine.words, BOOT.FREE_FRAMES, machine.frames - 1);
  poke(machine.words, BOOT.FREE_LOW, machine.frames - 1);
}

/** A block of 2^order frames; 0 when there is none. Its frames' states are the caller's to set. */
export function buddyAlloc(cpu: Cpu, order: number): Pfn {
  lock(cpu, BOOT.BUDDY_LOCK);
  const pfn = takeBlock(cpu, order);
  unlock(cpu, BOOT.BUDDY_LOCK);
  return pfn;
}

/** Gives back a block of 2^order frames that starts at `pfn`. */
export function buddyFree(cpu: Cpu, pfn: Pfn, order: number): void {
  lock(cpu, BOOT.BUDDY_LOCK);
  giveBlock(cpu, pfn, order);
  unlock(cpu, BOOT.BUDDY_LOCK);
}

/** The body of `buddyAlloc`, for callers that take several blocks under one lock. */
export function takeBlock(cpu: Cpu, order: number): Pfn {
  assertHeld(cpu, BOOT.BUDDY_LOCK);
  const { machine, words } = cpu;
  assert(order >= 0 && order < BUDDY_ORDERS, 'takeBlock: order', order);
  let found = order;
  while (found < BUDDY_ORDERS && peek(words, BOOT.FREE_HEADS + found) === 0) found++;
  if (found === BUDDY_ORDERS) return 0;
  const pfn: Pfn = peek(words, BOOT.FREE_HEADS + found);
  unlink(machine, pfn, found);
  setFrameState(machine, pfn, FRAME.FREE, 0);
  while (found > order) {
    found--;
    push(machine, pfn + (1 << found), found);
  }
  const free = peek(words, BOOT.FREE_FRAMES) - (1 << order);
  poke(words, BOOT.FREE_FRAMES, free);
  if (free < peek(words, BOOT.FREE_LOW)) poke(words, BOOT.FREE_LOW, free);
  return pfn;
}

/** Order of the smallest free block; BUDDY_ORDERS - 1 when there is none. Under the lock. */
export function smallestOrder(cpu: Cpu): number {
  assertHeld(cpu, BOOT.BUDDY_LOCK);
  let order = 0;
  while (order < BUDDY_ORDERS - 1 && peek(cpu.words, BOOT.FREE_HEADS + order) === 0) order++;
  return order;
}

/** The body of `buddyFree`. */
export function giveBlock(cpu: Cpu, pfn: Pfn, order: number): void {
  assertHeld(cpu, BOOT.BUDDY_LOCK);
  const { machine, words } = cpu;
  assert(pfn > 0 && pfn + (1 << order) <= machine.frames, 'giveBlock: pfn', pfn);
  assert(frameState(machine, pfn) !== FRAME.FREE_HEAD, 'giveBlock: freed twice', pfn);
  poke(words, BOOT.FREE_FRAMES, peek(words, BOOT.FREE_FRAMES) + (1 << order));
  let head = pfn;
  let size = order;
  setFrameState(machine, head, FRAME.FREE, 0);
  while (size + 1 < BUDDY_ORDERS) {
    const buddy = head ^ (1 << size);
    if (buddy === 0 || buddy + (1 << size) > machine.frames) break;
    if (!isFreeBlock(machine, buddy, size)) break;
    unlink(machine, buddy, size);
    setFrameState(machine, buddy, FRAME.FREE, 0);
    head = Math.min(head, buddy);
    size++;
  }
  push(machine, head, size);
}

function isFreeBlock(machine: Machine, pfn: Pfn, order: number): boolean {
  const word = peek(machine.words, frameField(machine, pfn, FRAME.STATE));
  return (word & 0xff) === (FRAME.FREE_HEAD | (order << FRAME.ORDER_SHIFT));
}

function push(machine: Machine, pfn: Pfn, order: number): void {
  const { words } = machine;
  const head = BOOT.FREE_HEADS + order;
  const next = peek(words, head);
  setFrameState(machine, pfn, FRAME.FREE_HEAD, order);
  poke(words, frameField(machine, pfn, FRAME.LINK), next);
  poke(words, frameField(machine, pfn, FRAME.AUX), 0);
  if (next !== 0) poke(words, frameField(machine, next, FRAME.AUX), pfn);
  poke(words, head, pfn);
}

function unlink(machine: Machine, pfn: Pfn, order: number): void {
  const { words } = machine;
  if (!isFreeBlock(machine, pfn, order)) panic('unlink: not a free block', pfn, order);
  const next = peek(words, frameField(machine, pfn, FRAME.LINK));
  const previous = peek(words, frameField(machine, pfn, FRAME.AUX));
  if (next !== 0) poke(words, frameField(machine, next, FRAME.AUX), previous);
  if (previous !== 0) poke(words, frameField(machine, previous, FRAME.LINK), next);
  else poke(words, BOOT.FREE_HEADS + order, next);
}
