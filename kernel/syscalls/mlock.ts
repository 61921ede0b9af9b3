/**
 * mlock(2) and its kin. The checks and their order are Linux's (6.18, x86-64: mm/mlock.c), as
 * tested there. Unless MLOCK_ONFAULT is given, a locked range is faulted in at once.
 */
import { CAP_IPC_LOCK } from '../../shared/abi/capabilities.ts';
import { peek, poke } from '../../shared/atomics.ts';
import * as E from '../../shared/abi/errno.ts';
import * as PROCESS from '../../shared/layout/process.ts';
import * as SPACE from '../../shared/layout/space.ts';
import { PAGE_SIZE, USER_PAGES, USER_SPACE_END } from '../../shared/limits.ts';
import * as M from '../../shared/abi/mman.ts';
import { pagesOf, vpnOf } from '../../shared/units.ts';
import type { ProcessBlock, SpaceBlock, VirtAddr } from '../../shared/units.ts';
import {
  AREA_DROPPABLE,
  AREA_LOCKED,
  AREA_LOCKONFAULT,
  AREA_LOCK_FLAGS,
} from '../machine/area-flags.ts';
import type { AreaSet } from '../space/shared-area-store.ts';
import type { Cpu } from '../machine/cpu.ts';
import { assertAreasHeld } from '../machine/held-locks.ts';
import { populateLocked } from '../mmu/populate.ts';
import { closeRange } from '../paging/range-op.ts';
import { openRange } from '../space/open-range.ts';
import { canLock, hasCapability, lockLimitPages } from '../space/rlimits.ts';
import { areasOf } from '../space/space.ts';
import { mappingErrno } from './mmap.ts';
import { markRange } from '../space/split.ts';
import type { AreaPart } from '../space/split.ts';
import { WRAP, pageAligned, unsignedPage } from '../space/wrapping.ts';

/** Locks [address, address + length), rounded out to pages, and faults it in. */
export function sysMlock(cpu: Cpu, proc: ProcessBlock, address: VirtAddr, length: number): number {
  if (![address, length].every(Number.isInteger)) return -E.EINVAL;
  return lockRange(cpu, proc, address, length, AREA_LOCKED);
}

/** As mlock; with MLOCK_ONFAULT, pages stay once they have been faulted in. */
export function sysMlock2(
  cpu: Cpu,
  proc: ProcessBlock,
  address: VirtAddr,
  length: number,
  flags: number,
): number {
  if (![address, length, flags].every(Number.isInteger)) return -E.EINVAL;
  if (flags !== 0 && flags !== M.MLOCK_ONFAULT) return -E.EINVAL;
  const bits = AREA_LOCKED | (flags === 0 ? 0 : AREA_LOCKONFAULT);
  return lockRange(cpu, proc, address, length, bits);
}

function lockRange(
  cpu: Cpu,
  proc: ProcessBlock,
  address: VirtAddr,
  length: number,
  bits: number,
): number {
  const space: SpaceBlock = peek(cpu.words, proc + PROCESS.SPACE);
  if (!canLock(cpu, space)) return -E.EPERM;
  const { startAddress, size } = pageRange(address, length);
  const { protocol } = cpu.machine;
  protocol.lockAreas(cpu, space);
  const areas = areasOf(cpu, space);
  const outcome = mayLockRange(cpu, space, areas, startAddress, size)
    ? setLockFlags(cpu, space, areas, startAddress, size, bits)
    : -E.ENOMEM;
  protocol.unlockAreas(cpu, space);
  return outcome !== 0 || size === 0 ? outcome : mlockRest(cpu, proc, startAddress, size);
}

/** The second part of mlock: faults in the pages of a range whose areas have been marked. */
export function mlockRest(
  cpu: Cpu,
  proc: ProcessBlock,
  startAddress: VirtAddr,
  size: number,
): number {
  const populated = populateLocked(cpu, proc, vpnOf(startAddress), vpnOf(startAddress + size));
  // POSIX's errnos: ENOMEM for pages that cannot be accessed, EAGAIN when memory is exhausted.
  if (populated === -E.EFAULT) return -E.ENOMEM;
  return populated === -E.ENOMEM ? -E.EAGAIN : populated;
}

/** Undoes mlock. Pages stay where they are. */
export function sysMunlock(
  cpu: Cpu,
  proc: ProcessBlock,
  address: VirtAddr,
  length: number,
): number {
  if (![address, length].every(Number.isInteger)) return -E.EINVAL;
  const { startAddress, size } = pageRange(address, length);
  const space: SpaceBlock = peek(cpu.words, proc + PROCESS.SPACE);
  const { protocol } = cpu.machine;
  protocol.lockAreas(cpu, space);
  const outcome = setLockFlags(cpu, space, areasOf(cpu, space), startAddress, size, 0);
  protocol.unlockAreas(cpu, space);
  return outcome;
}

/** The pages that hold a byte of the range; none for a length that wraps to 0. */
function pageRange(address: VirtAddr, length: number): { startAddress: VirtAddr; size: number } {
  const offset = ((address % PAGE_SIZE) + PAGE_SIZE) % PAGE_SIZE;
  return { startAddress: unsignedPage(address - offset), size: pageAligned(length + offset) };
}

/** Whether RLIMIT_MEMLOCK allows the range, of which a part may be locked already. */
function mayLockRange(
  cpu: Cpu,
  space: SpaceBlock,
  areas: AreaSet,
  startAddress: VirtAddr,
  size: number,
): boolean {
  if (hasCapability(cpu, space, CAP_IPC_LOCK)) return true;
  const limit = lockLimitPages(cpu, space);
  let pages = pagesOf(size) + peek(cpu.words, space + SPACE.LOCKED_PAGES);
  if (pages <= limit) return true;
  const endAddress = startAddress + size;
  let area = startAddress < USER_SPACE_END ? areas.nextArea(startAddress) : null;
  while (area !== null && area.start < endAddress) {
    const shared = Math.min(area.end, endAddress) - Math.max(area.start, startAddress);
    if ((area.flags & AREA_LOCKED) !== 0) pages -= pagesOf(shared);
    area = area.end < USER_SPACE_END ? areas.nextArea(area.end) : null;
  }
  return pages <= limit;
}

/** Area by area up to the first hole (apply_vma_lock_flags in Linux). */
function setLockFlags(
  cpu: Cpu,
  space: SpaceBlock,
  areas: AreaSet,
  startAddress: VirtAddr,
  size: number,
  bits: number,
): number {
  const endAddress = startAddress + size;
  if (endAddress >= WRAP) return -E.EINVAL;
  let outcome = 0;
  for (let at = startAddress; at < endAddress && outcome === 0;) {
    const area = at < USER_SPACE_END ? areas.find(at) : null;
    if (area === null) return -E.ENOMEM;
    const stop = Math.min(area.end, endAddress);
    outcome = lockPart(cpu, space, areas, { area, startAddress: at, endAddress: stop }, bits);
    at = stop;
  }
  return outcome;
}

/** mlock_fixup: areas without frames behind them, and droppable ones, are skipped. */
function lockPart(
  cpu: Cpu,
  space: SpaceBlock,
  areas: AreaSet,
  { area, startAddress, endAddress }: AreaPart,
  bits: number,
): number {
  assertAreasHeld(cpu, space);
  const next = (area.flags & ~AREA_LOCK_FLAGS) | bits;
  if (next === area.flags || area.backend.isSpecial) return 0;
  if ((area.flags & AREA_DROPPABLE) !== 0) return 0;
  const op = openRange(cpu, space, vpnOf(startAddress), vpnOf(endAddress));
  const result = markRange(op, areas, startAddress, endAddress, next);
  closeRange(op);
  return result.ok ? 0 : mappingErrno(result.error);
}

/** Locks all present mappings (MCL_CURRENT), all future ones (MCL_FUTURE), or both. */
export function sysMlockall(cpu: Cpu, proc: ProcessBlock, flags: number): number {
  const known = M.MCL_CURRENT | M.MCL_FUTURE | M.MCL_ONFAULT;
  if (!Number.isInteger(flags) || flags <= 0 || flags > known) return -E.EINVAL;
  if (flags === M.MCL_ONFAULT) return -E.EINVAL;
  const space: SpaceBlock = peek(cpu.words, proc + PROCESS.SPACE);
  if (!canLock(cpu, space)) return -E.EPERM;
  const current = (flags & M.MCL_CURRENT) !== 0;
  const { protocol } = cpu.machine;
  protocol.lockAreas(cpu, space);
  const total = peek(cpu.words, space + SPACE.TOTAL_PAGES);
  const within = hasCapability(cpu, space, CAP_IPC_LOCK) || total <= lockLimitPages(cpu, space);
  if (!current || within) lockAll(cpu, space, flags);
  protocol.unlockAreas(cpu, space);
  if (current && !within) return -E.ENOMEM;
  if (current) {
    cpu.populateStartVpn = 0;
    cpu.populateEndVpn = USER_PAGES;
  }
  return 0;
}

/** Undoes mlock and mlockall of the whole space, for the future too. Always 0. */
export function sysMunlockall(cpu: Cpu, proc: ProcessBlock): number {
  const space: SpaceBlock = peek(cpu.words, proc + PROCESS.SPACE);
  const { protocol } = cpu.machine;
  protocol.lockAreas(cpu, space);
  lockAll(cpu, space, 0);
  protocol.unlockAreas(cpu, space);
  return 0;
}

/** apply_mlockall_flags: MCL_FUTURE alone leaves present mappings as they are. */
function lockAll(cpu: Cpu, space: SpaceBlock, flags: number): void {
  assertAreasHeld(cpu, space);
  const bits = AREA_LOCKED | ((flags & M.MCL_ONFAULT) !== 0 ? AREA_LOCKONFAULT : 0);
  const future = (flags & M.MCL_FUTURE) !== 0;
  const current = (flags & M.MCL_CURRENT) !== 0;
  poke(cpu.words, space + SPACE.FUTURE_FLAGS, future ? bits : 0);
  if (future && !current) return;
  const areas = areasOf(cpu, space);
  let area = areas.nextArea(0);
  while (area !== null) {
    const { start: startAddress, end: endAddress } = area;
    // Like Linux, goes on after an area that fails here.
    lockPart(cpu, space, areas, { area, startAddress, endAddress }, current ? bits : 0);
    area = endAddress < USER_SPACE_END ? areas.nextArea(endAddress) : null;
  }
}
