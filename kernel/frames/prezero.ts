/**
 * Zeroing ahead: the free frames that are handed out next are zeroed while nobody waits for them,
 * so that a demand-zero fault finds its frame ready. They stay where they are, in the buddy
 * allocator's lists, and carry a mark (FRAME.ZEROED) until they are used.
 *
 * Locking: BOOT.BUDDY_LOCK, for PREZERO_BATCH frames at a time: a few microseconds.
 * Not guaranteed: that the next frame is a zeroed one. What a CPU has just freed is used first.
 */
import { peek, poke } from '../../shared/atomics.ts';
import * as BOOT from '../../shared/layout/boot.ts';
import * as FRAME from '../../shared/layout/frame.ts';
import { BUDDY_ORDERS } from '../../shared/limits.ts';
import type { Pfn, WordIndex } from '../../shared/units.ts';
import type { Cpu } from '../machine/cpu.ts';
import { lock, unlock } from '../machine/spinlock.ts';
import { frameField, zeroFrame } from '../machine/machine.ts';
import type { Machine } from '../machine/machine.ts';
import { checkPoison } from './frames.ts';

/** Frames zeroed under one hold of the lock. */
const PREZERO_BATCH = 32;

/**
 * Zeroes up to PREZERO_BATCH of the first `frames` free frames, in the order in which they will be
 * handed out; returns how many it zeroed, fewer than PREZERO_BATCH when none is left. Kernel mode.
 */
export function prezero(cpu: Cpu, frames: number): number {
  const { machine } = cpu;
  let zeroed = 0;
  let left = frames;
  lock(cpu, BOOT.BUDDY_LOCK);
  for (let order = 0; order < BUDDY_ORDERS; order++) {
    let head = peek(machine.words, BOOT.FREE_HEADS + order);
    for (; head !== 0 && left > 0; head = peek(machine.words, linkOf(machine, head))) {
      const end = head + Math.min(1 << order, left);
      left -= end - head;
      for (let pfn = head; pfn < end && zeroed < PREZERO_BATCH; pfn++) {
        if (zeroFree(machine, pfn)) zeroed++;
      }
    }
    if (zeroed === PREZERO_BATCH) break;
  }
  unlock(cpu, BOOT.BUDDY_LOCK);
  return zeroed;
}

function linkOf(machine: Machine, pfn: Pfn): WordIndex {
  return frameField(machine, pfn, FRAME.LINK);
}

/** Zeroes a free frame; false when it is zero already. */
function zeroFree(machine: Machine, pfn: Pfn): boolean {
  const { words } = machine;
  const at = frameField(machine, pfn, FRAME.STATE);
  if ((peek(words, at) & FRAME.ZEROED) !== 0) return false;
  if (machine.checked) checkPoison(machine, pfn);
  zeroFrame(machine, pfn);
  poke(words, at, (peek(words, at) & ~FRAME.POISONED) | FRAME.ZEROED);
  return true;
}
