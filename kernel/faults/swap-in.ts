/**
 * A fault on a page that was swapped out: maps the frame if it is in memory; otherwise the kernel
 * worker must read it from the store.
 *
 * Guarantees: all faults on the slot get one frame. The entry is copy-on-write, so that the next
 * write takes the frame over, without a copy if no other entry has it.
 * Locking: the protocol's page lock; the swap map's lock inside.
 */
import { compareExchange } from '../../shared/atomics.ts';
import * as pte from '../../shared/pte.ts';
import type { Pte, SpaceBlock, WordIndex } from '../../shared/units.ts';
import { STAT, count } from '../machine/cpu.ts';
import type { Cpu } from '../machine/cpu.ts';
import { putFrame } from '../frames/frames.ts';
import { addResident } from '../frames/memory-group.ts';
import { putSlot, swapLookup } from '../objects/swap-map.ts';
import { FAULT_DONE, FAULT_WAIT } from '../machine/fault-codes.ts';

/** Stands for the object's block when a fault waits for a slot of the swap store. */
export const SWAP_STORE = 0;
/** The same when it waits for a free frame alone. */
export const NO_OBJECT = -1;

/** Resolves a fault whose reserved entry names a swap slot. */
export function resolveSwap(cpu: Cpu, space: SpaceBlock, at: WordIndex, entry: Pte): number {
  const slot = pte.reservedSlot(entry);
  const pfn = swapLookup(cpu, slot);
  if (pfn === 0) {
    cpu.faultObject = SWAP_STORE;
    cpu.faultPage = slot;
    return FAULT_WAIT;
  }
  // Dirty: once the slot is free, memory has the only copy.
  const bits = pte.copyOnWriteBits(entry & pte.PTE_RWX) | pte.PTE_A | pte.PTE_D;
  // ORDER: publishes the frame's contents. Under a protocol with parallel faults another may win.
  if (compareExchange(cpu.words, at, entry, pte.makeLeaf(pfn, bits)) === entry) {
    addResident(cpu, space, 1);
    putSlot(cpu, slot);
  } else {
    count(cpu, STAT.raceLosses, 1);
    putFrame(cpu, pfn);
  }
  return FAULT_DONE;
}
