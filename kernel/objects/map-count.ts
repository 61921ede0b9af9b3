/** How many entries of page tables map a frame. */
import { peek } from '../../shared/atomics.ts';
import * as FRAME from '../../shared/layout/frame.ts';
import type { Pfn, SwapSlot } from '../../shared/units.ts';
import { frameRefs } from '../frames/frames.ts';
import { frameField } from '../machine/machine.ts';
import type { Machine } from '../machine/machine.ts';
import { isPageCache } from './pages.ts';

/** The frame's references less those of a page cache and of the swap map: 1 at least. */
export function mapCount(machine: Machine, pfn: Pfn): number {
  const slot: SwapSlot = peek(machine.words, frameField(machine, pfn, FRAME.AUX));
  const holders = (isPageCache(machine, pfn) ? 1 : 0) + (slot !== 0 ? 1 : 0);
  return Math.max(1, frameRefs(machine, pfn) - holders);
}
