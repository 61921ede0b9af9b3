/**
 * read(2), write(2), pread(2), pwrite(2): between user memory and the page cache that mappings use
 * too. The checks and their order are Linux's (6.18, tmpfs and ext4), as tested there.
 *
 * Guarantees: a page of the object is copied while it cannot be taken away; bytes before a bad user
 * page are transferred and counted. When a page must be supplied after some bytes were transferred,
 * the count so far is returned and the position moved: the caller goes on with the rest. So
 * -WAIT_PAGE means that nothing was done.
 * Locking: none held while user memory is touched. On the kernel worker, which owns the positions.
 * Not guaranteed: that a transfer is one step for mappings of the file.
 */
import { peek } from '../../shared/atomics.ts';
import * as E from '../../shared/abi/errno.ts';
import * as PROCESS from '../../shared/layout/process.ts';
import {
  FILE_BYTES_MAX,
  PAGE_SIZE,
  TRANSFER_BATCH_BYTES,
  TRANSFER_BYTES_MAX,
} from '../../shared/limits.ts';
import { O_APPEND } from '../../shared/abi/mman.ts';
import { objectPageOf, pagesOf } from '../../shared/units.ts';
import type {
  FileBlock,
  ObjectBlock,
  ObjectPage,
  ProcessBlock,
  SpaceBlock,
  VirtAddr,
} from '../../shared/units.ts';
import type { Cpu } from '../machine/cpu.ts';
import {
  fileFlags,
  fileObject,
  filePosition,
  isReadable,
  isWritable,
  putFile,
  setFilePosition,
} from '../objects/open-file.ts';
import { zeroGap } from '../files/truncate.ts';
import { putFrame } from '../frames/frames.ts';
import { releaseFaultObject } from '../faults/object-fault.ts';
import { frameBytesOf } from '../faults/page-in.ts';
import { kindOf } from '../objects/kinds.ts';
import { fdFile } from '../objects/fd.ts';
import { getObject } from '../objects/object.ts';
import {
  PAGE_ABSENT,
  PAGE_BEYOND,
  PAGE_HOLE,
  PAGE_NO_MEMORY,
  dropPages,
  extendObject,
  findPage,
  getWritePage,
  markDirty,
  objectSize,
} from '../objects/pages.ts';
import { refusesWrite } from '../objects/seals.ts';
import { copyFromUser, copyToUser, isUserRange } from '../mmu/user-copy.ts';
import { WAIT_PAGE } from '../machine/wait-codes.ts';
import { signedOffset } from '../space/wrapping.ts';
import { transferMemory } from './process-memory.ts';

/** What a hole reads as. */
const ZEROS: Uint8Array = new Uint8Array(PAGE_SIZE);

/** Bytes read into user memory at the position, which moves; 0 at the end of the file. */
export function sysRead(
  cpu: Cpu,
  proc: ProcessBlock,
  fd: number,
  address: VirtAddr,
  length: number,
): number {
  if (![fd, address, length].every(Number.isInteger)) return -E.EINVAL;
  const file = fdFile(cpu, proc, fd);
  if (file === 0) return -E.EBADF;
  const position = filePosition(cpu, file);
  const result = readAt(cpu, proc, file, address, length, position);
  if (result > 0) setFilePosition(cpu, file, position + result);
  putFile(cpu, file);
  return result;
}

/** The same at an offset; the position stays. */
export function sysPread(
  cpu: Cpu,
  proc: ProcessBlock,
  fd: number,
  address: VirtAddr,
  length: number,
  offset: number,
): number {
  if (![fd, address, length, offset].every(Number.isInteger)) return -E.EINVAL;
  if (signedOffset(offset) < 0) return -E.EINVAL;
  const file = fdFile(cpu, proc, fd);
  if (file === 0) return -E.EBADF;
  const result = readAt(cpu, proc, file, address, length, offset);
  putFile(cpu, file);
  return result;
}

/** Bytes written from user memory at the position (O_APPEND: at the end), which moves. */
export function sysWrite(
  cpu: Cpu,
  proc: ProcessBlock,
  fd: number,
  address: VirtAddr,
  length: number,
): number {
  if (![fd, address, length].every(Number.isInteger)) return -E.EINVAL;
  const file = fdFile(cpu, proc, fd);
  if (file === 0) return -E.EBADF;
  const position = writePosition(cpu, file, filePosition(cpu, file));
  const result = writeAt(cpu, proc, file, address, length, position);
  if (result > 0) setFilePosition(cpu, file, position + result);
  putFile(cpu, file);
  return result;
}

/** The same at an offset, but at the end with O_APPEND, as in Linux; the position stays. */
export function sysPwrite(
  cpu: Cpu,
  proc: ProcessBlock,
  fd: number,
  address: VirtAddr,
  length: number,
  offset: number,
): number {
  if (![fd, address, length, offset].every(Number.isInteger)) return -E.EINVAL;
  if (signedOffset(offset) < 0) return -E.EINVAL;
  const file = fdFile(cpu, proc, fd);
  if (file === 0) return -E.EBADF;
  const position = writePosition(cpu, file, offset);
  const result = writeAt(cpu, proc, file, address, length, position);
  putFile(cpu, file);
  return result;
}

function writePosition(cpu: Cpu, file: FileBlock, position: number): number {
  const appends = (fileFlags(cpu, file) & O_APPEND) !== 0;
  return appends ? objectSize(cpu, fileObject(cpu, file)) : position;
}

function readAt(
  cpu: Cpu,
  proc: ProcessBlock,
  file: FileBlock,
  address: VirtAddr,
  length: number,
  position: number,
): number {
  const object = fileObject(cpu, file);
  if (!isReadable(cpu, file)) return -E.EBADF;
  const { transferRefusal, isEndless, isMemory } = kindOf(cpu.machine, object);
  if (transferRefusal !== 0) return transferRefusal;
  if (!isUserRange(address, length)) return -E.EFAULT;
  const space: SpaceBlock = peek(cpu.words, proc + PROCESS.SPACE);
  if (isMemory) return transferMemory(cpu, space, object, address, length, position, false);
  const rest = isEndless ? length : objectSize(cpu, object) - position;
  const total = Math.min(length, TRANSFER_BYTES_MAX, Math.max(0, rest));
  let done = 0;
  while (done < total) {
    const at = position + done;
    const piece = Math.min(total - done, PAGE_SIZE - (at % PAGE_SIZE));
    const copied = readPiece(cpu, space, object, address + done, at, piece);
    if (copied < 0) return stopped(cpu, done, copied);
    done += copied;
    if (copied < piece || done >= TRANSFER_BATCH_BYTES) break;
  }
  return done === 0 && total > 0 ? -E.EFAULT : done;
}

/** Copies from one page of the object: the bytes copied, or -WAIT_PAGE. */
function readPiece(
  cpu: Cpu,
  space: SpaceBlock,
  object: ObjectBlock,
  address: VirtAddr,
  at: number,
  piece: number,
): number {
  const page = objectPageOf(at);
  const offset = at % PAGE_SIZE;
  const pfn = findPage(cpu, object, page);
  if (pfn === PAGE_ABSENT) return waitFor(cpu, object, page);
  // Beyond the end: the file has been truncated meanwhile.
  const isZero = pfn === PAGE_HOLE || pfn === PAGE_BEYOND;
  const source = isZero ? ZEROS : frameBytesOf(cpu.machine, pfn);
  const copied = copyToUser(cpu, space, address, source.subarray(offset, offset + piece));
  if (!isZero) putFrame(cpu, pfn);
  return copied;
}

function writeAt(
  cpu: Cpu,
  proc: ProcessBlock,
  file: FileBlock,
  address: VirtAddr,
  length: number,
  position: number,
): number {
  const object = fileObject(cpu, file);
  if (!isWritable(cpu, file)) return -E.EBADF;
  const { transferRefusal, canGrow, isEndless, isMemory } = kindOf(cpu.machine, object);
  if (transferRefusal !== 0) return transferRefusal;
  if (!isUserRange(address, length)) return -E.EFAULT;
  if (length === 0) return 0;
  const space: SpaceBlock = peek(cpu.words, proc + PROCESS.SPACE);
  if (isMemory) return transferMemory(cpu, space, object, address, length, position, true);
  if (isEndless) return Math.min(length, TRANSFER_BYTES_MAX);
  if (position >= FILE_BYTES_MAX) return -E.EFBIG;
  if (!canGrow) {
    if (position >= objectSize(cpu, object)) return -E.ENOSPC;
    length = Math.min(length, objectSize(cpu, object) - position);
  }
  const total = Math.min(length, TRANSFER_BYTES_MAX, FILE_BYTES_MAX - position);
  let done = 0;
  while (done < total) {
    const at = position + done;
    const piece = Math.min(total - done, PAGE_SIZE - (at % PAGE_SIZE));
    const copied = writePiece(cpu, space, object, address + done, at, piece);
    if (copied < 0) return stopped(cpu, done, copied);
    // A page that refuses now may have had to wait for the file to grow.
    if (copied === 0) break;
    done += copied;
    if (done >= TRANSFER_BATCH_BYTES) break;
  }
  return done === 0 ? -E.EFAULT : done;
}

/** Copies to one page of the object: the bytes copied, -WAIT_PAGE, -ENOSPC or -EPERM. */
function writePiece(
  cpu: Cpu,
  space: SpaceBlock,
  object: ObjectBlock,
  address: VirtAddr,
  at: number,
  piece: number,
): number {
  const page = objectPageOf(at);
  const offset = at % PAGE_SIZE;
  // Before the source is looked at.
  if (refusesWrite(cpu, object, at + piece)) return -E.EPERM;
  const pfn = getWritePage(cpu, object, page);
  if (pfn === PAGE_ABSENT) return waitFor(cpu, object, page);
  if (pfn === PAGE_NO_MEMORY) return -E.ENOSPC;
  if (at > objectSize(cpu, object)) {
    zeroGap(cpu, object);
    // Linux grows the file up to here before it faults in the source, which may map this file, and
    // the file keeps that size when nothing can be copied (6.18).
    extendObject(cpu, object, at);
  }
  const target = frameBytesOf(cpu.machine, pfn).subarray(offset, offset + piece);
  const copied = copyFromUser(cpu, space, address, target);
  if (copied > 0) markDirty(cpu, pfn);
  putFrame(cpu, pfn);
  if (copied > 0) extendObject(cpu, object, at + copied);
  if (copied <= 0) dropBeyond(cpu, object);
  return copied;
}

/** Drops pages beyond the end that a failed write made. On tmpfs they stay, as mincore shows. */
function dropBeyond(cpu: Cpu, object: ObjectBlock): void {
  if (kindOf(cpu.machine, object).keepsBeyondEnd) return;
  dropPages(cpu, object, pagesOf(objectSize(cpu, object)), pagesOf(FILE_BYTES_MAX));
}

/** The result of a transfer that was ended by a negative outcome. */
function stopped(cpu: Cpu, done: number, outcome: number): number {
  if (done === 0) return outcome;
  // The caller asks for the rest in a new call, and then waits.
  if (outcome === -WAIT_PAGE) releaseFaultObject(cpu, cpu.faultObject);
  return done;
}

/** -WAIT_PAGE for a page of the object itself. */
function waitFor(cpu: Cpu, object: ObjectBlock, page: ObjectPage): number {
  getObject(cpu, object);
  cpu.faultObject = object;
  cpu.faultPage = page;
  return -WAIT_PAGE;
}
