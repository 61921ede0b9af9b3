/** Sealed areas (mseal): whether an operation would change one. */
import { peek } from '../../shared/atomics.ts';
import { S_SEALS } from '../../shared/layout.ts';
import { AREA_SEALED } from '../areas/area-flags.ts';
import type { Cpu } from '../cpu/cpu.ts';
import type { AreaSet } from '../processes/space.ts';

/** Whether an area with a byte in [start, end) is sealed. Costs nothing where nothing ever was. */
export function isSealed(
  cpu: Cpu,
  space: number,
  areas: AreaSet,
  start: number,
  end: number,
): boolean {
  if (peek(cpu.words, space + S_SEALS) === 0) return false;
  let area = areas.nextArea(start);
  while (area !== null && area.start < end) {
    if ((area.flags & AREA_SEALED) !== 0) return true;
    area = areas.nextArea(area.end);
  }
  return false;
}
