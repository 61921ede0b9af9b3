/**
 * fallocate(2): memory for a file ahead of time, and holes. Checks and their order are Linux's
 * (6.18, fs/open.c and mm/shmem.c), as tested there. Files of the host have no holes here, and need
 * no memory: for them it only sets the size.
 *
 * Not guaranteed: that a call that runs out of memory leaves no page behind; they read as zero.
 */
import * as E from '../../shared/abi/errno.ts';
import { FILE_BYTES_MAX, PAGE_SIZE, RANGE_BATCH_PAGES, USER_BATCH } from '../../shared/limits.ts';
import * as M from '../../shared/abi/mman.ts';
import { bytesOf, objectPageOf, pagesOf, vpnOf } from '../../shared/units.ts';
import type { FileBlock, ObjectBlock, ObjectPage, ProcessBlock } from '../../shared/units.ts';
import type { Cpu } from '../machine/cpu.ts';
import { assertNoLockHeld } from '../machine/held-locks.ts';
import { giveWay } from '../faults/give-way.ts';
import { punchHole, zeroGap } from '../files/truncate.ts';
import { putFrame } from '../frames/frames.ts';
import { fdFile, isStreamFd } from '../objects/fd.ts';
import { kindOf } from '../objects/kinds.ts';
import { fileObject, isWritable, putFile } from '../objects/open-file.ts';
import {
  PAGE_NO_MEMORY,
  extendObject,
  reservePage,
  objectSize,
  zeroBytesOf,
} from '../objects/pages.ts';
import { WRITE_SEALS, objectSeals } from '../objects/seals.ts';
import { signedOffset } from '../space/wrapping.ts';

const HOLE: number = M.FALLOC_FL_PUNCH_HOLE | M.FALLOC_FL_KEEP_SIZE;

/** 0 or a negative errno. `mode` is an int: higher bits do not count. On the kernel worker. */
export function sysFallocate(
  cpu: Cpu,
  proc: ProcessBlock,
  fd: number,
  mode: number,
  offset: number,
  length: number,
): number {
  if (![fd, mode, offset, length].every(Number.isInteger)) return -E.EINVAL;
  const isStream = isStreamFd(fd);
  const file = isStream ? 0 : fdFile(cpu, proc, fd);
  if (file === 0 && !isStream) return -E.EBADF;
  let result = checkRequest(mode | 0, signedOffset(offset), signedOffset(length));
  if (result === 0 && isStream) result = -E.ENODEV;
  if (result === 0) result = checkFile(cpu, file, offset + length);
  if (result === 0)
    result = allocate(cpu, fileObject(cpu, file), mode | 0, offset, offset + length);
  if (file !== 0) putFile(cpu, file);
  return result;
}

function checkRequest(mode: number, offset: number, length: number): number {
  if (offset < 0 || length <= 0) return -E.EINVAL;
  const operation = mode & ~M.FALLOC_FL_KEEP_SIZE;
  const keepsSize = operation !== mode;
  switch (operation) {
    case 0:
    case M.FALLOC_FL_UNSHARE_RANGE:
    case M.FALLOC_FL_ZERO_RANGE:
      return 0;
    case M.FALLOC_FL_PUNCH_HOLE:
      return keepsSize ? 0 : -E.EOPNOTSUPP;
    case M.FALLOC_FL_COLLAPSE_RANGE:
    case M.FALLOC_FL_INSERT_RANGE:
    case M.FALLOC_FL_WRITE_ZEROES:
      return keepsSize ? -E.EOPNOTSUPP : 0;
    default:
      return -E.EOPNOTSUPP;
  }
}

function checkFile(cpu: Cpu, file: FileBlock, end: number): number {
  if (!isWritable(cpu, file)) return -E.EBADF;
  if (!kindOf(cpu.machine, fileObject(cpu, file)).isRegular) return -E.ENODEV;
  return end > FILE_BYTES_MAX ? -E.EFBIG : 0;
}

function allocate(cpu: Cpu, object: ObjectBlock, mode: number, from: number, end: number): number {
  if (mode === HOLE) return punch(cpu, object, from, end);
  if ((mode & ~M.FALLOC_FL_KEEP_SIZE) !== 0) return -E.EOPNOTSUPP;
  const grows = end > objectSize(cpu, object);
  if (grows && (objectSeals(cpu, object) & M.F_SEAL_GROW) !== 0) return -E.EPERM;
  if (kindOf(cpu.machine, object).hasHoles) {
    const refusal = fill(cpu, object, from, end);
    if (refusal !== 0) return refusal;
  }
  if (!grows || (mode & M.FALLOC_FL_KEEP_SIZE) !== 0) return 0;
  zeroGap(cpu, object);
  extendObject(cpu, object, end);
  return 0;
}

/** The rest begins at that page: its offset stands where other calls have an address. */
function stopAt(cpu: Cpu, page: ObjectPage): number {
  return giveWay(cpu, vpnOf(bytesOf(page)));
}

/** Makes every page of [from, end) that is not there. More than the machine has: ENOSPC at once. */
function fill(cpu: Cpu, object: ObjectBlock, from: number, end: number): number {
  const endPage = pagesOf(end);
  const firstPage = objectPageOf(from);
  if (endPage - firstPage > cpu.machine.frames) return -E.ENOSPC;
  for (let page = firstPage; page < endPage; page++) {
    if (page - firstPage >= USER_BATCH) return stopAt(cpu, page);
    const pfn = reservePage(cpu, object, page);
    if (pfn === PAGE_NO_MEMORY) return -E.ENOMEM;
    putFrame(cpu, pfn);
  }
  return 0;
}

/** Whole pages become holes; of the pages at the edges, the bytes in between become zero. */
function punch(cpu: Cpu, object: ObjectBlock, from: number, end: number): number {
  assertNoLockHeld(cpu);
  if (!kindOf(cpu.machine, object).hasHoles) return -E.EOPNOTSUPP;
  if ((objectSeals(cpu, object) & WRITE_SEALS) !== 0) return -E.EPERM;
  const firstPage = pagesOf(from);
  const endPage = objectPageOf(end);
  if (firstPage > endPage) {
    zeroBytesOf(cpu, object, from, end);
    return 0;
  }
  if (from % PAGE_SIZE !== 0) zeroBytesOf(cpu, object, from, bytesOf(firstPage));
  if (end % PAGE_SIZE !== 0) zeroBytesOf(cpu, object, bytesOf(endPage), end);
  if (firstPage >= endPage) return 0;
  const stopPage = Math.min(endPage, firstPage + RANGE_BATCH_PAGES);
  const outcome = punchHole(cpu, object, firstPage, stopPage);
  return outcome === 0 && stopPage < endPage ? stopAt(cpu, stopPage) : outcome;
}
