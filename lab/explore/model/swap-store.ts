/** The swap store of explored machines: one word a slot, which is all that scenarios look at. */
import type { Cpu } from '../../../kernel/machine/cpu.ts';
import { allocFrame, freeFrame } from '../../../kernel/frames/frames.ts';
import { frameWord } from '../../../kernel/machine/machine.ts';
import { beginSwapRead, finishSwapRead } from '../../../kernel/objects/swap-map.ts';
import { load, store } from '../../../shared/atomics.ts';
import * as FRAME from '../../../shared/layout/frame.ts';
import { SWAP_STORE } from './scratch.ts';

/** Slots of an explored machine. */
export const SWAP_SLOTS = 1;

/** The word that stands for a slot's page in the store. */
export function swapStoreWord(slot: number): number {
  return SWAP_STORE + slot;
}

/** Reads a slot as the kernel worker does. False when there is no frame for it. */
export function swapIn(cpu: Cpu, slot: number): boolean {
  const uses = beginSwapRead(cpu, slot);
  if (uses === 0) return true;
  // ORDER: the answer of the store, which may be late.
  const value = load(cpu.words, swapStoreWord(slot));
  const pfn = allocFrame(cpu, FRAME.USED);
  if (pfn === 0) return false;
  // ORDER: the page's contents before the frame is published.
  store(cpu.words, frameWord(cpu.machine, pfn), value);
  if (!finishSwapRead(cpu, slot, uses, pfn)) freeFrame(cpu, pfn);
  return true;
}
