/**
 * The swap map: which slot of the swap store holds a page, for how many entries, and whether its
 * frame is still (or again) in memory. A page table names a slot in a reserved entry.
 *
 *     FREE → DIRTY     a page was taken out of a page table; its frame holds the only copy
 *     DIRTY → WRITING  the kernel worker copies the frame to the store
 *     WRITING → CLEAN  the store has it; the frame goes when no entry uses it (any more)
 *     any → FREE       the last entry is gone
 *
 * Guarantees: while a slot has a frame, a fault takes that frame and no other copy exists; nobody
 * writes to it, because the map's own reference makes every writer copy. A frame in the map knows
 * its slot (FRAME.AUX), so that all entries of one frame go to one slot.
 * Locking: BOOT.SWAP_LOCK. It is taken inside page and range locks and takes none itself.
 * Not guaranteed: a free slot. Then the page stays where it is.
 */
import { peek, poke } from '../../shared/atomics.ts';
import * as BOOT from '../../shared/layout/boot.ts';
import * as FRAME from '../../shared/layout/frame.ts';
import * as SWAP from '../../shared/layout/swap.ts';
import { assert, panic } from '../../shared/panic.ts';
import type { Pfn, SwapSlot, WordIndex } from '../../shared/units.ts';
import type { Cpu } from '../machine/cpu.ts';
import { assertHeld } from '../machine/held-locks.ts';
import { lock, unlock } from '../machine/spinlock.ts';
import { frameRefs, getFrame, putFrame } from '../frames/frames.ts';
import { frameField } from '../machine/machine.ts';
import type { Machine } from '../machine/machine.ts';

/** First word of a slot. Slots are numbered from 1: 0 means none. */
export function slotAt(machine: Machine, slot: SwapSlot): WordIndex {
  assert(slot > 0 && slot <= machine.swapSlots, 'slotAt: no such slot', slot);
  return machine.swapMap + (slot - 1) * SWAP.WORDS;
}

/** The slot that a frame's page goes to, with a reference for an entry; 0 when swap is full. */
export function swapOutFrame(cpu: Cpu, pfn: Pfn): SwapSlot {
  const { machine, words } = cpu;
  lock(cpu, BOOT.SWAP_LOCK);
  let slot: SwapSlot = peek(words, frameField(machine, pfn, FRAME.AUX));
  if (slot !== 0) {
    const refs = slotAt(machine, slot) + SWAP.REFS;
    poke(words, refs, peek(words, refs) + 1);
  } else {
    slot = takeSlot(cpu);
    if (slot !== 0) {
      const at = slotAt(machine, slot);
      poke(words, at + SWAP.REFS, 1);
      poke(words, at + SWAP.PFN, pfn);
      poke(words, at + SWAP.STATE, SWAP.DIRTY);
      poke(words, at + SWAP.USES, peek(words, at + SWAP.USES) + 1);
      poke(words, frameField(machine, pfn, FRAME.AUX), slot);
      getFrame(cpu, pfn);
    }
  }
  unlock(cpu, BOOT.SWAP_LOCK);
  return slot;
}

function takeSlot(cpu: Cpu): SwapSlot {
  assertHeld(cpu, BOOT.SWAP_LOCK);
  const { machine, words } = cpu;
  let slot: SwapSlot = peek(words, BOOT.SWAP_FREE);
  if (slot !== 0) {
    poke(words, BOOT.SWAP_FREE, peek(words, slotAt(machine, slot) + SWAP.NEXT));
  } else {
    // Slots beyond the highest ever used have never been on the list.
    if (peek(words, BOOT.SWAP_HIGH) === machine.swapSlots) return 0;
    slot = peek(words, BOOT.SWAP_HIGH) + 1;
    poke(words, BOOT.SWAP_HIGH, slot);
  }
  poke(words, BOOT.SWAP_USED, peek(words, BOOT.SWAP_USED) + 1);
  return slot;
}

/** One more entry names the slot: fork copied it. */
export function getSlot(cpu: Cpu, slot: SwapSlot): void {
  lock(cpu, BOOT.SWAP_LOCK);
  const at = slotAt(cpu.machine, slot) + SWAP.REFS;
  if (peek(cpu.words, at) <= 0) panic('getSlot: slot is free', slot);
  poke(cpu.words, at, peek(cpu.words, at) + 1);
  unlock(cpu, BOOT.SWAP_LOCK);
}

/** An entry no longer names the slot. The last one frees it, and its frame's share in the map. */
export function putSlot(cpu: Cpu, slot: SwapSlot): void {
  const { machine, words } = cpu;
  const at = slotAt(machine, slot);
  lock(cpu, BOOT.SWAP_LOCK);
  const refs = peek(words, at + SWAP.REFS) - 1;
  if (refs < 0) panic('putSlot: slot is free', slot);
  poke(words, at + SWAP.REFS, refs);
  let pfn = 0;
  if (refs === 0) {
    pfn = dropCached(cpu, at);
    poke(words, at + SWAP.STATE, SWAP.FREE);
    poke(words, at + SWAP.NEXT, peek(words, BOOT.SWAP_FREE));
    poke(words, BOOT.SWAP_FREE, slot);
    poke(words, BOOT.SWAP_USED, peek(words, BOOT.SWAP_USED) - 1);
  }
  unlock(cpu, BOOT.SWAP_LOCK);
  if (pfn !== 0) putFrame(cpu, pfn);
}

/** Takes the frame out of a slot, under the lock; the caller drops its reference. 0: none. */
function dropCached(cpu: Cpu, at: WordIndex): Pfn {
  assertHeld(cpu, BOOT.SWAP_LOCK);
  const pfn: Pfn = peek(cpu.words, at + SWAP.PFN);
  if (pfn === 0) return 0;
  poke(cpu.words, at + SWAP.PFN, 0);
  poke(cpu.words, frameField(cpu.machine, pfn, FRAME.AUX), 0);
  return pfn;
}

/** The frame that holds the slot's page now, with a reference for the caller; 0: in the store. */
export function swapLookup(cpu: Cpu, slot: SwapSlot): Pfn {
  lock(cpu, BOOT.SWAP_LOCK);
  const pfn: Pfn = peek(cpu.words, slotAt(cpu.machine, slot) + SWAP.PFN);
  if (pfn !== 0) getFrame(cpu, pfn);
  unlock(cpu, BOOT.SWAP_LOCK);
  return pfn;
}

/**
 * The kernel worker is about to write a slot to the store: its frame, with a reference, or 0 when
 * there is nothing to write any more.
 */
export function beginSwapWrite(cpu: Cpu, slot: SwapSlot): Pfn {
  const { words } = cpu;
  const at = slotAt(cpu.machine, slot);
  lock(cpu, BOOT.SWAP_LOCK);
  const pfn = peek(words, at + SWAP.STATE) === SWAP.DIRTY ? peek(words, at + SWAP.PFN) : 0;
  if (pfn !== 0) {
    poke(words, at + SWAP.STATE, SWAP.WRITING);
    getFrame(cpu, pfn);
  }
  unlock(cpu, BOOT.SWAP_LOCK);
  return pfn;
}

/**
 * The store has the slot (`written`), or could not take it. The frame leaves the map unless an
 * entry uses it; an unwritten one stays and is written another time. Returns the frames freed.
 *
 * Also called for a slot with nothing to write: its frame was brought back for one of its entries,
 * and no entry uses it any more.
 */
export function endSwapWrite(cpu: Cpu, slot: SwapSlot, written: boolean): number {
  const { machine, words } = cpu;
  const at = slotAt(machine, slot);
  lock(cpu, BOOT.SWAP_LOCK);
  let pfn = 0;
  // If the slot was freed meanwhile, and perhaps reused, this write means nothing.
  if (peek(words, at + SWAP.STATE) === SWAP.WRITING) {
    poke(words, at + SWAP.STATE, written ? SWAP.CLEAN : SWAP.DIRTY);
  }
  const isClean = peek(words, at + SWAP.STATE) === SWAP.CLEAN;
  if (isClean && isUnused(cpu, peek(words, at + SWAP.PFN))) pfn = dropCached(cpu, at);
  unlock(cpu, BOOT.SWAP_LOCK);
  if (pfn === 0) return 0;
  putFrame(cpu, pfn);
  return 1;
}

/**
 * Gives back frames that the store has too and that no entry uses any more: the process that asked
 * for the page has written to a copy, or ended. Looks at `count` slots from `firstSlot` on; `next`
 * is where to continue.
 */
export function dropCleanFrames(
  cpu: Cpu,
  firstSlot: SwapSlot,
  count: number,
): { readonly freed: number; readonly next: number } {
  const { machine, words } = cpu;
  const pfns: Pfn[] = [];
  lock(cpu, BOOT.SWAP_LOCK);
  const high = peek(words, BOOT.SWAP_HIGH);
  let slot = firstSlot;
  for (let i = 0; i < Math.min(count, high); i++, slot++) {
    if (slot > high) slot = 1;
    const at = slotAt(machine, slot);
    if (peek(words, at + SWAP.STATE) !== SWAP.CLEAN) continue;
    if (isUnused(cpu, peek(words, at + SWAP.PFN))) pfns.push(dropCached(cpu, at));
  }
  unlock(cpu, BOOT.SWAP_LOCK);
  for (const pfn of pfns) putFrame(cpu, pfn);
  return { freed: pfns.length, next: slot };
}

/** Only the map holds the frame. New holders need the map's lock, which the caller holds. */
function isUnused(cpu: Cpu, pfn: Pfn): boolean {
  assertHeld(cpu, BOOT.SWAP_LOCK);
  return pfn !== 0 && frameRefs(cpu.machine, pfn) === 1;
}

/** The store has the slot's page, and no frame does. Under the lock. */
function isInStoreAlone({ words }: Cpu, at: WordIndex): boolean {
  return peek(words, at + SWAP.STATE) === SWAP.CLEAN && peek(words, at + SWAP.PFN) === 0;
}

/**
 * A value to compare the slot with when the store replies: see finishSwapRead. 0 when there is
 * nothing to read: the slot is free, or it has a frame, whose page the store may not have yet. The
 * fault that asked then finds out which.
 */
export function beginSwapRead(cpu: Cpu, slot: SwapSlot): number {
  const at = slotAt(cpu.machine, slot);
  lock(cpu, BOOT.SWAP_LOCK);
  const uses = isInStoreAlone(cpu, at) ? peek(cpu.words, at + SWAP.USES) : 0;
  unlock(cpu, BOOT.SWAP_LOCK);
  return uses;
}

/**
 * Gives a slot its page back, in a frame whose reference becomes the map's. False when the slot has
 * a frame, is free, or was used for another page since `beginSwapRead` gave `uses`: the caller
 * keeps the frame.
 */
export function finishSwapRead(cpu: Cpu, slot: SwapSlot, uses: number, pfn: Pfn): boolean {
  const { machine, words } = cpu;
  const at = slotAt(machine, slot);
  lock(cpu, BOOT.SWAP_LOCK);
  const wanted = isInStoreAlone(cpu, at) && peek(words, at + SWAP.USES) === uses;
  if (wanted) {
    poke(words, at + SWAP.PFN, pfn);
    poke(words, frameField(machine, pfn, FRAME.AUX), slot);
  }
  unlock(cpu, BOOT.SWAP_LOCK);
  return wanted;
}
