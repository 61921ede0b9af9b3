/** lseek(2) and ftruncate(2). Checks and order are Linux's (6.18, tmpfs), as tested there. */
import * as E from '../../shared/abi/errno.ts';
import { FILE_BYTES_MAX } from '../../shared/limits.ts';
import * as M from '../../shared/abi/mman.ts';
import { bytesOf, objectPageOf, pagesOf } from '../../shared/units.ts';
import type { FileBlock, ObjectBlock, ProcessBlock } from '../../shared/units.ts';
import type { Cpu } from '../machine/cpu.ts';
import {
  fileObject,
  filePosition,
  isWritable,
  putFile,
  setFilePosition,
} from '../objects/open-file.ts';
import { giveWay } from '../faults/give-way.ts';
import { cutStep, resizeObject } from '../files/truncate.ts';
import { kindOf } from '../objects/kinds.ts';
import { fdFile } from '../objects/fd.ts';
import { refusesSize } from '../objects/seals.ts';
import { nextPage, objectSize } from '../objects/pages.ts';
import { signedOffset } from '../space/wrapping.ts';

/** Moves the position of a description; the new one, in bytes. */
export function sysLseek(
  cpu: Cpu,
  proc: ProcessBlock,
  fd: number,
  offset: number,
  whence: number,
): number {
  if (![fd, offset, whence].every(Number.isInteger)) return -E.EINVAL;
  const file = fdFile(cpu, proc, fd);
  if (file === 0) return -E.EBADF;
  const target = seekTarget(cpu, file, signedOffset(offset), whence);
  if (target >= 0) setFilePosition(cpu, file, target);
  putFile(cpu, file);
  return target;
}

function seekTarget(cpu: Cpu, file: FileBlock, offset: number, whence: number): number {
  const object = fileObject(cpu, file);
  if (whence < M.SEEK_SET || whence > M.SEEK_HOLE) return -E.EINVAL;
  const { seekRefusal, isEndless, isText } = kindOf(cpu.machine, object);
  if (isEndless) return 0;
  if (isText && whence > M.SEEK_CUR) return -E.EINVAL;
  if (seekRefusal !== 0) return seekRefusal;
  const size = objectSize(cpu, object);
  if (whence >= M.SEEK_DATA) return seekData(cpu, object, size, offset, whence === M.SEEK_DATA);
  let base = 0;
  if (whence === M.SEEK_CUR) base = filePosition(cpu, file);
  else if (whence === M.SEEK_END) base = size;
  const target = base + offset;
  return target < 0 || target > FILE_BYTES_MAX ? -E.EINVAL : target;
}

/** A page that has been used is data; the end of the file counts as a hole. */
function seekData(
  cpu: Cpu,
  object: ObjectBlock,
  size: number,
  offset: number,
  data: boolean,
): number {
  if (offset < 0 || offset >= size) return -E.ENXIO;
  // A file that the host supplies is data throughout.
  if (!kindOf(cpu.machine, object).hasHoles) return data ? offset : size;
  const page = nextPage(cpu, object, objectPageOf(offset), data);
  if (page < 0) return data ? -E.ENXIO : size;
  return Math.min(size, Math.max(offset, bytesOf(page)));
}

/** Makes a file longer or shorter. 0 or a negative errno. */
export function sysFtruncate(cpu: Cpu, proc: ProcessBlock, fd: number, length: number): number {
  if (!Number.isInteger(fd) || !Number.isInteger(length)) return -E.EINVAL;
  if (signedOffset(length) < 0) return -E.EINVAL;
  const file = fdFile(cpu, proc, fd);
  if (file === 0) return -E.EBADF;
  const result = truncate(cpu, file, length);
  putFile(cpu, file);
  return result;
}

function truncate(cpu: Cpu, file: FileBlock, length: number): number {
  const object = fileObject(cpu, file);
  if (!kindOf(cpu.machine, object).isRegular || !isWritable(cpu, file)) return -E.EINVAL;
  if (length > FILE_BYTES_MAX) return -E.EFBIG;
  if (refusesSize(cpu, object, length)) return -E.EPERM;
  const firstPage = pagesOf(length);
  const cutPage = cutStep(cpu, object, firstPage);
  resizeObject(cpu, object, cutPage > firstPage ? bytesOf(cutPage) : length);
  // A file with many pages gets shorter step by step.
  return cutPage > firstPage ? giveWay(cpu, 0) : 0;
}
