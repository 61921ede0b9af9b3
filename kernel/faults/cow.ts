/**
 * Copy on write. An entry with COW is not writable although its area is: a page cache or
 * another space may hold the frame.
 *
 * Guarantees: the sole holder of a frame writes in place; otherwise the writer gets a copy, and
 * the old frame loses this entry's reference only after no CPU can read it through this space.
 * Locking: the protocol's page lock, held by the fault handler.
 */
import { compareExchange, copyWords } from '../../shared/atomics.ts';
import * as FRAME from '../../shared/layout/frame.ts';
import { TABLE_ENTRIES } from '../../shared/limits.ts';
import * as pte from '../../shared/pte.ts';
import type { Pfn, Pte, SpaceBlock, Vpn, WordIndex } from '../../shared/units.ts';
import type { Cpu } from '../machine/cpu.ts';
import { FAULT_DONE, FAULT_NO_MEMORY } from '../machine/fault-codes.ts';
import { allocFrame, frameRefs, freeFrame, putFrame } from '../frames/frames.ts';
import { frameWord } from '../machine/machine.ts';
import { shootDown } from '../paging/shootdown.ts';

const WRITTEN: number = pte.PTE_A | pte.PTE_D;

/** Makes the present COW entry at `at` writable; copies unless this space is the sole holder. */
export function breakCow(cpu: Cpu, space: SpaceBlock, at: WordIndex, entry: Pte, vpn: Vpn): number {
  const { words } = cpu;
  const shared = pte.pfnOf(entry);
  const rwx = pte.logicalRwx(entry);
  if (frameRefs(cpu.machine, shared) === 1) {
    // ORDER: if the MMU sets A first, the exchange fails and the access faults again.
    compareExchange(words, at, entry, pte.makeLeaf(shared, rwx | WRITTEN));
    return FAULT_DONE;
  }
  const copy = copyFrame(cpu, shared);
  if (copy === 0) return FAULT_NO_MEMORY;
  // ORDER: publishes the copied contents with the frame.
  if (compareExchange(words, at, entry, pte.makeLeaf(copy, rwx | WRITTEN)) !== entry) {
    freeFrame(cpu, copy);
    return FAULT_DONE;
  }
  if ((entry & pte.PTE_A) !== 0) shootDown(cpu, space, vpn, 1);
  putFrame(cpu, shared);
  return FAULT_DONE;
}

/** A private copy of a frame; 0 when memory is exhausted. */
export function copyFrame(cpu: Cpu, source: Pfn): Pfn {
  const copy = allocFrame(cpu, FRAME.USED);
  if (copy === 0) return 0;
  const { machine } = cpu;
  copyWords(cpu.words, frameWord(machine, copy), frameWord(machine, source), TABLE_ENTRIES);
  return copy;
}
