/**
 * Pins of a frame, counted above its references in FRAME.COUNT: a pinned frame stays in use though
 * nobody refers to it any more (mmu/pin.ts).
 */
import { add, load } from '../../shared/atomics.ts';
import * as FRAME from '../../shared/layout/frame.ts';
import { panic } from '../../shared/panic.ts';
import type { Pfn } from '../../shared/units.ts';
import type { Cpu } from '../machine/cpu.ts';
import { frameField } from '../machine/machine.ts';
import type { Machine } from '../machine/machine.ts';
import { freeFrame } from './frames.ts';

/** Pins a frame, for one who keeps a reference meanwhile. False when it has PINS_MAX already. */
export function pinFrame(cpu: Cpu, pfn: Pfn): boolean {
  const at = frameField(cpu.machine, pfn, FRAME.COUNT);
  // ORDER: as getFrame. CPUs that check at once may exceed the limit by a pin each.
  if (load(cpu.words, at) >= FRAME.PINS_MAX * FRAME.PIN) return false;
  add(cpu.words, at, FRAME.PIN);
  return true;
}

/** Drops a pin. A frame that nobody refers to any more is freed with its last one. */
export function unpinFrame(cpu: Cpu, pfn: Pfn): void {
  // ORDER: as putFrame.
  const before = add(cpu.words, frameField(cpu.machine, pfn, FRAME.COUNT), -FRAME.PIN);
  if (before < FRAME.PIN) panic('unpinFrame: frame is not pinned', pfn, before);
  if (before === FRAME.PIN) freeFrame(cpu, pfn);
}

/** Whether a frame is pinned. Stable for one who keeps others from pinning it. */
export function isPinned(machine: Machine, pfn: Pfn): boolean {
  // ORDER: a pin is made under the page's lock, which the caller's excludes, or it is a hint.
  return load(machine.words, frameField(machine, pfn, FRAME.COUNT)) >= FRAME.PIN;
}
