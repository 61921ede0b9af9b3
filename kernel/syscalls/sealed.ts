/** Sealed areas (mseal): what refuses to be unmapped or replaced. */
import { peek, poke } from '../../shared/atomics.ts';
import { EPERM } from '../../shared/errno.ts';
import { S_APART, S_SEALS } from '../../shared/layout.ts';
import { PAGE_SIZE } from '../../shared/limits.ts';
import { AREA_SEALED } from '../areas/area-flags.ts';
import type { Cpu } from '../cpu/cpu.ts';
import { closeRange, openRange } from '../paging/range-op.ts';
import type { AreaSet } from '../processes/space.ts';

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
  if (peek(cpu.words, space + S_SEALS) === 0) return 0;
  const first = areas.nextArea(start);
  let area = first;
  while (area !== null && area.start < end && (area.flags & AREA_SEALED) === 0) {
    area = areas.nextArea(area.end);
  }
  if (first === null || area === null || area.start >= end) return 0;
  if (area.start !== first.start) splitAt(cpu, space, areas, start);
  return -EPERM;
}

/** Divides the area around `address`, if there is one, for the sake of what reports show. */
export function splitAt(cpu: Cpu, space: number, areas: AreaSet, address: number): void {
  const area = areas.find(address);
  if (area === null || area.start === address) return;
  const op = openRange(cpu, space, address / PAGE_SIZE, address / PAGE_SIZE + 1);
  if (areas.divide(address).ok) poke(cpu.words, space + S_APART, 1);
  closeRange(op);
}
