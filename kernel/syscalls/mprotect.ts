/** mprotect(2). The checks and their order are Linux's (6.18, x86-64), by execution there. */
import { AddrRange } from '../../shared/addr-range.ts';
import { peek } from '../../shared/atomics.ts';
import * as E from '../../shared/errno.ts';
import * as L from '../../shared/layout.ts';
import { PAGE_SIZE, USER_SPACE_END } from '../../shared/limits.ts';
import * as M from '../../shared/mman.ts';
import { AREA_NO_WRITE, AREA_PROT } from '../areas/area-flags.ts';
import type { Cpu } from '../cpu/cpu.ts';
import { mappingErrno } from './mmap.ts';
import { closeRange, openRange } from '../paging/range-op.ts';
import { areasOf } from '../processes/space.ts';
import type { AreaSet } from '../processes/space.ts';

const GROWS: number = M.PROT_GROWSDOWN | M.PROT_GROWSUP;
const KNOWN: number = M.PROT_READ | M.PROT_WRITE | M.PROT_EXEC | M.PROT_SEM;

/**
 * Changes the permission of [address, address + length). 0 or a negative errno; on an error
 * everything before the failing address stays applied, as in Linux.
 */
export function sysMprotect(
  cpu: Cpu,
  proc: number,
  address: number,
  length: number,
  prot: number,
): number {
  if (![address, length, prot].every(Number.isInteger)) return -E.EINVAL;
  if ((prot & GROWS) === GROWS) return -E.EINVAL;
  if (address % PAGE_SIZE !== 0) return -E.EINVAL;
  if (length === 0) return 0;
  const size = Math.ceil(length / PAGE_SIZE) * PAGE_SIZE;
  if (length < 0 || address < 0) return -E.ENOMEM;
  if ((prot & ~GROWS & ~KNOWN) !== 0) return -E.EINVAL;
  if (address >= USER_SPACE_END) return -E.ENOMEM;
  const space = peek(cpu.words, proc + L.P_SPACE);
  const { protocol } = cpu.machine;
  protocol.lockAreas(cpu, space);
  const outcome = protectMapped(cpu, space, address, size, prot);
  protocol.unlockAreas(cpu, space);
  return outcome;
}

function protectMapped(cpu: Cpu, space: number, start: number, size: number, prot: number): number {
  const areas = areasOf(cpu, space);
  // Nothing is mapped beyond the end of user space: there, a range has a hole.
  const end = Math.min(start + size, USER_SPACE_END);
  const range = new AddrRange(start, end);
  if (areas.find(start) === null) return -E.ENOMEM;
  // This machine has no mapping that grows: Linux refuses the flag on any other.
  if ((prot & GROWS) !== 0) return -E.EINVAL;
  const hole = areas.firstHole(range);
  const mapped = hole === null ? range.end : hole.start;
  const denied = firstDenied(areas, start, mapped, prot);
  const stop = denied ?? mapped;
  if (stop > start) {
    const op = openRange(cpu, space, start / PAGE_SIZE, stop / PAGE_SIZE);
    const update = (flags: number): number | null => {
      const next = (flags & ~AREA_PROT) | (prot & AREA_PROT);
      return next === flags ? null : next;
    };
    const result = areas.protect(start, stop - start, update, op);
    closeRange(op);
    if (!result.ok) return mappingErrno(result.error);
  }
  if (denied !== null) return -E.EACCES;
  return hole === null && end === start + size ? 0 : -E.ENOMEM;
}

/** Where the first area begins that may not get this permission, or null. */
function firstDenied(areas: AreaSet, start: number, end: number, prot: number): number | null {
  if ((prot & M.PROT_WRITE) === 0) return null;
  let at = start;
  while (at < end) {
    const area = areas.nextArea(at);
    if (area === null || area.start >= end) return null;
    if ((area.flags & AREA_NO_WRITE) !== 0) return Math.max(area.start, start);
    at = area.end;
  }
  return null;
}
