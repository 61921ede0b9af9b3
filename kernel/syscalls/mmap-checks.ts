/**
 * What mmap refuses because of the kind of mapping requested: step by step in Linux's order
 * (do_mmap in 6.18, x86-64).
 */
import * as E from '../../shared/abi/errno.ts';
import { FILE_BYTES_MAX, PAGE_SIZE, USER_SPACE_END } from '../../shared/limits.ts';
import * as M from '../../shared/abi/mman.ts';
import { roundUpToPages } from '../../shared/units.ts';
import type { FileBlock } from '../../shared/units.ts';
import type { Cpu } from '../machine/cpu.ts';
import { kindOf } from '../objects/kinds.ts';
import { fileObject, isReadable, isWritable } from '../objects/open-file.ts';
import { objectSize } from '../objects/object.ts';
import { WRAP, hasHighBits } from '../space/wrapping.ts';

/** Flags that MAP_SHARED_VALIDATE knows (LEGACY_MAP_MASK in Linux, less the type). */
const KNOWN_FLAGS: number =
  M.MAP_TYPE |
  M.MAP_FIXED |
  M.MAP_ANONYMOUS |
  M.MAP_32BIT |
  M.MAP_ABOVE4G |
  M.MAP_GROWSDOWN |
  M.MAP_DENYWRITE |
  M.MAP_EXECUTABLE |
  M.MAP_LOCKED |
  M.MAP_NORESERVE |
  M.MAP_POPULATE |
  M.MAP_NONBLOCK |
  M.MAP_STACK |
  M.MAP_HUGETLB |
  M.MAP_HUGE_2MB |
  M.MAP_HUGE_1GB;

/**
 * What an address and a length are whole multiples of: with MAP_HUGETLB the size of the huge pages
 * that the flags name. Or -EINVAL: there is no such size, or a file is to be mapped with it.
 */
export function pageSizeOf(flags: number): number {
  if ((flags & M.MAP_HUGETLB) === 0) return PAGE_SIZE;
  if ((flags & M.MAP_ANONYMOUS) === 0) return -E.EINVAL;
  switch (flags & M.MAP_HUGE_MASK) {
    case 0:
    case M.MAP_HUGE_2MB:
      return 2 ** 21;
    case M.MAP_HUGE_1GB:
      return 2 ** 30;
    default:
      return -E.EINVAL;
  }
}

/** The length in whole pages of that size, or a negative errno. */
export function sizeOf(length: number, pageSize: number): number {
  if (length === 0) return -E.EINVAL;
  const unsigned = length < 0 ? length + WRAP : length;
  // A length in huge pages is rounded up before anything else, and may wrap to 0.
  if (pageSize > PAGE_SIZE && unsigned > WRAP - pageSize) return -E.EINVAL;
  const size = Math.ceil(unsigned / pageSize) * pageSize;
  return size > USER_SPACE_END ? -E.ENOMEM : size;
}

/** MAP_HUGETLB is refused as on a Linux whose pools of huge pages are empty: for ENOMEM at best. */
function refuseHuge(flags: number, offset: number): number {
  const refusal = checkType(flags);
  if (refusal !== 0) return refusal;
  if ((flags & M.MAP_GROWSDOWN) !== 0) return -E.EINVAL;
  return offset % pageSizeOf(flags) !== 0 ? -E.EINVAL : -E.ENOMEM;
}

/** Checks the type of an anonymous mapping. 0 or a negative errno. */
export function checkAnonymous(flags: number, offset: number): number {
  if ((flags & M.MAP_HUGETLB) !== 0) return refuseHuge(flags, offset);
  const type = flags & M.MAP_TYPE;
  if (type === M.MAP_PRIVATE) return 0;
  if (type !== M.MAP_SHARED && type !== M.MAP_DROPPABLE) return -E.EINVAL;
  if ((flags & M.MAP_GROWSDOWN) !== 0) return -E.EINVAL;
  return type === M.MAP_DROPPABLE && (flags & M.MAP_LOCKED) !== 0 ? -E.EINVAL : 0;
}

/** Checks a mapping of the open description `file`. 0 or a negative errno. */
export function checkFile(
  cpu: Cpu,
  file: FileBlock,
  size: number,
  prot: number,
  flags: number,
  offset: number,
): number {
  if (offset < 0 || offset + size > FILE_BYTES_MAX) return -E.EOVERFLOW;
  const refusal = checkType(flags);
  if (refusal !== 0) return refusal;
  const shared = (flags & M.MAP_TYPE) !== M.MAP_PRIVATE;
  if (shared && (prot & M.PROT_WRITE) !== 0 && !isWritable(cpu, file)) return -E.EACCES;
  if (!isReadable(cpu, file)) return -E.EACCES;
  const object = fileObject(cpu, file);
  const { isText, isSpecial } = kindOf(cpu.machine, object);
  if (isText) return -E.ENODEV;
  if ((flags & M.MAP_GROWSDOWN) !== 0) return -E.EINVAL;
  if (isSpecial) {
    // Like a driver's mmap method: maps its registers or frames as they are, or refuses.
    if (!shared || offset + size > roundUpToPages(objectSize(cpu, object))) {
      return -E.EINVAL;
    }
  }
  return 0;
}

/** For a mapping that is not anonymous. 0 or a negative errno. */
function checkType(flags: number): number {
  const type = flags & M.MAP_TYPE;
  if (type < M.MAP_SHARED || type > M.MAP_SHARED_VALIDATE) return -E.EINVAL;
  if (type !== M.MAP_SHARED_VALIDATE) return 0;
  return hasHighBits(flags) || (flags & ~KNOWN_FLAGS) !== 0 ? -E.EOPNOTSUPP : 0;
}

/** A standard stream is like a terminal: it can be read and written, but not mapped. */
export function refuseStream(size: number, flags: number, offset: number): number {
  // Such files have no offset limit below 2^64.
  if (offset < 0 && offset + size >= 0) return -E.EOVERFLOW;
  return checkType(flags) || -E.ENODEV;
}
