/** Sealed areas (mseal): what refuses to be unmapped or replaced. */
import { peek } from '../../shared/atomics.ts';
import { EPERM } from '../../shared/abi/errno.ts';
import * as SPACE from '../../shared/layout/space.ts';
import { AREA_SEALED } from '../machine/area-flags.ts';
import type { Cpu } from '../machine/cpu.ts';
import type { AreaSet } from './space.ts';
import { splitAt } from './split.ts';

/**
 * -EPERM if an area with a byte in [start, end) is sealed, else 0. Costs nothing where nothing ever
 * was. As in Linux, which meets the seal after it has split the first area at `start`, that split
 * stays.
 */
export function checkSealed(
  cpu: Cpu,
  space: number,
  areas: AreaSet,
  start: number,
  end: number,
): number {
  if (peek(cpu.words, space + SPACE.SEALS) === 0) return 0;
  const first = areas.nextArea(start);
  let area = first;
  while (area !== null && area.start < end && (area.flags & AREA_SEALED) === 0) {
    area = areas.nextArea(area.end);
  }
  if (first === null || area === null || area.start >= end) return 0;
  if (area.start !== first.start) splitAt(cpu, space, areas, start);
  return -EPERM;
}
