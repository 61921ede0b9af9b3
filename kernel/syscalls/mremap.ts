/**
 * mremap(2). The checks, their order and the steps are Linux's (6.18: mm/mremap.c), by execution
 * there. A moved range keeps its pages, permissions, locks and advice.
 */
import { AddrRange } from '../../shared/addr/addr-range.ts';
import { peek } from '../../shared/atomics.ts';
import * as E from '../../shared/abi/errno.ts';
import * as BOOT from '../../shared/layout/boot.ts';
import * as PROCESS from '../../shared/layout/process.ts';
import * as RECORD from '../../shared/layout/record.ts';
import { PAGE_SIZE, USER_SPACE_END } from '../../shared/limits.ts';
import {
  MAP_FIXED,
  MREMAP_DONTUNMAP,
  MREMAP_FIXED,
  MREMAP_MAYMOVE,
} from '../../shared/abi/mman.ts';
import { bytesOf, pagesOf, vpnOf } from '../../shared/units.ts';
import type { ProcessBlock, SpaceBlock, VirtAddr } from '../../shared/units.ts';
import { AREA_LOCKED, AREA_SEALED, AREA_SHARED } from '../machine/area-flags.ts';
import { placeObject } from '../space/huge-placement.ts';
import type { Machine } from '../machine/machine.ts';
import { ANONYMOUS, recordAt } from '../objects/record.ts';
import type { Area, AreaSet } from '../space/shared-area-store.ts';
import type { Cpu } from '../machine/cpu.ts';
import { assertAreasHeld } from '../machine/held-locks.ts';
import { settleLazy } from '../paging/flush-lazy.ts';
import { closeRange } from '../paging/range-op.ts';
import { openRange } from '../space/open-range.ts';
import { mayExpand, mayLock } from '../space/rlimits.ts';
import { areasOf } from '../space/space.ts';
import { mappingErrno } from './mmap.ts';
import { moveArea } from './move-area.ts';
import { unmapRange } from './munmap.ts';
import { pageAligned, unsignedPage, wrappedSum } from '../space/wrapping.ts';

const KNOWN: number = MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP;
/** With either of these, the mapping gets a new address for certain. */
const MOVES: number = MREMAP_FIXED | MREMAP_DONTUNMAP;
/** The areas a move with a fixed target may need, beyond what moveArea asks for. */
const FIXED_AREAS = 5;

interface Remap {
  readonly cpu: Cpu;
  readonly space: SpaceBlock;
  readonly areas: AreaSet;
  readonly address: VirtAddr;
  /** In whole pages; 0 duplicates a shared mapping. */
  readonly oldSize: number;
  readonly newSize: number;
  readonly flags: number;
  /** The fixed target, or with MREMAP_DONTUNMAP alone a hint. */
  readonly targetAddress: VirtAddr;
}

/**
 * Grows, shrinks or moves the mapping of [address, address + oldLength). The address of the result,
 * or a negative errno.
 */
export function sysMremap(
  cpu: Cpu,
  proc: ProcessBlock,
  address: VirtAddr,
  oldLength: number,
  newLength: number,
  flags: number,
  newAddress: VirtAddr,
): number {
  if (![address, oldLength, newLength, flags, newAddress].every(Number.isInteger)) {
    return -E.EINVAL;
  }
  const space: SpaceBlock = peek(cpu.words, proc + PROCESS.SPACE);
  const areas = areasOf(cpu, space);
  const oldSize = pageAligned(oldLength);
  const newSize = pageAligned(newLength);
  const remap = { cpu, space, areas, address, oldSize, newSize, flags, targetAddress: newAddress };
  const refusal = checkArguments(remap);
  if (refusal !== 0) return refusal;
  cpu.machine.protocol.lockAreas(cpu, space);
  const outcome = remapLocked(remap);
  cpu.machine.protocol.unlockAreas(cpu, space);
  return outcome;
}

function checkArguments(remap: Remap): number {
  const { address, oldSize, newSize, flags, targetAddress } = remap;
  if (flags < 0 || (flags & ~KNOWN) !== 0 || flags > KNOWN) return -E.EINVAL;
  if (address % PAGE_SIZE !== 0) return -E.EINVAL;
  if (newSize === 0 || newSize > USER_SPACE_END) return -E.EINVAL;
  if ((flags & MOVES) === 0) return 0;
  if (targetAddress < 0 || targetAddress > USER_SPACE_END - newSize) return -E.EINVAL;
  if (targetAddress % PAGE_SIZE !== 0) return -E.EINVAL;
  if ((flags & MREMAP_MAYMOVE) === 0) return -E.EINVAL;
  if ((flags & MREMAP_DONTUNMAP) !== 0 && oldSize !== newSize) return -E.EINVAL;
  // As Linux adds: an old length that wraps overlaps nothing, and is refused for its area.
  const overlaps =
    wrappedSum(address, oldSize) > targetAddress && targetAddress + newSize > unsignedPage(address);
  return overlaps ? -E.EINVAL : 0;
}

function remapLocked(remap: Remap): number {
  assertAreasHeld(remap.cpu, remap.space);
  const { cpu, areas, address, oldSize, newSize, flags } = remap;
  if ((flags & MOVES) !== 0) {
    const most = peek(cpu.words, BOOT.MAP_COUNT_MAX);
    if (areas.len() >= most - FIXED_AREAS) return -E.ENOMEM;
    if ((flags & MREMAP_FIXED) !== 0 && oldSize === newSize) return moveAreas(remap);
  }
  const area = address < 0 ? null : areas.find(address);
  const refusal = checkArea(remap, area);
  if (area === null || refusal !== 0) return refusal;
  if ((flags & MOVES) !== 0) return moveTo(remap);
  if (oldSize === newSize) return address;
  if (oldSize > newSize) {
    const outcome = unmapPart(remap, address + newSize, oldSize - newSize);
    return outcome === 0 ? address : outcome;
  }
  return grow(remap, area);
}

/** Every area of the range moves on its own, with the gaps between them kept (Linux 6.17). */
function moveAreas(remap: Remap): number {
  const { areas, address, oldSize, targetAddress } = remap;
  const endAddress = address + oldSize;
  let area = address < 0 ? null : areas.nextArea(address);
  if (area === null || area.start >= endAddress || area.start > address) return -E.EFAULT;
  while (area !== null && area.start < endAddress) {
    const fromAddress = Math.max(area.start, address);
    const stopAddress = Math.min(area.end, endAddress);
    const size = stopAddress - fromAddress;
    const toAddress = targetAddress + (fromAddress - address);
    const part = {
      ...remap,
      address: fromAddress,
      oldSize: size,
      newSize: size,
      targetAddress: toAddress,
    };
    const refusal = checkArea(part, area);
    const outcome = refusal !== 0 ? refusal : moveTo(part);
    if (outcome < 0) return outcome;
    // With MREMAP_DONTUNMAP the last area of the range may extend beyond it.
    area = stopAddress < endAddress ? areas.nextArea(stopAddress) : null;
  }
  return targetAddress;
}

/** check_prep_vma of Linux: whether this area may change so. 0 or a negative errno. */
function checkArea(remap: Remap, area: Area | null): number {
  const { cpu, space, address, oldSize, newSize, flags } = remap;
  if (area === null) return -E.EFAULT;
  if ((area.flags & AREA_SEALED) !== 0) return -E.EPERM;
  const grows = newSize > oldSize;
  if (!grows && (flags & MOVES) === 0) return 0;
  if (oldSize === 0 && (area.flags & AREA_SHARED) === 0) return -E.EINVAL;
  if ((flags & MREMAP_DONTUNMAP) !== 0 && area.backend.isSpecial) return -E.EINVAL;
  // When shrinking, the range may reach beyond its area: the part cut off is unmapped.
  if (Math.min(oldSize, newSize) > area.end - address) return -E.EFAULT;
  if (!grows) return 0;
  if (oldSize > area.end - address || area.backend.isSpecial) return -E.EFAULT;
  const pages = pagesOf(newSize - oldSize);
  if (!mayLock(cpu, space, area.flags, pages)) return -E.EAGAIN;
  return mayExpand(cpu, space, area.flags, pages) ? 0 : -E.ENOMEM;
}

/** With MREMAP_FIXED or MREMAP_DONTUNMAP: mremap_to of Linux. */
function moveTo(remap: Remap): number {
  const { cpu, space, areas, address, newSize, flags, targetAddress } = remap;
  let { oldSize } = remap;
  if ((flags & MREMAP_FIXED) !== 0) {
    const outcome = unmapPart(remap, targetAddress, newSize);
    if (outcome !== 0) return outcome;
    // The target may have been a part of what is to be moved, if the old length wraps.
    if (areas.find(address) === null) return -E.EFAULT;
  }
  if (oldSize > newSize) {
    const outcome = unmapPart(remap, address + newSize, oldSize - newSize);
    if (outcome !== 0) return outcome;
    oldSize = newSize;
  }
  const area = areas.find(address);
  if (area === null) return -E.EFAULT;
  const keepsOld = (flags & MREMAP_DONTUNMAP) !== 0;
  if (keepsOld && !mayExpand(cpu, space, area.flags, pagesOf(oldSize))) return -E.ENOMEM;
  const mapFlags = (flags & MREMAP_FIXED) !== 0 ? MAP_FIXED : 0;
  const { kind } = area.backend;
  const offset = offsetAt(cpu.machine, area, address);
  const toAddress = placeObject(areas, targetAddress, newSize, mapFlags, kind, offset);
  return toAddress < 0 ? toAddress : moveFrom(remap, oldSize, toAddress, keepsOld);
}

function unmapPart(remap: Remap, address: VirtAddr, size: number): number {
  if (address > USER_SPACE_END || size > USER_SPACE_END - address) return -E.EINVAL;
  return unmapRange(remap.cpu, remap.space, remap.areas, address, size);
}

function moveFrom(remap: Remap, oldSize: number, toAddress: VirtAddr, keepsOld: boolean): number {
  const { cpu, space, areas, address, newSize } = remap;
  const isLocked = ((areas.find(address)?.flags ?? 0) & AREA_LOCKED) !== 0;
  const move = { fromAddress: address, oldSize, toAddress, newSize, keepsOld };
  const outcome = moveArea(cpu, space, areas, move);
  if (outcome !== 0) return outcome;
  if (isLocked) populateGrowth(cpu, toAddress + oldSize, newSize - oldSize);
  return toAddress;
}

/** In place if the range ends with its area and the addresses after it are free; else moves. */
function grow(remap: Remap, area: Area): number {
  const { cpu, space, areas, address, oldSize, newSize, flags } = remap;
  const more = newSize - oldSize;
  const fits = address + oldSize === area.end && area.end + more <= USER_SPACE_END;
  if (fits && !areas.overlaps(new AddrRange(area.end, area.end + more))) {
    settleLazy(cpu, space, vpnOf(area.end), vpnOf(area.end + more));
    const op = openRange(cpu, space, vpnOf(area.end), vpnOf(area.end + more));
    const result = areas.extend(address, more, op);
    closeRange(op);
    if (!result.ok) return mappingErrno(result.error);
    if ((area.flags & AREA_LOCKED) !== 0) populateGrowth(cpu, area.end, more);
    return address;
  }
  if ((flags & MREMAP_MAYMOVE) === 0) return -E.ENOMEM;
  const offset = offsetAt(cpu.machine, area, address);
  const toAddress = placeObject(areas, 0, newSize, 0, area.backend.kind, offset);
  return toAddress < 0 ? toAddress : moveFrom(remap, oldSize, toAddress, false);
}

/** The byte of its object that an area maps at an address; 0 for private anonymous memory. */
function offsetAt(machine: Machine, { backend }: Area, address: VirtAddr): number {
  if (backend.record === ANONYMOUS) return 0;
  const delta = peek(machine.words, recordAt(machine, backend.record) + RECORD.DELTA);
  return address + bytesOf(delta);
}

/** The part by which a locked mapping has grown is faulted in at once. */
function populateGrowth(cpu: Cpu, address: VirtAddr, size: number): void {
  cpu.populateStartVpn = vpnOf(address);
  cpu.populateEndVpn = vpnOf(address + size);
}
