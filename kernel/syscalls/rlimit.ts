/**
 * getrlimit(2) and setrlimit(2) for the limits that this machine has: DATA, STACK, MEMLOCK, AS.
 * Others are EINVAL. The structure in user memory is Linux's: two 64-bit numbers.
 */
import { peek, poke } from '../../shared/atomics.ts';
import * as E from '../../shared/abi/errno.ts';
import * as PROCESS from '../../shared/layout/process.ts';
import * as SPACE from '../../shared/layout/space.ts';
import type { ProcessBlock, SpaceBlock, VirtAddr } from '../../shared/units.ts';
import type { Cpu } from '../machine/cpu.ts';
import { isPrivileged, limitAt } from '../space/rlimits.ts';
import { copyFromUser, copyToUser } from '../mmu/user-copy.ts';

const BYTES: number = SPACE.RLIMIT_WORDS * 4;

/** Writes {soft, hard} of a resource to `address`. 0, -EINVAL or -EFAULT, or -WAIT_PAGE. */
export function sysGetrlimit(
  cpu: Cpu,
  proc: ProcessBlock,
  resource: number,
  address: VirtAddr,
): number {
  const space: SpaceBlock = peek(cpu.words, proc + PROCESS.SPACE);
  const at = limitAt(space, resource);
  if (at < 0) return -E.EINVAL;
  const limit = new Int32Array(SPACE.RLIMIT_WORDS);
  for (let i = 0; i < SPACE.RLIMIT_WORDS; i++) limit[i] = peek(cpu.words, at + i);
  const copied = copyToUser(cpu, space, address, new Uint8Array(limit.buffer));
  if (copied < 0) return copied;
  return copied < BYTES ? -E.EFAULT : 0;
}

/** Reads {soft, hard} from `address`. 0, -EFAULT, -EINVAL, -EPERM for raising hard, -WAIT_PAGE. */
export function sysSetrlimit(
  cpu: Cpu,
  proc: ProcessBlock,
  resource: number,
  address: VirtAddr,
): number {
  const space: SpaceBlock = peek(cpu.words, proc + PROCESS.SPACE);
  const bytes = new Uint8Array(BYTES);
  const copied = copyFromUser(cpu, space, address, bytes);
  if (copied < 0) return copied;
  if (copied < BYTES) return -E.EFAULT;
  const at = limitAt(space, resource);
  if (at < 0) return -E.EINVAL;
  const limit = new Uint32Array(bytes.buffer);
  if (isAbove(limit, 0, limit, 2)) return -E.EINVAL;
  const now = new Uint32Array(SPACE.RLIMIT_WORDS);
  for (let i = 0; i < SPACE.RLIMIT_WORDS; i++) now[i] = peek(cpu.words, at + i);
  if (isAbove(limit, 2, now, 2) && !isPrivileged(cpu, space)) return -E.EPERM;
  for (let i = 0; i < SPACE.RLIMIT_WORDS; i++) poke(cpu.words, at + i, (limit[i] as number) | 0);
  return 0;
}

/** Whether the 64-bit number at word `i` of `left` is above that at word `j` of `right`. */
function isAbove(left: Uint32Array, i: number, right: Uint32Array, j: number): boolean {
  const [low, high] = [left[i] as number, left[i + 1] as number];
  const [otherLow, otherHigh] = [right[j] as number, right[j + 1] as number];
  return high !== otherHigh ? high > otherHigh : low > otherLow;
}
