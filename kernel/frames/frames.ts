/**
 * Single frames: a cache of free frames in each CPU over the buddy allocator, and reference counts.
 *
 * Guarantees: a frame has one owner until its count reaches 0; out of memory is a result (0).
 * Locking: a cache belongs to its CPU and is touched in kernel mode only; counts are atomic.
 * Not guaranteed: that memory is exhausted when 0 is returned: other CPUs' caches may hold frames.
 *
 * Free after flush: a CPU that clears an entry must not call `putFrame` before every CPU that could
 * hold a translation to the frame has acknowledged (see shootdown.ts and range-op.ts).
 */
import { add, fillWords, load, peek, poke } from '../../shared/atomics.ts';
import * as BOOT from '../../shared/layout/boot.ts';
import * as CPU from '../../shared/layout/cpu.ts';
import * as FRAME from '../../shared/layout/frame.ts';
import { TABLE_ENTRIES } from '../../shared/limits.ts';
import { assert, panic } from '../../shared/panic.ts';
import type { Pfn } from '../../shared/units.ts';
import { frameState, giveBlock, setFrameState, smallestOrder, takeBlock } from './buddy.ts';
import type { Cpu } from '../machine/cpu.ts';
import { assertInKernel } from '../machine/held-locks.ts';
import { INJECT_FRAME, injected } from '../machine/inject.ts';
import { frameField, frameWord } from '../machine/machine.ts';
import type { Machine } from '../machine/machine.ts';
import { lock, unlock } from '../machine/spinlock.ts';

/** A frame in the given state with a count of 1; 0 when memory is exhausted. Contents undefined. */
export function allocFrame(cpu: Cpu, state: number): Pfn {
  assertInKernel(cpu);
  if (injected(cpu, INJECT_FRAME)) return 0;
  const { words } = cpu;
  const countAt = cpu.base + CPU.CACHE_COUNT;
  let cached = peek(words, countAt);
  if (cached === 0) {
    cached = refill(cpu);
    if (cached === 0) {
      cpu.lacksFrame = true;
      return 0;
    }
  }
  const pfn: Pfn = peek(words, cpu.base + CPU.CACHE + cached - 1);
  poke(words, countAt, cached - 1);
  claimFrame(cpu, pfn, state);
  return pfn;
}

/** Takes into use a frame that the caller got from the free ones, with a count of 1. */
export function claimFrame(cpu: Cpu, pfn: Pfn, state: number): void {
  const { words, machine } = cpu;
  if (machine.checked) checkPoison(machine, pfn);
  const stateAt = frameField(machine, pfn, FRAME.STATE);
  const sequence = peek(words, cpu.base + CPU.FRAME_SEQUENCE) + 1;
  poke(words, cpu.base + CPU.FRAME_SEQUENCE, sequence);
  // zeroFrame looks at the mark once more.
  const mark = peek(words, stateAt) & FRAME.ZEROED;
  poke(words, stateAt, state | mark | (sequence << FRAME.SEQUENCE_SHIFT));
  poke(words, frameField(machine, pfn, FRAME.COUNT), 1);
  // When it was taken into use: what a first-in first-out reclaim policy goes by.
  poke(words, frameField(machine, pfn, FRAME.LINK), peek(words, BOOT.JIFFIES));
  poke(words, frameField(machine, pfn, FRAME.AUX), 0);
}

/** Frees a frame that nobody references any more, whatever it was used for. */
export function freeFrame(cpu: Cpu, pfn: Pfn): void {
  assertInKernel(cpu);
  const { words, machine } = cpu;
  const state = frameState(machine, pfn);
  if (state < FRAME.USED || state === FRAME.HOLE) panic('freeFrame: not in use', pfn, state);
  if (machine.checked) poison(machine, pfn);
  poke(words, frameField(machine, pfn, FRAME.COUNT), 0);
  const stateAt = frameField(machine, pfn, FRAME.STATE);
  // FRAME.ZEROED is dropped: it may still be set if the last user did not need zeroes.
  poke(words, stateAt, FRAME.CACHED | (peek(words, stateAt) & FRAME.POISONED));
  const countAt = cpu.base + CPU.CACHE_COUNT;
  let cached = peek(words, countAt);
  if (cached === 2 * machine.cacheBatch) {
    drainCache(cpu, machine.cacheBatch);
    cached = peek(words, countAt);
  }
  poke(words, cpu.base + CPU.CACHE + cached, pfn);
  poke(words, countAt, cached + 1);
}

/** Adds a reference to a frame in use. */
export function getFrame(cpu: Cpu, pfn: Pfn): void {
  // ORDER: the caller holds a reference or a lock that keeps the count above 0.
  const before = add(cpu.words, frameField(cpu.machine, pfn, FRAME.COUNT), 1);
  if (before <= 0) panic('getFrame: frame is free', pfn, before);
}

/** Drops a reference; the last one frees the frame. Only after the flush, see above. */
export function putFrame(cpu: Cpu, pfn: Pfn): void {
  // ORDER: the decrement that reaches 0 comes after all other holders' last accesses.
  const before = add(cpu.words, frameField(cpu.machine, pfn, FRAME.COUNT), -1);
  if (before <= 0) panic('putFrame: frame is free', pfn, before);
  if (before === 1) freeFrame(cpu, pfn);
}

/** References of a frame, without its pins. Stable at 1 for the holder of that one. */
export function frameRefs(machine: Machine, pfn: Pfn): number {
  // ORDER: a sole owner reads its own 1; any other value is only a hint.
  return load(machine.words, frameField(machine, pfn, FRAME.COUNT)) & (FRAME.PIN - 1);
}

/** Fetches a batch from the buddy allocator; the number of frames now in the cache. */
function refill(cpu: Cpu): number {
  const { machine, words } = cpu;
  let cached = 0;
  lock(cpu, BOOT.BUDDY_LOCK);
  while (cached < machine.cacheBatch) {
    // The same frames as one at a time would give, but in blocks: as many as are asked for, from
    // the smallest free block.
    const wanted = 31 - Math.clz32(machine.cacheBatch - cached);
    const order = Math.min(wanted, smallestOrder(cpu));
    const first = takeBlock(cpu, order);
    if (first === 0) break;
    // Last first, because a cache is a stack: pages touched in order get frames in order.
    for (let pfn = first + (1 << order) - 1; pfn >= first; pfn--) {
      setFrameState(machine, pfn, FRAME.CACHED, 0);
      poke(words, cpu.base + CPU.CACHE + cached, pfn);
      cached++;
    }
  }
  unlock(cpu, BOOT.BUDDY_LOCK);
  poke(words, cpu.base + CPU.CACHE_COUNT, cached);
  return cached;
}

/** Returns `frames` of the CPU's cached frames to the buddy allocator. */
export function drainCache(cpu: Cpu, frames: number): void {
  const { words } = cpu;
  const countAt = cpu.base + CPU.CACHE_COUNT;
  let cached = peek(words, countAt);
  assert(frames <= cached, 'drainCache: more than cached', frames);
  lock(cpu, BOOT.BUDDY_LOCK);
  for (let i = 0; i < frames; i++) {
    cached--;
    giveBlock(cpu, peek(words, cpu.base + CPU.CACHE + cached), 0);
  }
  unlock(cpu, BOOT.BUDDY_LOCK);
  poke(words, countAt, cached);
}

function poison(machine: Machine, pfn: Pfn): void {
  const at = frameWord(machine, pfn);
  fillWords(machine.words, at, at + TABLE_ENTRIES, FRAME.POISON);
  const stateAt = frameField(machine, pfn, FRAME.STATE);
  poke(machine.words, stateAt, peek(machine.words, stateAt) | FRAME.POISONED);
}

/**
 * A write through a dangling translation shows as damaged poison, or as a value in a frame zeroed
 * ahead.
 */
export function checkPoison(machine: Machine, pfn: Pfn): void {
  const { words } = machine;
  const state = peek(words, frameField(machine, pfn, FRAME.STATE));
  if ((state & (FRAME.POISONED | FRAME.ZEROED)) === 0) return;
  const expected = (state & FRAME.ZEROED) !== 0 ? 0 : FRAME.POISON;
  const at = frameWord(machine, pfn);
  for (let i = 0; i < TABLE_ENTRIES; i++) {
    const word = peek(words, at + i);
    if (word !== expected) panic('allocFrame: written after free', pfn, i, word);
  }
}
