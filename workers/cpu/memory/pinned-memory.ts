/**
 * `proc.mem.pin`: pins in the kernel, one for each PIN_PAGES_MAX pages, and views of their frames.
 *
 * Each page is touched as a load or store would, so that it is brought in, or refused, as for
 * these; then the kernel pins what is there. If a page has gone again by then, that is repeated.
 */
import { WAIT_PAGE, pinPages, releaseFaultObject, unpinPages } from '../../../kernel/index.ts';
import { peek } from '../../../shared/atomics.ts';
import { EFAULT, ENOMEM } from '../../../shared/abi/errno.ts';
import * as PIN from '../../../shared/layout/pin.ts';
import { PAGE_SIZE, PIN_PAGES_MAX } from '../../../shared/limits.ts';
import type { PinnedMemory } from '../../api/memory-api.ts';
import { SyscallError } from '../../wire/errors.ts';
import type { ProgramMmu } from './program-mmu.ts';

/** Times that pages may go between being touched and being pinned. */
const ATTEMPTS_MAX = 100;

/** Pins the pages of [address, address + length). */
export function pinMemory(
  mmu: ProgramMmu,
  address: number,
  length: number,
  write: boolean,
): PinnedMemory {
  const pins: number[] = [];
  const unpin = (): void => {
    for (const pin of pins.splice(0)) {
      mmu.inKernel(() => unpinPages(mmu.cpu, mmu.context.proc, pin));
    }
  };
  const frames: number[] = [];
  const end = address + length;
  try {
    for (let at = address - (address % PAGE_SIZE); at < end;) {
      const pages = Math.min(PIN_PAGES_MAX, Math.ceil((end - at) / PAGE_SIZE));
      const pin = pinChunk(mmu, at, pages, write);
      pins.push(pin);
      for (let i = 0; i < pages; i++) frames.push(peek(mmu.words, pin + PIN.FRAMES + i));
      at += pages * PAGE_SIZE;
    }
  } catch (error) {
    unpin();
    throw error;
  }
  return Object.freeze({ parts: partsOf(mmu, frames, address % PAGE_SIZE, length), unpin });
}

function pinChunk(mmu: ProgramMmu, address: number, pages: number, write: boolean): number {
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    for (let i = 0; i < pages; i++) touch(mmu, address + i * PAGE_SIZE, write);
    const { cpu, context } = mmu;
    const result: number = mmu.inKernel(() => {
      const pin = pinPages(cpu, context.proc, address, pages, write);
      if (pin === -WAIT_PAGE) releaseFaultObject(cpu, cpu.faultObject);
      return pin;
    });
    if (result > 0) return result;
    // Another thread has changed the range, or reclaim has taken a page: look again.
    if (result !== -WAIT_PAGE && result !== -EFAULT) throw new SyscallError('pin', -result);
  }
  throw new SyscallError('pin', ENOMEM, 'its pages do not stay in memory');
}

function touch(mmu: ProgramMmu, address: number, write: boolean): void {
  if (mmu.translate(address, write)) return;
  throw new RangeError(`pin: 0x${address.toString(16)} is a device register`);
}

/** Views of the frames' bytes, joined where frames follow each other. */
function partsOf(
  { bytes }: ProgramMmu,
  frames: readonly number[],
  offset: number,
  length: number,
): readonly Uint8Array<SharedArrayBuffer>[] {
  const parts: Uint8Array<SharedArrayBuffer>[] = [];
  let left = length;
  for (let i = 0; i < frames.length;) {
    const first = i;
    do i++;
    while (frames[i] === (frames[first] as number) + i - first);
    const skipped = first === 0 ? offset : 0;
    const size = Math.min(left, (i - first) * PAGE_SIZE - skipped);
    const from = (frames[first] as number) * PAGE_SIZE + skipped;
    parts.push(bytes.subarray(from, from + size));
    left -= size;
  }
  return parts;
}
