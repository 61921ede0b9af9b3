/**
 * Bulk accesses to user memory at typed-array speed. A step is a run of pages that follow each other
 * both in the process and in the machine, as pages touched in order do: the first is translated
 * right before it is used, the others are in the TLB by then, and nothing is polled in between. So a
 * shootdown waits for one run at most. A fault in the middle leaves what comes before it done, as a
 * store sequence would.
 */
import { PAGE_SIZE, TABLE_ENTRIES } from '../../shared/limits.ts';
import type { Mmu } from './mmu.ts';

/** Longest run: a few microseconds. */
const RUN_BYTES = 65536;
/** Bytes filled one by one before the rest is copied from them. */
const FILL_SEED_BYTES = 256;

/** Byte index in the machine of a page just translated. */
function byteAt(mmu: Mmu, address: number): number {
  const slot = (address / PAGE_SIZE) & (mmu.frameAt.length - 1);
  return ((mmu.frameAt[slot] as number) - mmu.frameBase) * 4 + (address % PAGE_SIZE);
}

/** Bytes from `address` to the end of its page, at most `left`. */
function chunk(address: number, left: number): number {
  return Math.min(left, PAGE_SIZE - (address % PAGE_SIZE));
}

/** Bytes of the run from `address`, whose page was just translated, at most `left`. */
function runBytes(mmu: Mmu, address: number, left: number, write: boolean): number {
  const { frameAt } = mmu;
  const { readBase, writeBase } = mmu.cpu.tlb;
  const bases = write ? writeBase : readBase;
  const slots = frameAt.length - 1;
  const most = Math.min(left, RUN_BYTES);
  let bytes = PAGE_SIZE - (address % PAGE_SIZE);
  let frame = frameAt[(address / PAGE_SIZE) & slots] as number;
  while (bytes < most) {
    const slot = ((address + bytes) / PAGE_SIZE) & slots;
    frame += TABLE_ENTRIES;
    if (bases[slot] !== address + bytes || frameAt[slot] !== frame) break;
    bytes += PAGE_SIZE;
  }
  return Math.min(bytes, most);
}

function checkLength(length: number): void {
  if (!Number.isSafeInteger(length) || length < 0) {
    throw new RangeError(`a length must be a non-negative integer, got ${String(length)}`);
  }
}

export function readUser(mmu: Mmu, address: number, target: Uint8Array): void {
  for (let done = 0; done < target.length;) {
    const from = address + done;
    let size = chunk(from, target.length - done);
    if (mmu.translate(from, false)) {
      size = runBytes(mmu, from, target.length - done, false);
      const at = byteAt(mmu, from);
      target.set(mmu.bytes.subarray(at, at + size), done);
    } else {
      for (let i = 0; i < size; i++) target[done + i] = mmu.deviceLoad(from + i, 1);
    }
    done += size;
  }
}

export function writeUser(mmu: Mmu, address: number, source: Uint8Array): void {
  for (let done = 0; done < source.length;) {
    const to = address + done;
    let size = chunk(to, source.length - done);
    if (mmu.translate(to, true)) {
      size = runBytes(mmu, to, source.length - done, true);
      const part = size === source.length ? source : source.subarray(done, done + size);
      mmu.bytes.set(part, byteAt(mmu, to));
    } else {
      for (let i = 0; i < size; i++) mmu.deviceStore(to + i, 1, source[done + i] as number);
    }
    done += size;
  }
}

export function fillUser(mmu: Mmu, address: number, value: number, length: number): void {
  checkLength(length);
  for (let done = 0; done < length;) {
    const to = address + done;
    let size = chunk(to, length - done);
    if (mmu.translate(to, true)) {
      size = runBytes(mmu, to, length - done, true);
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
 * Copies as memmove, runs of pages from the end that overlaps last. The two translations of a step
 * hold together: looking up the second may poll or fault, and then the first is looked up again.
 */
export function copyUser(mmu: Mmu, to: number, from: number, length: number): void {
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
function copyAhead(mmu: Mmu, to: number, from: number, left: number): number {
  if (translateBoth(mmu, to, from)) {
    const size = runBytes(mmu, to, runBytes(mmu, from, left, false), true);
    const at = byteAt(mmu, from);
    mmu.bytes.copyWithin(byteAt(mmu, to), at, at + size);
    return size;
  }
  const size = chunk(to, chunk(from, left));
  copyThrough(mmu, to, from, size);
  return size;
}

/** Copies a step at the end of the first `left` bytes, within a page of each; its bytes. */
function copyBack(mmu: Mmu, to: number, from: number, left: number): number {
  const inTo = (to + left - 1) % PAGE_SIZE;
  const inFrom = (from + left - 1) % PAGE_SIZE;
  const size = Math.min(left, inTo + 1, inFrom + 1);
  copyThrough(mmu, to + left - size, from + left - size, size);
  return size;
}

function copyThrough(mmu: Mmu, to: number, from: number, size: number): void {
  const buffer = new Uint8Array(size);
  readUser(mmu, from, buffer);
  writeUser(mmu, to, buffer);
}

/** Whether both pages are in the TLB now: not a device's, nor two that evict each other. */
function translateBoth(mmu: Mmu, to: number, from: number): boolean {
  if (!mmu.translate(from, false) || !mmu.translate(to, true)) return false;
  const page = from - (from % PAGE_SIZE);
  const { readBase } = mmu.cpu.tlb;
  return readBase[(from / PAGE_SIZE) & (readBase.length - 1)] === page;
}
