/**
 * Bulk accesses to user memory at typed-array speed: in runs of pages that follow each other in the
 * process and in the machine, as pages touched in order do. The first page of a step is
 * translated, the others are in the TLB by then, and nothing is polled in between; so a shootdown
 * waits for STEP_BYTES at most. A fault in the middle leaves the part before it done, as a sequence
 * of stores would.
 */
import { PAGE_SIZE, TABLE_ENTRIES } from '../../../shared/limits.ts';
import type { ProgramMmu } from './program-mmu.ts';
import { byteAt, offsetIn, slotOf } from './tlb-access.ts';

/** Most bytes between two polls: a few microseconds. */
const STEP_BYTES = 65536;
/** Bytes filled one by one before the rest is copied from them. */
const FILL_SEED_BYTES = 256;

/** Bytes from `address` to the end of its page, at most `left`. */
function chunk(address: number, left: number): number {
  return Math.min(left, PAGE_SIZE - offsetIn(address));
}

/** Whether the TLB has the page of `address`, which the caller may use until the next poll. */
function isInTlb(mmu: ProgramMmu, address: number, write: boolean): boolean {
  const { readBase, writeBase } = mmu.cpu.tlb;
  const bases = write ? writeBase : readBase;
  return bases[slotOf(address)] === address - offsetIn(address);
}

/** Bytes of the run from `address`, whose page is in the TLB, at most `left`. */
function runBytes(mmu: ProgramMmu, address: number, left: number, write: boolean): number {
  const { frameAt } = mmu;
  const { readBase, writeBase } = mmu.cpu.tlb;
  const bases = write ? writeBase : readBase;
  let bytes = PAGE_SIZE - offsetIn(address);
  let frame = frameAt[slotOf(address)] as number;
  while (bytes < left) {
    const slot = slotOf(address + bytes);
    frame += TABLE_ENTRIES;
    if (bases[slot] !== address + bytes || frameAt[slot] !== frame) break;
    bytes += PAGE_SIZE;
  }
  return Math.min(bytes, left);
}

/** A length that is a number of bytes; nothing is converted. */
export function checkLength(length: number): void {
  if (!Number.isSafeInteger(length) || length < 0) {
    throw new RangeError(`a length must be a non-negative integer, got ${String(length)}`);
  }
}

export function readUser(mmu: ProgramMmu, address: number, target: Uint8Array): void {
  for (let done = 0; done < target.length;) {
    if (mmu.translate(address + done, false)) {
      const stop = Math.min(target.length, done + STEP_BYTES);
      do {
        const from = address + done;
        const size = runBytes(mmu, from, stop - done, false);
        const at = byteAt(mmu, from);
        target.set(mmu.bytes.subarray(at, at + size), done);
        done += size;
      } while (done < stop && isInTlb(mmu, address + done, false));
    } else {
      for (let left = chunk(address + done, target.length - done); left > 0; left--, done++) {
        target[done] = mmu.deviceLoad(address + done, 1);
      }
    }
  }
}

export function writeUser(mmu: ProgramMmu, address: number, source: Uint8Array): void {
  for (let done = 0; done < source.length;) {
    if (mmu.translate(address + done, true)) {
      const stop = Math.min(source.length, done + STEP_BYTES);
      do {
        const to = address + done;
        const size = runBytes(mmu, to, stop - done, true);
        const part = size === source.length ? source : source.subarray(done, done + size);
        mmu.bytes.set(part, byteAt(mmu, to));
        done += size;
      } while (done < stop && isInTlb(mmu, address + done, true));
    } else {
      for (let left = chunk(address + done, source.length - done); left > 0; left--, done++) {
        mmu.deviceStore(address + done, 1, source[done] as number);
      }
    }
  }
}

export function fillUser(mmu: ProgramMmu, address: number, value: number, length: number): void {
  checkLength(length);
  for (let done = 0; done < length;) {
    const to = address + done;
    let size = chunk(to, length - done);
    if (mmu.translate(to, true)) {
      size = runBytes(mmu, to, Math.min(length - done, STEP_BYTES), true);
      fillBytes(mmu.bytes, byteAt(mmu, to), size, value);
    } else {
      for (let i = 0; i < size; i++) mmu.deviceStore(to + i, 1, value & 0xff);
    }
    done += size;
  }
}

/**
 * `fill` stores byte by byte in a SharedArrayBuffer: 18.4 us for 64 KiB. Copying what is filled
 * already, twice as much each time, takes 2.9 us (Node 20 and 24; docs/performance.md).
 */
function fillBytes(bytes: Uint8Array, at: number, size: number, value: number): void {
  let filled = Math.min(size, FILL_SEED_BYTES);
  bytes.fill(value, at, at + filled);
  while (filled < size) {
    const more = Math.min(filled, PAGE_SIZE, size - filled);
    bytes.copyWithin(at + filled, at, at + more);
    filled += more;
  }
}

/**
 * Copies as memmove. The two translations of a step must hold together: looking up the second may
 * poll, fault or evict the first. Where they do not, as with a device, a buffer lies in between.
 */
export function copyUser(mmu: ProgramMmu, to: number, from: number, length: number): void {
  checkLength(length);
  const backwards = to > from && to < from + length;
  for (let done = 0; done < length;) {
    const size = backwards
      ? copyBack(mmu, to, from, length - done)
      : copyAhead(mmu, to + done, from + done, length - done);
    done += size;
  }
}

/** Copies a step at the start of what is left; its bytes. */
function copyAhead(mmu: ProgramMmu, to: number, from: number, left: number): number {
  if (!mmu.translate(from, false) || !mmu.translate(to, true) || !isInTlb(mmu, from, false)) {
    const size = chunk(to, chunk(from, left));
    copyThrough(mmu, to, from, size);
    return size;
  }
  const stop = Math.min(left, STEP_BYTES);
  let done = 0;
  do {
    const size = runBytes(mmu, to + done, runBytes(mmu, from + done, stop - done, false), true);
    const at = byteAt(mmu, from + done);
    mmu.bytes.copyWithin(byteAt(mmu, to + done), at, at + size);
    done += size;
  } while (done < stop && isInTlb(mmu, from + done, false) && isInTlb(mmu, to + done, true));
  return done;
}

/** Copies a step at the end of the first `left` bytes, within a page of each; its bytes. */
function copyBack(mmu: ProgramMmu, to: number, from: number, left: number): number {
  const inTo = offsetIn(to + left - 1);
  const inFrom = offsetIn(from + left - 1);
  const size = Math.min(left, inTo + 1, inFrom + 1);
  copyThrough(mmu, to + left - size, from + left - size, size);
  return size;
}

function copyThrough(mmu: ProgramMmu, to: number, from: number, size: number): void {
  const buffer = new Uint8Array(size);
  readUser(mmu, from, buffer);
  writeUser(mmu, to, buffer);
}
