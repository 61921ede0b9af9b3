/**
 * madvise(2). The checks and their order are Linux's (6.18, x86-64), as tested there.
 *
 * The advice is applied area by area, in address order: a refusal leaves what was done before it;
 * holes are skipped and reported at the end.
 * Locking: the areas' lock, and each area's range while its entries change. MADV_REMOVE and
 * MADV_POPULATE_* release the areas' lock while they work. A huge range is done in parts.
 */
import { peek } from '../../shared/atomics.ts';
import * as E from '../../shared/abi/errno.ts';
import * as PROCESS from '../../shared/layout/process.ts';
import * as RECORD from '../../shared/layout/record.ts';
import { PAGE_SIZE, RANGE_BATCH_PAGES, USER_SPACE_END } from '../../shared/limits.ts';
import * as M from '../../shared/abi/mman.ts';
import { guardOf } from '../../shared/pte.ts';
import { bytesOf, pagesOf, vpnOf } from '../../shared/units.ts';
import type { ObjectBlock, ProcessBlock, SpaceBlock, VirtAddr } from '../../shared/units.ts';
import { noteGuards, prepareAnon } from '../space/anon-identity.ts';
import { AREA_LOCKED, AREA_NO_WRITE, AREA_SEALED, AREA_SHARED } from '../machine/area-flags.ts';
import type { Area } from '../space/shared-area-store.ts';
import type { Cpu } from '../machine/cpu.ts';
import { assertAreasHeld } from '../machine/held-locks.ts';
import { giveWay } from '../faults/give-way.ts';
import { populateAccess } from '../mmu/populate.ts';
import { punchHole } from '../files/truncate.ts';
import { getObject, putObject } from '../objects/object.ts';
import { recordAt } from '../objects/record.ts';
import {
  coldRange,
  discardRange,
  freeRange,
  guardRange,
  unguardRange,
} from '../paging/map-range.ts';
import { closeRange } from '../paging/range-op.ts';
import { openRange } from '../space/open-range.ts';
import { areasOf } from '../space/space.ts';
import type { AreaSet } from '../space/space.ts';
import { advisedFlags, isAnonymous, isFlagAdvice } from './madvise-flags.ts';
import { markRange } from '../space/split.ts';
import type { AreaPart } from '../space/split.ts';
import { TRY_KERNEL } from '../machine/wait-codes.ts';
import { WRAP, pageAligned, unsignedPage } from '../space/wrapping.ts';

/** 0, a negative errno, -WAIT_PAGE, or -TRY_KERNEL. */
export function sysMadvise(
  cpu: Cpu,
  proc: ProcessBlock,
  address: VirtAddr,
  length: number,
  advice: number,
): number {
  if (![address, length, advice].every(Number.isInteger)) return -E.EINVAL;
  if (!isAdvice(advice) || address % PAGE_SIZE !== 0) return -E.EINVAL;
  const startAddress = unsignedPage(address);
  const size = pageAligned(length);
  // A length just below 2^64 rounds up to 0 and is refused; a length of 0 does nothing.
  if ((length !== 0 && size === 0) || startAddress + size >= WRAP) return -E.EINVAL;
  if (size === 0) return 0;
  const space: SpaceBlock = peek(cpu.words, proc + PROCESS.SPACE);
  const endAddress = startAddress + size;
  switch (advice) {
    case M.MADV_HWPOISON:
    case M.MADV_SOFT_OFFLINE:
      return -E.EPERM;
    case M.MADV_POPULATE_READ:
    case M.MADV_POPULATE_WRITE:
      return populatePages(cpu, proc, startAddress, endAddress, advice === M.MADV_POPULATE_WRITE);
    case M.MADV_REMOVE:
      // Only the kernel worker changes all mappings of an object, in every space.
      return cpu.id === 0 ? adviseAreas(cpu, space, startAddress, endAddress, advice) : -TRY_KERNEL;
    default:
      return adviseAreas(cpu, space, startAddress, endAddress, advice);
  }
}

function isAdvice(advice: number): boolean {
  switch (advice) {
    case M.MADV_WILLNEED:
    case M.MADV_DONTNEED:
    case M.MADV_FREE:
    case M.MADV_REMOVE:
    case M.MADV_COLD:
    case M.MADV_PAGEOUT:
    case M.MADV_POPULATE_READ:
    case M.MADV_POPULATE_WRITE:
    case M.MADV_DONTNEED_LOCKED:
    case M.MADV_COLLAPSE:
    case M.MADV_HWPOISON:
    case M.MADV_SOFT_OFFLINE:
    case M.MADV_GUARD_INSTALL:
    case M.MADV_GUARD_REMOVE:
      return true;
    default:
      return isFlagAdvice(advice);
  }
}

/** Nothing is mapped beyond user space, so a range that reaches there has a hole. */
function populatePages(
  cpu: Cpu,
  proc: ProcessBlock,
  startAddress: VirtAddr,
  endAddress: VirtAddr,
  write: boolean,
): number {
  if (startAddress >= USER_SPACE_END) return -E.ENOMEM;
  const stopVpn = vpnOf(Math.min(endAddress, USER_SPACE_END));
  const outcome = populateAccess(cpu, proc, vpnOf(startAddress), stopVpn, write);
  return outcome === 0 && endAddress > USER_SPACE_END ? -E.ENOMEM : outcome;
}

function adviseAreas(
  cpu: Cpu,
  space: SpaceBlock,
  startAddress: VirtAddr,
  endAddress: VirtAddr,
  advice: number,
): number {
  const { protocol } = cpu.machine;
  const areas = areasOf(cpu, space);
  let unmapped = 0;
  let outcome = 0;
  let pagesLeft = RANGE_BATCH_PAGES;
  protocol.lockAreas(cpu, space);
  for (let address = startAddress; address < endAddress && outcome === 0;) {
    const area = areas.nextArea(address);
    if (area === null || area.start >= endAddress) {
      outcome = -E.ENOMEM;
      break;
    }
    if (area.start > address) unmapped = -E.ENOMEM;
    const fromAddress = Math.max(address, area.start);
    if (pagesLeft <= 0) {
      outcome = giveWay(cpu, vpnOf(fromAddress));
      cpu.carriedErrno = unmapped;
      break;
    }
    address = Math.min(endAddress, area.end);
    if (changesPages(advice)) {
      // Linux drops its locks too, so nobody may rely on one step.
      address = Math.min(address, fromAddress + bytesOf(pagesLeft));
      pagesLeft -= pagesOf(address - fromAddress);
    }
    const part = { area, startAddress: fromAddress, endAddress: address };
    outcome = advisePart(cpu, space, areas, part, advice);
  }
  protocol.unlockAreas(cpu, space);
  return outcome === 0 ? unmapped : outcome;
}

/** Advice that looks at each page: a huge range is done in parts. */
function changesPages(advice: number): boolean {
  switch (advice) {
    case M.MADV_COLD:
    case M.MADV_DONTNEED:
    case M.MADV_DONTNEED_LOCKED:
    case M.MADV_FREE:
    case M.MADV_GUARD_INSTALL:
    case M.MADV_GUARD_REMOVE:
    case M.MADV_REMOVE:
      return true;
    default:
      return false;
  }
}

/** Applies the advice to a part of one area. The areas' lock is held, before and after. */
function advisePart(
  cpu: Cpu,
  space: SpaceBlock,
  areas: AreaSet,
  part: AreaPart,
  advice: number,
): number {
  assertAreasHeld(cpu, space);
  const { area } = part;
  if (isDiscard(advice) && !mayDiscard(area)) return -E.EPERM;
  if (isFlagAdvice(advice)) return setFlags(cpu, space, areas, part, advice);
  const isLocked = (area.flags & AREA_LOCKED) !== 0;
  switch (advice) {
    case M.MADV_WILLNEED:
      return 0;
    case M.MADV_PAGEOUT:
      return isLocked || area.backend.isSpecial ? -E.EINVAL : 0;
    case M.MADV_FREE:
      if (!isAnonymous(area)) return -E.EINVAL;
      return isLocked ? -E.EINVAL : changePages(cpu, space, part, advice);
    case M.MADV_COLD:
    case M.MADV_DONTNEED:
    case M.MADV_GUARD_INSTALL:
      if (isLocked) return -E.EINVAL;
      return changePages(cpu, space, part, advice);
    case M.MADV_DONTNEED_LOCKED:
    case M.MADV_GUARD_REMOVE:
      return changePages(cpu, space, part, advice);
    case M.MADV_REMOVE:
      return isLocked ? -E.EINVAL : removePages(cpu, space, part);
    default:
      // MADV_COLLAPSE: this machine has no huge pages.
      return -E.EINVAL;
  }
}

/** is_discard: what a sealed area refuses while it cannot be written. */
function isDiscard(advice: number): boolean {
  switch (advice) {
    case M.MADV_FREE:
    case M.MADV_DONTNEED:
    case M.MADV_DONTNEED_LOCKED:
    case M.MADV_REMOVE:
    case M.MADV_DONTFORK:
    case M.MADV_WIPEONFORK:
    case M.MADV_GUARD_INSTALL:
      return true;
    default:
      return false;
  }
}

/** can_madvise_modify. */
function mayDiscard(area: Area): boolean {
  if ((area.flags & AREA_SEALED) === 0 || !isAnonymous(area)) return true;
  return (area.flags & M.PROT_WRITE) !== 0;
}

function setFlags(
  cpu: Cpu,
  space: SpaceBlock,
  areas: AreaSet,
  { area, startAddress, endAddress }: AreaPart,
  advice: number,
): number {
  const flags = advisedFlags(area, advice);
  if (flags < 0 || flags === area.flags) return Math.min(flags, 0);
  const op = openRange(cpu, space, vpnOf(startAddress), vpnOf(endAddress));
  const result = markRange(op, areas, startAddress, endAddress, flags);
  closeRange(op);
  // Linux's madvise returns EAGAIN when a split finds no memory or too many areas.
  return result.ok ? 0 : -E.EAGAIN;
}

/** Takes pages out of an area, or notes that they are not needed; puts guards in or takes them. */
function changePages(
  cpu: Cpu,
  space: SpaceBlock,
  { area, startAddress, endAddress }: AreaPart,
  advice: number,
): number {
  if (area.backend.isSpecial) return -E.EINVAL;
  const startVpn = vpnOf(startAddress);
  const endVpn = vpnOf(endAddress);
  const op = openRange(cpu, space, startVpn, endVpn);
  const reserved = area.backend.reserved(area.flags);
  let done = true;
  switch (advice) {
    case M.MADV_GUARD_INSTALL:
      noteGuards(cpu, space, startVpn);
      // As with a page of its own.
      if (isAnonymous(area)) prepareAnon(cpu, space, startVpn);
      done = guardRange(op, startVpn, endVpn, guardOf(reserved));
      break;
    case M.MADV_FREE:
      done = freeRange(op, startVpn, endVpn, reserved);
      break;
    case M.MADV_COLD:
      done = coldRange(op, startVpn, endVpn);
      break;
    case M.MADV_GUARD_REMOVE:
      done = unguardRange(op, startVpn, endVpn, reserved);
      break;
    default:
      done = discardRange(op, startVpn, endVpn, reserved);
  }
  closeRange(op);
  return done ? 0 : -E.ENOMEM;
}

/** Punches a hole into the object of a shared area. */
function removePages(
  cpu: Cpu,
  space: SpaceBlock,
  { area, startAddress, endAddress }: AreaPart,
): number {
  if (isAnonymous(area)) return -E.EINVAL;
  if ((area.flags & (AREA_SHARED | AREA_NO_WRITE)) !== AREA_SHARED) return -E.EACCES;
  if (area.backend.isSpecial) return -E.ENODEV;
  const record = recordAt(cpu.machine, area.backend.record);
  const object: ObjectBlock = peek(cpu.words, record + RECORD.OBJECT);
  const delta = peek(cpu.words, record + RECORD.DELTA);
  const { protocol } = cpu.machine;
  getObject(cpu, object);
  // The hole shows in every mapping: other spaces' areas are locked, and this space's again.
  protocol.unlockAreas(cpu, space);
  const outcome = punchHole(cpu, object, vpnOf(startAddress) + delta, vpnOf(endAddress) + delta);
  protocol.lockAreas(cpu, space);
  putObject(cpu, object);
  return outcome;
}
