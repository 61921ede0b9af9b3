/**
 * Slabs: kernel blocks of one size (address spaces, processes, areas, objects) carved from frames.
 *
 * Guarantees: a block comes zeroed except for its first word, which is 1 while the block is in use;
 * a frame whose blocks are all free goes back to the allocator.
 * Locking: BOOT.SLAB_LOCK; the buddy lock nests inside it.
 */
import { fillWords, peek, poke } from '../../shared/atomics.ts';
import * as BOOT from '../../shared/layout/boot.ts';
import * as FRAME from '../../shared/layout/frame.ts';
import * as SLAB from '../../shared/layout/slabs.ts';
import { TABLE_ENTRIES } from '../../shared/limits.ts';
import { assert, panic } from '../../shared/panic.ts';
import type { Pfn, WordIndex } from '../../shared/units.ts';
import type { Cpu } from '../machine/cpu.ts';
import { assertHeld } from '../machine/held-locks.ts';
import { retireFrame } from './grace.ts';
import { frameState } from './buddy.ts';
import { allocFrame, freeFrame } from './frames.ts';
import { frameField, frameOfWord, frameWord, zeroFrame } from '../machine/machine.ts';
import type { Machine } from '../machine/machine.ts';
import { lock, unlock } from '../machine/spinlock.ts';

const HEAD = 0;
const LIVE = 1;
const FRAMES = 2;

function slabField(slab: number, field: number): WordIndex {
  return BOOT.SLABS + slab * SLAB.STATE_WORDS + field;
}

/** A block of the slab, named by the index of its first word; 0 when memory is exhausted. */
export function slabAlloc(cpu: Cpu, slab: number): number {
  lock(cpu, BOOT.SLAB_LOCK);
  const at = takeSlot(cpu, slab);
  unlock(cpu, BOOT.SLAB_LOCK);
  return at;
}

export function slabFree(cpu: Cpu, slab: number, at: WordIndex): void {
  lock(cpu, BOOT.SLAB_LOCK);
  giveSlot(cpu, slab, at);
  unlock(cpu, BOOT.SLAB_LOCK);
}

/** Blocks of a slab in use. */
export function slabLive(machine: Machine, slab: number): number {
  return peek(machine.words, slabField(slab, LIVE));
}

/** The slab a frame belongs to. Its state must be FRAME.SLAB. */
export function slabOfFrame(machine: Machine, pfn: Pfn): number {
  return (peek(machine.words, frameField(machine, pfn, FRAME.STATE)) >> FRAME.ORDER_SHIFT) & 0xf;
}

function takeSlot(cpu: Cpu, slab: number): number {
  assertHeld(cpu, BOOT.SLAB_LOCK);
  const { machine, words } = cpu;
  const size = SLAB.SIZES[slab] as number;
  let pfn: Pfn = peek(words, slabField(slab, HEAD));
  if (pfn === 0) {
    pfn = allocFrame(cpu, FRAME.SLAB | (slab << FRAME.ORDER_SHIFT));
    if (pfn === 0) return 0;
    zeroFrame(machine, pfn);
    poke(words, frameField(machine, pfn, FRAME.COUNT), 0);
    addPartial(cpu, slab, pfn);
    poke(words, slabField(slab, FRAMES), peek(words, slabField(slab, FRAMES)) + 1);
  }
  const countAt = frameField(machine, pfn, FRAME.COUNT);
  const used = peek(words, countAt) + 1;
  poke(words, countAt, used);
  if (used === TABLE_ENTRIES / size) removePartial(cpu, slab, pfn);
  poke(words, slabField(slab, LIVE), peek(words, slabField(slab, LIVE)) + 1);
  const first = frameWord(machine, pfn);
  for (let at = first; at < first + TABLE_ENTRIES; at += size) {
    if (peek(words, at) === 0) {
      fillWords(words, at, at + size - (SLAB.STABLE_WORDS[slab] as number), 0);
      poke(words, at, 1);
      return at;
    }
  }
  return panic('slabAlloc: a partial frame is full', pfn, slab);
}

function giveSlot(cpu: Cpu, slab: number, at: WordIndex): void {
  assertHeld(cpu, BOOT.SLAB_LOCK);
  const { machine, words } = cpu;
  const size = SLAB.SIZES[slab] as number;
  const pfn = frameOfWord(machine, at);
  const owned = frameState(machine, pfn) === FRAME.SLAB && slabOfFrame(machine, pfn) === slab;
  assert(owned, 'slabFree: another slab', at);
  if (peek(words, at) === 0) panic('slabFree: freed twice', at, slab);
  poke(words, at, 0);
  const countAt = frameField(machine, pfn, FRAME.COUNT);
  const used = peek(words, countAt) - 1;
  poke(words, countAt, used);
  poke(words, slabField(slab, LIVE), peek(words, slabField(slab, LIVE)) - 1);
  if (used + 1 === TABLE_ENTRIES / size) addPartial(cpu, slab, pfn);
  if (used === 0) {
    removePartial(cpu, slab, pfn);
    poke(words, slabField(slab, FRAMES), peek(words, slabField(slab, FRAMES)) - 1);
    if (SLAB.DEFERRED[slab] === true) retireFrame(cpu, pfn);
    else freeFrame(cpu, pfn);
  }
}

function addPartial(cpu: Cpu, slab: number, pfn: Pfn): void {
  assertHeld(cpu, BOOT.SLAB_LOCK);
  const { machine, words } = cpu;
  const head = peek(words, slabField(slab, HEAD));
  poke(words, frameField(machine, pfn, FRAME.LINK), head);
  poke(words, frameField(machine, pfn, FRAME.AUX), 0);
  if (head !== 0) poke(words, frameField(machine, head, FRAME.AUX), pfn);
  poke(words, slabField(slab, HEAD), pfn);
}

function removePartial(cpu: Cpu, slab: number, pfn: Pfn): void {
  assertHeld(cpu, BOOT.SLAB_LOCK);
  const { machine, words } = cpu;
  const next = peek(words, frameField(machine, pfn, FRAME.LINK));
  const previous = peek(words, frameField(machine, pfn, FRAME.AUX));
  if (next !== 0) poke(words, frameField(machine, next, FRAME.AUX), previous);
  if (previous !== 0) poke(words, frameField(machine, previous, FRAME.LINK), next);
  else poke(words, slabField(slab, HEAD), next);
}
