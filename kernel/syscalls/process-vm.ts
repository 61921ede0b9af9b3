/**
 * process_vm_readv(2) and process_vm_writev(2): copies between the caller's memory and that of
 * another process, each given by a list of {address, length} in the caller's memory. Permissions
 * are those that the two processes have. The checks and their order are Linux's (6.18), as tested
 * there.
 *
 * Guarantees: what was copied before a page refused is counted; the other process's space stays
 * while it is used, whatever becomes of the process.
 * Locking: none held while memory is touched. Not guaranteed: that the copy is one step.
 */
import { peek } from '../../shared/atomics.ts';
import * as E from '../../shared/abi/errno.ts';
import * as PROCESS from '../../shared/layout/process.ts';
import { IO_VECTORS_MAX, PAGE_SIZE, PROCESS_VM_BYTES_MAX } from '../../shared/limits.ts';
import type { Pid, ProcessBlock, SpaceBlock, VirtAddr } from '../../shared/units.ts';
import type { Cpu } from '../machine/cpu.ts';
import { WAIT_PAGE } from '../machine/wait-codes.ts';
import { copyFromUser, copyToUser, isUserRange } from '../mmu/user-copy.ts';
import { borrowSpace } from '../processes/borrowed-space.ts';
import { putSpace } from '../space/space.ts';
import { intArgument } from '../space/wrapping.ts';

/** A struct iovec: two u64. */
const VECTOR_BYTES = 16;
const WORD = 2 ** 32;

/** A list of ranges, and how far it has been used. */
class Vectors {
  /** {address, bytes}, one after the other. */
  readonly parts: readonly number[];
  private index = 0;
  private used = 0;

  constructor(parts: readonly number[]) {
    this.parts = parts;
  }

  /** Bytes of all parts. */
  get total(): number {
    let bytes = 0;
    for (let i = 1; i < this.parts.length; i += 2) bytes += this.parts[i] as number;
    return bytes;
  }

  /** Where the rest begins. */
  get address(): VirtAddr {
    return (this.parts[this.index] as number) + this.used;
  }

  /** Bytes from there to the end of the part or of the page; 0 at the end of the list. */
  run(): number {
    while (this.index < this.parts.length && this.used === this.parts[this.index + 1]) {
      this.index += 2;
      this.used = 0;
    }
    if (this.index >= this.parts.length) return 0;
    const left = (this.parts[this.index + 1] as number) - this.used;
    return Math.min(left, PAGE_SIZE - (this.address % PAGE_SIZE));
  }

  advance(bytes: number): void {
    this.used += bytes;
  }
}

/** Copies from process `pid`. Bytes, at most PROCESS_VM_BYTES_MAX; or an errno, or -WAIT_PAGE. */
export function sysProcessVmReadv(
  cpu: Cpu,
  proc: ProcessBlock,
  pid: Pid,
  localVectors: VirtAddr,
  localCount: number,
  remoteVectors: VirtAddr,
  remoteCount: number,
  flags: number,
): number {
  const local = { address: localVectors, count: localCount };
  const remote = { address: remoteVectors, count: remoteCount };
  return transfer(cpu, proc, pid, local, remote, flags, false);
}

/** Copies to process `pid`. As above. */
export function sysProcessVmWritev(
  cpu: Cpu,
  proc: ProcessBlock,
  pid: Pid,
  localVectors: VirtAddr,
  localCount: number,
  remoteVectors: VirtAddr,
  remoteCount: number,
  flags: number,
): number {
  const local = { address: localVectors, count: localCount };
  const remote = { address: remoteVectors, count: remoteCount };
  return transfer(cpu, proc, pid, local, remote, flags, true);
}

interface VectorsAt {
  readonly address: VirtAddr;
  readonly count: number;
}

function transfer(
  cpu: Cpu,
  proc: ProcessBlock,
  pid: Pid,
  local: VectorsAt,
  remote: VectorsAt,
  flags: number,
  write: boolean,
): number {
  const own: SpaceBlock = peek(cpu.words, proc + PROCESS.SPACE);
  const given = [pid, local.address, local.count, remote.address, remote.count];
  if (!given.every(Number.isInteger) || flags !== 0) return -E.EINVAL;
  const mine = readVectors(cpu, own, local);
  if (typeof mine === 'number') return mine;
  for (let i = 0; i < mine.length; i += 2) {
    if (!isUserRange(mine[i] as number, mine[i + 1] as number)) return -E.EFAULT;
  }
  const from = new Vectors(mine);
  if (from.total === 0) return 0;
  const theirs = readVectors(cpu, own, remote);
  if (typeof theirs === 'number') return theirs;
  const to = new Vectors(theirs);
  if (to.total === 0) return 0;
  const other = borrowSpace(cpu, own, intArgument(pid));
  if (other < 0) return other;
  const copied = write ? copyAll(cpu, own, from, other, to) : copyAll(cpu, other, to, own, from);
  putSpace(cpu, other);
  return copied;
}

/** {address, bytes} of each; -EINVAL, -EFAULT or -WAIT_PAGE. */
function readVectors(
  cpu: Cpu,
  space: SpaceBlock,
  { address, count }: VectorsAt,
): readonly number[] | number {
  if (count < 0 || count > IO_VECTORS_MAX) return -E.EINVAL;
  const words = new Uint32Array((count * VECTOR_BYTES) / 4);
  const copied = copyFromUser(cpu, space, address, new Uint8Array(words.buffer));
  if (copied === -WAIT_PAGE) return copied;
  if (copied < count * VECTOR_BYTES) return -E.EFAULT;
  const parts: number[] = [];
  for (let i = 0; i < words.length; i += 2) {
    parts.push((words[i] as number) + (words[i + 1] as number) * WORD);
    // A ssize_t.
    if (i % 4 === 2 && (words[i + 1] as number) >= WORD / 2) return -E.EINVAL;
  }
  return parts;
}

/** Bytes copied, -EFAULT for none, or -WAIT_PAGE: then all of it is done again. */
function copyAll(
  cpu: Cpu,
  fromSpace: SpaceBlock,
  from: Vectors,
  toSpace: SpaceBlock,
  to: Vectors,
): number {
  const buffer = new Uint8Array(PAGE_SIZE);
  let done = 0;
  let piece = Math.min(from.run(), to.run());
  while (piece > 0 && done < PROCESS_VM_BYTES_MAX) {
    const part = buffer.subarray(0, Math.min(piece, PROCESS_VM_BYTES_MAX - done));
    const got = copyFromUser(cpu, fromSpace, from.address, part);
    if (got === -WAIT_PAGE) return got;
    const put = got < part.length ? 0 : copyToUser(cpu, toSpace, to.address, part);
    if (put === -WAIT_PAGE) return put;
    if (put < part.length) return done > 0 ? done : -E.EFAULT;
    done += put;
    from.advance(put);
    to.advance(put);
    piece = Math.min(from.run(), to.run());
  }
  return done;
}
