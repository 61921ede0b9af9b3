/**
 * mmap(2). The checks and their order are Linux's (6.18, x86-64), by execution there; what this
 * machine does not have is refused as Linux refuses what it does not have.
 */
import { AddrRange } from '../../shared/addr-range.ts';
import { peek } from '../../shared/atomics.ts';
import * as E from '../../shared/errno.ts';
import * as L from '../../shared/layout.ts';
import {
  AREAS_MAX,
  MMAP_MIN_ADDR,
  MMAP_TOP,
  PAGE_SIZE,
  USER_PAGES,
  USER_SPACE_END,
} from '../../shared/limits.ts';
import * as M from '../../shared/mman.ts';
import { AREA_NO_WRITE, AREA_SHARED, areaFlags } from '../areas/area-flags.ts';
import { backendOf } from '../backends/registry.ts';
import { TRY_KERNEL_CAUSE } from '../backends/user.ts';
import type { Cpu } from '../cpu/cpu.ts';
import { fdFlags, fdObject } from '../objects/fd.ts';
import type { MappingError } from '../areas/mapping-result.ts';
import { MemoryArea } from '../areas/memory-area.ts';
import { createObject, objectSize, putObject } from '../objects/object.ts';
import { settleLazy } from '../paging/flush-lazy.ts';
import { closeRange, openRange } from '../paging/range-op.ts';
import { ANONYMOUS, internRecord, putRecord } from '../objects/record.ts';
import { areasOf } from '../processes/space.ts';
import { TRY_KERNEL } from './wait-codes.ts';
import type { AreaSet } from '../processes/space.ts';

const FIXED: number = M.MAP_FIXED | M.MAP_FIXED_NOREPLACE;
/** Flags that MAP_SHARED_VALIDATE knows (LEGACY_MAP_MASK in Linux, less the type). */
const KNOWN_FLAGS: number =
  M.MAP_TYPE |
  M.MAP_FIXED |
  M.MAP_ANONYMOUS |
  M.MAP_32BIT |
  M.MAP_GROWSDOWN |
  M.MAP_DENYWRITE |
  M.MAP_EXECUTABLE |
  M.MAP_LOCKED |
  M.MAP_NORESERVE |
  M.MAP_POPULATE |
  M.MAP_NONBLOCK |
  M.MAP_STACK |
  M.MAP_HUGETLB;

/** Maps `length` bytes; the address, or a negative errno. Runs in kernel mode on any CPU. */
export function sysMmap(
  cpu: Cpu,
  proc: number,
  address: number,
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
  const object = anonymous ? 0 : fdObject(cpu, proc, fd);
  if (!anonymous && object === 0) return -E.EBADF;
  if (length === 0) return -E.EINVAL;
  const size = Math.ceil(length / PAGE_SIZE) * PAGE_SIZE;
  if (length < 0 || size > USER_SPACE_END) return -E.ENOMEM;
  const space = peek(cpu.words, proc + L.P_SPACE);
  const { protocol } = cpu.machine;
  protocol.lockAreas(cpu, space);
  const areas = areasOf(cpu, space);
  let start = areas.len() > AREAS_MAX ? -E.ENOMEM : place(areas, address, size, flags);
  if (start >= 0) {
    const refusal = anonymous
      ? checkAnonymous(flags)
      : checkObject(cpu, proc, fd, object, size, prot, flags, offset);
    start =
      refusal !== 0
        ? refusal
        : mapAt(cpu, space, areas, start, size, prot, flags, {
            object,
            offset,
            noWrite: !anonymous && (fdFlags(cpu, proc, fd) & M.O_ACCMODE) === M.O_RDONLY,
          });
  }
  protocol.unlockAreas(cpu, space);
  if (start >= 0 && (flags & (M.MAP_POPULATE | M.MAP_NONBLOCK)) === M.MAP_POPULATE) {
    cpu.populateStart = start / PAGE_SIZE;
    cpu.populateEnd = (start + size) / PAGE_SIZE;
  }
  return start;
}

/** Chooses the address: fixed, hinted, or the highest gap below MMAP_TOP. */
function place(areas: AreaSet, address: number, size: number, flags: number): number {
  if ((flags & FIXED) !== 0) {
    if (address < 0 || address > USER_SPACE_END - size) return -E.ENOMEM;
    if (address % PAGE_SIZE !== 0) return -E.EINVAL;
    if (address < MMAP_MIN_ADDR) return -E.EPERM;
    const replace = (flags & M.MAP_FIXED_NOREPLACE) === 0;
    if (!replace && areas.overlaps(AddrRange.fromStartSize(address, size))) return -E.EEXIST;
    return address;
  }
  const rounded = address > 0 ? Math.floor(address / PAGE_SIZE) * PAGE_SIZE : 0;
  if (rounded > 0 && rounded <= USER_SPACE_END - size) {
    const hint = Math.max(rounded, MMAP_MIN_ADDR);
    if (hint <= USER_SPACE_END - size && !areas.overlaps(AddrRange.fromStartSize(hint, size))) {
      return hint;
    }
  }
  const limit = new AddrRange(MMAP_MIN_ADDR, MMAP_TOP);
  return areas.findFreeAreaTopDown(size, limit, PAGE_SIZE) ?? -E.ENOMEM;
}

function checkAnonymous(flags: number): number {
  const type = flags & M.MAP_TYPE;
  if (type !== M.MAP_SHARED && type !== M.MAP_PRIVATE) return -E.EINVAL;
  return type === M.MAP_SHARED && (flags & M.MAP_GROWSDOWN) !== 0 ? -E.EINVAL : 0;
}

function checkObject(
  cpu: Cpu,
  proc: number,
  fd: number,
  object: number,
  size: number,
  prot: number,
  flags: number,
  offset: number,
): number {
  if (offset < 0 || (offset + size) / PAGE_SIZE > USER_PAGES) return -E.EOVERFLOW;
  const type = flags & M.MAP_TYPE;
  if (type < M.MAP_SHARED || type > M.MAP_SHARED_VALIDATE) return -E.EINVAL;
  if (type === M.MAP_SHARED_VALIDATE && (flags & ~KNOWN_FLAGS) !== 0) return -E.EOPNOTSUPP;
  const mode = fdFlags(cpu, proc, fd) & M.O_ACCMODE;
  const shared = type !== M.MAP_PRIVATE;
  if (mode === M.O_WRONLY) return -E.EACCES;
  if (shared && (prot & M.PROT_WRITE) !== 0 && mode !== M.O_RDWR) return -E.EACCES;
  if ((flags & M.MAP_GROWSDOWN) !== 0) return -E.EINVAL;
  const kind = peek(cpu.words, object + L.O_KIND);
  if (kind === L.OBJECT_DEVICE || kind === L.OBJECT_LINEAR) {
    // As a driver's mmap method does: its registers or its frames, as they are, or not at all.
    if (!shared || offset + size > Math.ceil(objectSize(cpu, object) / PAGE_SIZE) * PAGE_SIZE) {
      return -E.EINVAL;
    }
  }
  return 0;
}

interface Source {
  readonly object: number;
  readonly offset: number;
  readonly noWrite: boolean;
}

function mapAt(
  cpu: Cpu,
  space: number,
  areas: AreaSet,
  start: number,
  size: number,
  prot: number,
  mapFlags: number,
  source: Source,
): number {
  const shared = (mapFlags & M.MAP_TYPE) !== M.MAP_PRIVATE;
  const record = recordFor(cpu, start, size, shared, source);
  if (record < 0) return record;
  let flags = areaFlags(prot, mapFlags) | (shared ? AREA_SHARED : 0);
  if (shared && source.noWrite) flags |= AREA_NO_WRITE;
  const area = new MemoryArea(start, size, flags, backendOf(cpu.machine, record));
  settleLazy(cpu, space, start / PAGE_SIZE, (start + size) / PAGE_SIZE);
  const op = openRange(cpu, space, start / PAGE_SIZE, (start + size) / PAGE_SIZE);
  const result = areas.map(area, op, true);
  closeRange(op);
  putRecord(cpu, record);
  return result.ok ? start : mappingErrno(result.error);
}

/** The mapping record, with a reference for the caller; ANONYMOUS for private anonymous memory. */
function recordFor(cpu: Cpu, start: number, size: number, shared: boolean, source: Source): number {
  if (source.object === 0 && !shared) return ANONYMOUS;
  const vpn = start / PAGE_SIZE;
  if (source.object !== 0) {
    const delta = source.offset / PAGE_SIZE - vpn;
    const id = internRecord(cpu, source.object, delta, shared);
    return id === 0 ? -E.ENOMEM : id;
  }
  const spec = { kind: L.OBJECT_SHARED, size, host: 0, writable: true };
  const object = createObject(cpu, spec);
  if (object === 0) return -E.ENOMEM;
  const id = internRecord(cpu, object, -vpn, true);
  putObject(cpu, object);
  return id === 0 ? -E.ENOMEM : id;
}

/** The negative errno, or -TRY_KERNEL, for a failed mapping operation. */
export function mappingErrno(error: MappingError): number {
  if (error.cause === TRY_KERNEL_CAUSE) return -TRY_KERNEL;
  if (error.kind === 'NoMemory') return -E.ENOMEM;
  if (error.kind === 'AlreadyExists') return -E.EEXIST;
  return error.cause === 'EACCES' ? -E.EACCES : -E.EINVAL;
}
