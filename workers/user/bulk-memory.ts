/**
 * Bulk accesses to user memory, page by page at typed-array speed. Each page is translated right
 * before it is used, so a shootdown waits for one page at most. A fault in the middle leaves the
 * pages before it done, as a store sequence would.
 */
import { PAGE_SIZE } from '../../shared/limits.ts';
import type { Mmu } from './mmu.ts';

/** Byte index in the machine of a page just translated. */
function byteAt(mmu: Mmu, address: number): number {
  const slot = (address / PAGE_SIZE) & (mmu.frameAt.length - 1);
  return ((mmu.frameAt[slot] as number) - mmu.frameBase) * 4 + (address % PAGE_SIZE);
}

/** Bytes from `address` to the end of its page, at most `left`. */
function chunk(address: number, left: number): number {
  return Math.min(left, PAGE_SIZE - (address % PAGE_SIZE));
}

function checkLength(length: number): void {
  if (!Number.isSafeInteger(length) || length < 0) {
    throw new RangeError(`a length must be a non-negative integer, got ${String(length)}`);
  }
}

export function readUser(mmu: Mmu, address: number, target: Uint8Array): void {
  for (let done = 0; done < target.length;) {
    const from = address + done;
    const size = chunk(from, target.length - done);
    if (mmu.translate(from, false)) {
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
    const size = chunk(to, source.length - done);
    if (mmu.translate(to, true)) {
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
    const size = chunk(to, length - done);
    if (mmu.translate(to, true)) {
      const at = byteAt(mmu, to);
      mmu.bytes.fill(value, at, at + size);
    } else {
      for (let i = 0; i < size; i++) mmu.deviceStore(to + i, 1, value & 0xff);
    }
    done += size;
  }
}

/** Copies as memmove: overlapping ranges are copied as if through a buffer. */
export function copyUser(mmu: Mmu, to: number, from: number, length: number): void {
  checkLength(length);
  const backwards = to > from && to < from + length;
  const buffer = new Uint8Array(Math.min(length, PAGE_SIZE));
  for (let done = 0; done < length;) {
    const size = Math.min(length - done, PAGE_SIZE);
    const offset = backwards ? length - done - size : done;
    const part = size === buffer.length ? buffer : buffer.subarray(0, size);
    readUser(mmu, from + offset, part);
    writeUser(mmu, to + offset, part);
    done += size;
  }
}
