/** mprotect(2). The checks and their order are Linux's (6.18, x86-64), as tested there. */
import { peek } from '../../shared/atomics.ts';
import * as E from '../../shared/abi/errno.ts';
import * as PROCESS from '../../shared/layout/process.ts';
import { PAGE_SIZE, USER_SPACE_END } from '../../shared/limits.ts';
import * as M from '../../shared/abi/mman.ts';
import { pagesOf, vpnOf } from '../../shared/units.ts';
import type { ProcessBlock, SpaceBlock, VirtAddr } from '../../shared/units.ts';
import {
  AREA_ACCOUNT,
  AREA_GROWSDOWN,
  AREA_LOCKED,
  AREA_NO_WRITE,
  AREA_PROT,
  AREA_SEALED,
  AREA_SHARED,
  isAccountable,
} from '../machine/area-flags.ts';
import type { Cpu } from '../machine/cpu.ts';
import { assertAreasHeld } from '../machine/held-locks.ts';
import { ANONYMOUS } from '../objects/record.ts';
import { closeRange } from '../paging/range-op.ts';
import { openRange } from '../space/open-range.ts';
import type { RangeOp } from '../paging/range-op.ts';
import { mayExpand } from '../space/rlimits.ts';
import { areasOf } from '../space/space.ts';
import type { Area, AreaSet } from '../space/shared-area-store.ts';
import { mappingErrno } from './mmap.ts';
import { keepFirstSplit } from '../space/split.ts';
import { WRAP, hasHighBits, pageAligned, unsignedPage } from '../space/wrapping.ts';

const GROWS: number = M.PROT_GROWSDOWN | M.PROT_GROWSUP;
const KNOWN: number = M.PROT_READ | M.PROT_WRITE | M.PROT_EXEC | M.PROT_SEM;

/**
 * Changes the permission of [address, address + length). 0 or a negative errno; on an error
 * everything before the failing address stays applied, as in Linux.
 */
export function sysMprotect(
  cpu: Cpu,
  proc: ProcessBlock,
  address: VirtAddr,
  length: number,
  prot: number,
): number {
  if (![address, length, prot].every(Number.isInteger)) return -E.EINVAL;
  if ((prot & GROWS) === GROWS) return -E.EINVAL;
  if (address % PAGE_SIZE !== 0) return -E.EINVAL;
  if (length === 0) return 0;
  const startAddress = unsignedPage(address);
  const size = pageAligned(length);
  if (size === 0 || startAddress + size >= WRAP) return -E.ENOMEM;
  if (hasHighBits(prot) || (prot & ~GROWS & ~KNOWN) !== 0) return -E.EINVAL;
  if (startAddress >= USER_SPACE_END) return -E.ENOMEM;
  const space: SpaceBlock = peek(cpu.words, proc + PROCESS.SPACE);
  const { protocol } = cpu.machine;
  protocol.lockAreas(cpu, space);
  const outcome = protectMapped(cpu, space, startAddress, startAddress + size, prot);
  protocol.unlockAreas(cpu, space);
  return outcome;
}

function protectMapped(
  cpu: Cpu,
  space: SpaceBlock,
  address: VirtAddr,
  endAddress: VirtAddr,
  prot: number,
): number {
  assertAreasHeld(cpu, space);
  const areas = areasOf(cpu, space);
  const first = areas.nextArea(address);
  if (first === null || first.start >= endAddress) return -E.ENOMEM;
  let startAddress = address;
  if ((prot & M.PROT_GROWSDOWN) !== 0) {
    startAddress = first.start;
    if ((first.flags & AREA_GROWSDOWN) === 0) return -E.EINVAL;
  } else {
    if (first.start > startAddress) return -E.ENOMEM;
    // Like x86, this machine has no areas that grow up.
    if ((prot & M.PROT_GROWSUP) !== 0) return -E.EINVAL;
  }
  // Nothing is mapped beyond the end of user space, so a range that reaches there has a hole.
  const stopAddress = Math.min(endAddress, USER_SPACE_END);
  const op = openRange(cpu, space, vpnOf(startAddress), vpnOf(stopAddress));
  const outcome = protectAreas(op, areas, startAddress, stopAddress, prot);
  closeRange(op);
  return outcome === 0 && stopAddress < endAddress ? -E.ENOMEM : outcome;
}

/** Area by area, each with its own checks, merging on the way, up to the first that refuses. */
function protectAreas(
  op: RangeOp,
  areas: AreaSet,
  startAddress: VirtAddr,
  endAddress: VirtAddr,
  prot: number,
): number {
  let at = startAddress;
  while (at < endAddress) {
    const area = areas.find(at);
    if (area === null) return -E.ENOMEM;
    const stop = Math.min(area.end, endAddress);
    const outcome = protectArea(op, areas, area, at, stop, prot);
    if (outcome !== 0) return outcome;
    at = stop;
  }
  return 0;
}

/** What mprotect_fixup of Linux does with the part [startAddress, endAddress) of one area. */
function protectArea(
  op: RangeOp,
  areas: AreaSet,
  area: Area,
  startAddress: VirtAddr,
  endAddress: VirtAddr,
  prot: number,
): number {
  const { flags } = area;
  const writable = (prot & M.PROT_WRITE) !== 0;
  if (writable && (flags & AREA_NO_WRITE) !== 0) return -E.EACCES;
  if ((flags & AREA_SEALED) !== 0) return -E.EPERM;
  let next = (flags & ~AREA_PROT) | (prot & AREA_PROT);
  if (next === flags) return 0;
  if (writable) {
    const { cpu, space } = op;
    const pages = pagesOf(endAddress - startAddress);
    if (!mayExpand(cpu, space, next, pages) && mayExpand(cpu, space, flags, pages)) {
      return -E.ENOMEM;
    }
    if ((flags & M.PROT_WRITE) === 0 && isAccountable(next)) next |= AREA_ACCOUNT;
  } else if (area.backend.record === ANONYMOUS && !area.backend.hasIdentity) {
    // Memory that was never written gives its charge back.
    next &= ~AREA_ACCOUNT;
  }
  const result = areas.protect(startAddress, endAddress - startAddress, () => next, op);
  if (!result.ok) {
    if (result.error.kind === 'NoMemory') keepFirstSplit(op, areas, startAddress);
    return mappingErrno(result.error);
  }
  if (isLockedForReading(flags) && writable) wantPopulated(op.cpu, startAddress, endAddress);
  return 0;
}

/** Private locked memory: when it becomes writable, its pages become its own at once. */
function isLockedForReading(flags: number): boolean {
  return (flags & (AREA_LOCKED | AREA_SHARED | M.PROT_WRITE)) === AREA_LOCKED;
}

/** Adds a part of the range, in ascending order; populate() skips what is not locked. */
function wantPopulated(cpu: Cpu, startAddress: VirtAddr, endAddress: VirtAddr): void {
  if (cpu.populateEndVpn === cpu.populateStartVpn) cpu.populateStartVpn = vpnOf(startAddress);
  cpu.populateEndVpn = vpnOf(endAddress);
}
