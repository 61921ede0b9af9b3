/**
 * What mmap refuses because of the kind of mapping requested: step by step in Linux's order
 * (do_mmap in 6.18, x86-64).
 */
import * as E from '../../shared/abi/errno.ts';
import { FILE_BYTES_MAX } from '../../shared/limits.ts';
import * as M from '../../shared/abi/mman.ts';
import { roundUpToPages } from '../../shared/units.ts';
import type { FileBlock, VirtAddr } from '../../shared/units.ts';
import type { Cpu } from '../machine/cpu.ts';
import { kindOf } from '../objects/kinds.ts';
import { fileObject, isReadable, isWritable } from '../objects/open-file.ts';
import { objectSize } from '../objects/object.ts';

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

/** The huge page sizes that flags may name: 0 for the default. */
const HUGE_SIZES: readonly number[] = [0, M.MAP_HUGE_2MB, M.MAP_HUGE_1GB];
const HUGE_PAGE: number = 2 ** 21;

/**
 * MAP_HUGETLB is refused as on a Linux whose pools of huge pages are empty. What is refused here
 * comes before the checks of length and address; the rest is in checkAnonymous.
 */
export function checkHuge(address: VirtAddr, flags: number): number {
  if ((flags & M.MAP_HUGETLB) === 0) return 0;
  if ((flags & M.MAP_ANONYMOUS) === 0) return -E.EINVAL;
  if (!HUGE_SIZES.includes(flags & M.MAP_HUGE_MASK)) return -E.EINVAL;
  return (flags & M.MAP_FIXED) !== 0 && address % HUGE_PAGE !== 0 ? -E.EINVAL : 0;
}

/** Checks the type of an anonymous mapping. 0 or a negative errno. */
export function checkAnonymous(flags: number): number {
  const type = flags & M.MAP_TYPE;
  if ((flags & M.MAP_HUGETLB) !== 0) {
    return type >= M.MAP_SHARED && type <= M.MAP_SHARED_VALIDATE ? -E.ENOMEM : -E.EINVAL;
  }
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
  if (type === M.MAP_SHARED_VALIDATE && (flags & ~KNOWN_FLAGS) !== 0) return -E.EOPNOTSUPP;
  return 0;
}

/** A standard stream is like a terminal: it can be read and written, but not mapped. */
export function refuseStream(size: number, flags: number, offset: number): number {
  // Such files have no offset limit below 2^64.
  if (offset < 0 && offset + size >= 0) return -E.EOVERFLOW;
  return checkType(flags) || -E.ENODEV;
}
