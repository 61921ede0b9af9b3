/**
 * mmap(2). The checks and their order are Linux's (6.18, x86-64), as tested there; what this
 * machine lacks is refused as by a Linux that lacks it.
 */
import { peek } from '../../shared/atomics.ts';
import * as E from '../../shared/abi/errno.ts';
import * as BOOT from '../../shared/layout/boot.ts';
import * as OBJECT from '../../shared/layout/object.ts';
import * as PROCESS from '../../shared/layout/process.ts';
import * as SPACE from '../../shared/layout/space.ts';
import { PAGE_SIZE } from '../../shared/limits.ts';
import * as M from '../../shared/abi/mman.ts';
import { objectPageOf, pagesOf, vpnOf } from '../../shared/units.ts';
import type {
  FileBlock,
  ProcessBlock,
  RecordId,
  SpaceBlock,
  VirtAddr,
} from '../../shared/units.ts';
import {
  AREA_DROPPABLE,
  AREA_LOCKED,
  AREA_LOCK_FLAGS,
  AREA_NO_WRITE,
  AREA_SHARED,
  AREA_WRITE_SEALED,
  areaFlags,
  isWriter,
} from '../machine/area-flags.ts';
import type { MappingError } from '../areas/mapping-result.ts';
import { MemoryArea } from '../areas/memory-area.ts';
import { placeObject } from '../space/huge-placement.ts';
import { isFixed } from '../space/placement.ts';
import { PRIVATE_MEMORY, kindNumbered, kindOf } from '../objects/kinds.ts';
import type { ObjectKind } from '../objects/kinds.ts';
import { backendOf } from '../backends/registry.ts';
import { TRY_KERNEL_CAUSE } from '../backends/user.ts';
import type { Cpu } from '../machine/cpu.ts';
import { assertAreasHeld } from '../machine/held-locks.ts';
import { fileObject, isWritable, putFile } from '../objects/open-file.ts';
import { fdFile, isStreamFd } from '../objects/fd.ts';
import { beginWriter, endWriter } from '../objects/seals.ts';
import { createObject, putObject } from '../objects/object.ts';
import { ANONYMOUS, internRecord, putRecord } from '../objects/record.ts';
import { settleLazy } from '../paging/flush-lazy.ts';
import { closeRange } from '../paging/range-op.ts';
import { openRange } from '../space/open-range.ts';
import { canLock, mayExpand, mayLock } from '../space/rlimits.ts';
import { areasOf } from '../space/space.ts';
import type { AreaSet } from '../space/space.ts';
import { checkAnonymous, checkFile, pageSizeOf, refuseStream, sizeOf } from './mmap-checks.ts';
import { checkSealed } from '../space/seal.ts';
import { splitAt } from '../space/split.ts';
import { TRY_KERNEL } from '../machine/wait-codes.ts';

/** Maps `length` bytes; the address, or a negative errno. Runs in kernel mode on any CPU. */
export function sysMmap(
  cpu: Cpu,
  proc: ProcessBlock,
  address: VirtAddr,
  length: number,
  prot: number,
  flags: number,
  fd: number,
  offset: number,
): number {
  const numbers = [address, length, prot, flags, fd, offset];
  if (!numbers.every(Number.isInteger)) return -E.EINVAL;
  if (offset % PAGE_SIZE !== 0) return -E.EINVAL;
  const anonymous = (flags & M.MAP_ANONYMOUS) !== 0;
  const isStream = !anonymous && isStreamFd(fd);
  const file = anonymous || isStream ? 0 : fdFile(cpu, proc, fd);
  if (!anonymous && !isStream && file === 0) return -E.EBADF;
  const request = { address, length, prot, flags, file, isStream, offset };
  const startAddress = checkAndMap(cpu, peek(cpu.words, proc + PROCESS.SPACE), request);
  if (file !== 0) putFile(cpu, file);
  return startAddress;
}

interface Request {
  readonly address: VirtAddr;
  readonly length: number;
  readonly prot: number;
  readonly flags: number;
  /** Open file description, 0 for anonymous memory. */
  readonly file: FileBlock;
  readonly isStream: boolean;
  readonly offset: number;
}

/** A request that has passed the first checks. */
interface Mapping {
  readonly request: Request;
  /** The length in whole pages, in bytes. */
  readonly size: number;
  /** The new area's flags. */
  readonly areaBits: number;
}

function checkAndMap(cpu: Cpu, space: SpaceBlock, request: Request): number {
  const { length, flags } = request;
  const pageSize = pageSizeOf(flags);
  if (pageSize < 0) return pageSize;
  const size = sizeOf(length, pageSize);
  if (size < 0) return size;
  const { protocol } = cpu.machine;
  protocol.lockAreas(cpu, space);
  const areas = areasOf(cpu, space);
  const areaBits = flagsFor(cpu, space, request);
  const mapping = { request, size, areaBits };
  let startAddress = checkPlace(cpu, space, areas, mapping);
  if (startAddress >= 0) {
    const refusal = checkKind(cpu, mapping);
    startAddress = refusal !== 0 ? refusal : mapAt(cpu, space, areas, startAddress, mapping);
  }
  if (request.file !== 0 && isWriter(areaBits)) endWriter(cpu, fileObject(cpu, request.file));
  protocol.unlockAreas(cpu, space);
  const wanted = (flags & (M.MAP_POPULATE | M.MAP_NONBLOCK)) === M.MAP_POPULATE;
  if (startAddress >= 0 && (wanted || (areaBits & AREA_LOCKED) !== 0)) {
    cpu.populateStartVpn = vpnOf(startAddress);
    cpu.populateEndVpn = vpnOf(startAddress + size);
  }
  return startAddress;
}

/** Checks the kind of mapping requested. 0 or a negative errno. */
function checkKind(cpu: Cpu, mapping: Mapping): number {
  const { file, isStream, prot, flags, offset } = mapping.request;
  const { size } = mapping;
  if (isStream) return refuseStream(size, flags, offset);
  if (file === 0) return checkAnonymous(flags, offset);
  const refusal = checkFile(cpu, file, size, prot, flags, offset);
  if (refusal !== 0) return refusal;
  // By now only a seal forbids it.
  const isSealed = (mapping.areaBits & AREA_NO_WRITE) !== 0 && (prot & M.PROT_WRITE) !== 0;
  return isSealed ? -E.EPERM : 0;
}

/**
 * The new area's flags. A shared mapping of a file that may be written is counted from now on, so
 * that the file is not sealed meanwhile; the caller ends that.
 */
function flagsFor(cpu: Cpu, space: SpaceBlock, request: Request): number {
  const { file, prot, flags } = request;
  const bits = areaFlags(prot, flags) | peek(cpu.words, space + SPACE.FUTURE_FLAGS);
  if (file === 0 || (bits & AREA_SHARED) === 0) return bits;
  if (!isWritable(cpu, file)) return bits | AREA_NO_WRITE;
  if (beginWriter(cpu, fileObject(cpu, file))) return bits;
  return bits | AREA_NO_WRITE | AREA_WRITE_SEALED;
}

/** Steps 6 to 9 of Linux: the number of areas, the address, the limit on locked memory. */
function checkPlace(cpu: Cpu, space: SpaceBlock, areas: AreaSet, mapping: Mapping): number {
  const { request, size, areaBits } = mapping;
  if (areas.len() > peek(cpu.words, BOOT.MAP_COUNT_MAX)) return -E.ENOMEM;
  const { address, flags, offset } = request;
  const pageSize = pageSizeOf(flags);
  if (pageSize > PAGE_SIZE && isFixed(flags) && address % pageSize !== 0) return -E.EINVAL;
  const kind = kindOfRequest(cpu, request, areaBits);
  const from = request.file === 0 ? 0 : offset;
  const startAddress = placeObject(areas, address, size, flags, kind, from);
  if (startAddress < 0) return startAddress;
  if ((flags & M.MAP_LOCKED) !== 0 && !canLock(cpu, space)) return -E.EPERM;
  return mayLock(cpu, space, areaBits, pagesOf(size)) ? startAddress : -E.EAGAIN;
}

function kindOfRequest(cpu: Cpu, { file }: Request, areaBits: number): ObjectKind {
  if (file !== 0) return kindOf(cpu.machine, fileObject(cpu, file));
  return (areaBits & AREA_SHARED) !== 0 ? kindNumbered(OBJECT.SHARED) : PRIVATE_MEMORY;
}

function mapAt(
  cpu: Cpu,
  space: SpaceBlock,
  areas: AreaSet,
  startAddress: VirtAddr,
  mapping: Mapping,
): number {
  assertAreasHeld(cpu, space);
  const { size, areaBits } = mapping;
  const endAddress = startAddress + size;
  const refusal = checkSealed(cpu, space, areas, startAddress, endAddress);
  if (refusal !== 0) return refusal;
  const pages = pagesOf(size) - mappedPages(areas, startAddress, endAddress);
  if (!mayExpand(cpu, space, areaBits, pages)) {
    // The areas to be replaced have been split off by now, and stay split.
    splitAt(cpu, space, areas, startAddress);
    splitAt(cpu, space, areas, endAddress);
    return -E.ENOMEM;
  }
  const record = recordFor(cpu, startAddress, mapping);
  if (record < 0) return record;
  const backend = backendOf(cpu.machine, record);
  const isLockable = !backend.isSpecial && (areaBits & AREA_DROPPABLE) === 0;
  const flags = isLockable ? areaBits : areaBits & ~AREA_LOCK_FLAGS;
  const area = new MemoryArea(startAddress, size, flags, backend);
  settleLazy(cpu, space, vpnOf(startAddress), vpnOf(endAddress));
  const op = openRange(cpu, space, vpnOf(startAddress), vpnOf(endAddress));
  const result = areas.map(area, op, true);
  closeRange(op);
  putRecord(cpu, record);
  return result.ok ? startAddress : mappingErrno(result.error);
}

/** Mapped pages in [startAddress, endAddress): those that a fixed mapping replaces. */
function mappedPages(areas: AreaSet, startAddress: VirtAddr, endAddress: VirtAddr): number {
  let pages = 0;
  let area = areas.nextArea(startAddress);
  while (area !== null && area.start < endAddress) {
    pages += pagesOf(Math.min(area.end, endAddress) - Math.max(area.start, startAddress));
    area = areas.nextArea(area.end);
  }
  return pages;
}

/** The mapping record, with a reference for the caller; ANONYMOUS for private anonymous memory. */
function recordFor(cpu: Cpu, startAddress: VirtAddr, mapping: Mapping): RecordId {
  const { request, size, areaBits } = mapping;
  const shared = (areaBits & AREA_SHARED) !== 0;
  const vpn = vpnOf(startAddress);
  const object = request.file === 0 ? 0 : fileObject(cpu, request.file);
  if (object !== 0 && !kindOf(cpu.machine, object).isEndless) {
    const delta = objectPageOf(request.offset) - vpn;
    const id = internRecord(cpu, object, delta, shared);
    return id === 0 ? -E.ENOMEM : id;
  }
  if (!shared) return ANONYMOUS;
  const spec = { kind: OBJECT.SHARED, size, host: 0, writable: true };
  const memory = createObject(cpu, spec);
  if (memory === 0) return -E.ENOMEM;
  const id = internRecord(cpu, memory, 0 - vpn, true);
  putObject(cpu, memory);
  return id === 0 ? -E.ENOMEM : id;
}

/** The negative errno, or -TRY_KERNEL, for a failed mapping operation. */
export function mappingErrno(error: MappingError): number {
  if (error.cause === TRY_KERNEL_CAUSE) return -TRY_KERNEL;
  if (error.kind === 'NoMemory') return -E.ENOMEM;
  if (error.kind === 'AlreadyExists') return -E.EEXIST;
  return -(E.errnoNamed(error.cause) || E.EINVAL);
}
