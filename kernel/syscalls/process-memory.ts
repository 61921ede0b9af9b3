/**
 * /proc/PID/mem: the memory of a process as a file, in which an offset is an address. Accesses are
 * forced, as a debugger needs it: see mmu/forced-copy.ts.
 *
 * The file remembers the process and its address space, without a reference. Once the process has
 * ended or called exec, reads and writes return 0. Checks and their order are Linux's (6.18).
 */
import { peek, poke } from '../../shared/atomics.ts';
import * as E from '../../shared/abi/errno.ts';
import * as OBJECT from '../../shared/layout/object.ts';
import * as PROCESS from '../../shared/layout/process.ts';
import * as SPACE from '../../shared/layout/space.ts';
import { PAGE_SIZE, TRANSFER_BATCH_BYTES, USER_SPACE_END } from '../../shared/limits.ts';
import type { ObjectBlock, Pid, ProcessBlock, SpaceBlock, VirtAddr } from '../../shared/units.ts';
import { releaseFaultObject } from '../faults/object-fault.ts';
import type { Cpu } from '../machine/cpu.ts';
import { WAIT_PAGE } from '../machine/wait-codes.ts';
import { forceFromUser, forceToUser } from '../mmu/forced-copy.ts';
import { copyFromUser, copyToUser, isUserRange } from '../mmu/user-copy.ts';
import { createObject } from '../objects/object.ts';
import { borrowSpace, borrowSpaceAgain } from '../processes/borrowed-space.ts';
import { putSpace } from '../space/space.ts';

/**
 * The object behind /proc/PID/mem for the caller `proc`, with one reference: its block, or -ESRCH,
 * -EACCES, -ENOMEM. `host`: the host's number for it.
 */
export function createProcessMemory(
  cpu: Cpu,
  proc: ProcessBlock,
  pid: Pid,
  host: number,
): ObjectBlock {
  const space = borrowSpace(cpu, peek(cpu.words, proc + PROCESS.SPACE), pid);
  if (space < 0) return space === -E.EPERM ? -E.EACCES : -E.ESRCH;
  const id = peek(cpu.words, space + SPACE.ID);
  putSpace(cpu, space);
  const object = createObject(cpu, { kind: OBJECT.MEMORY, size: 0, host, writable: true });
  if (object === 0) return -E.ENOMEM;
  poke(cpu.words, object + OBJECT.TARGET_PID, pid);
  poke(cpu.words, object + OBJECT.TARGET_SPACE, id);
  return object;
}

/**
 * Copies between the caller's memory at `address` and the target's at `position`: bytes, 0 when the
 * target is gone; -EIO where it has no memory, -EFAULT, or -WAIT_PAGE.
 */
export function transferMemory(
  cpu: Cpu,
  space: SpaceBlock,
  object: ObjectBlock,
  address: VirtAddr,
  length: number,
  position: number,
  write: boolean,
): number {
  if (!isUserRange(address, length)) return -E.EFAULT;
  const { words } = cpu;
  const pid = peek(words, object + OBJECT.TARGET_PID);
  const other = borrowSpaceAgain(cpu, pid, peek(words, object + OBJECT.TARGET_SPACE));
  if (other === 0) return 0;
  const total = Math.min(length, TRANSFER_BATCH_BYTES);
  const buffer = new Uint8Array(PAGE_SIZE);
  let done = 0;
  let outcome = 0;
  while (done < total && outcome === 0) {
    const at = position + done;
    const part = buffer.subarray(0, Math.min(total - done, PAGE_SIZE - (at % PAGE_SIZE)));
    outcome = write
      ? writePart(cpu, space, address + done, other, at, part)
      : readPart(cpu, space, address + done, other, at, part);
    if (outcome === 0) done += part.length;
  }
  putSpace(cpu, other);
  if (outcome === 0 || done === 0) return outcome === 0 ? done : outcome;
  // The rest is asked for in another call, which waits then. Linux forgets what was copied before
  // its own side refused.
  if (outcome === -WAIT_PAGE) releaseFaultObject(cpu, cpu.faultObject);
  return outcome === -E.EFAULT ? outcome : done;
}

/** 0, or why not: -EIO, -EFAULT, -WAIT_PAGE. */
function readPart(
  cpu: Cpu,
  space: SpaceBlock,
  address: VirtAddr,
  other: SpaceBlock,
  at: VirtAddr,
  part: Uint8Array,
): number {
  const got = at < USER_SPACE_END ? forceFromUser(cpu, other, at, part) : 0;
  if (got <= 0) return got === 0 ? -E.EIO : got;
  const put = copyToUser(cpu, space, address, part);
  if (put === -WAIT_PAGE) return put;
  return put < part.length ? -E.EFAULT : 0;
}

function writePart(
  cpu: Cpu,
  space: SpaceBlock,
  address: VirtAddr,
  other: SpaceBlock,
  at: VirtAddr,
  part: Uint8Array,
): number {
  const got = copyFromUser(cpu, space, address, part);
  if (got === -WAIT_PAGE) return got;
  if (got < part.length) return -E.EFAULT;
  const put = at < USER_SPACE_END ? forceToUser(cpu, other, at, part) : 0;
  return put <= 0 && put !== -WAIT_PAGE ? -E.EIO : Math.min(0, put);
}
