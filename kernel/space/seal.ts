/** Sealed areas (mseal): areas that may not be unmapped or replaced. */
import { peek } from '../../shared/atomics.ts';
import { EPERM } from '../../shared/abi/errno.ts';
import * as SPACE from '../../shared/layout/space.ts';
import type { SpaceBlock, VirtAddr } from '../../shared/units.ts';
import { AREA_SEALED } from '../machine/area-flags.ts';
import type { Cpu } from '../machine/cpu.ts';
import { assertAreasHeld } from '../machine/held-locks.ts';
import type { AreaSet } from './space.ts';
import { splitAt } from './split.ts';

/**
 * -EPERM if an area with a byte in [startAddress, endAddress) is sealed, else 0. Costs nothing in a
 * space where no area ever was. The split of the first area at `startAddress` stays, because Linux
 * finds the seal only after that split.
 */
export function checkSealed(
  cpu: Cpu,
  space: SpaceBlock,
  areas: AreaSet,
  startAddress: VirtAddr,
  endAddress: VirtAddr,
): number {
  assertAreasHeld(cpu, space);
  if (peek(cpu.words, space + SPACE.SEALS) === 0) return 0;
  const first = areas.nextArea(startAddress);
  let area = first;
  while (area !== null && area.start < endAddress && (area.flags & AREA_SEALED) === 0) {
    area = areas.nextArea(area.end);
  }
  if (first === null || area === null || area.start >= endAddress) return 0;
  if (area.start !== first.start) splitAt(cpu, space, areas, startAddress);
  return -EPERM;
}
