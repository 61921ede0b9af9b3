/** What a thread reads of a page, word by word or at once, and what became of the access. */
import { MemoryFault } from '../../workers/program.ts';
import type { Memory } from '../../workers/program.ts';
import { CONTENT_BYTES, IDENTITY, NUMBERS, STAMPS, THREADS_MAX } from './arena.ts';

/** What an access came to: null, or the code of its fault. */
export type Refusal = 'SEGV_MAPERR' | 'SEGV_ACCERR' | 'BUS_ADRERR' | null;

/** The words of a page as one thread read them. */
export interface Contents {
  readonly identity: number;
  readonly stamps: readonly number[];
  readonly numbers: readonly number[];
}

/** Runs an access; the code of its fault, or null. */
export function attempt(access: () => void): Refusal {
  try {
    access();
    return null;
  } catch (error) {
    if (error instanceof MemoryFault) return error.code;
    throw error;
  }
}

export function readWords(mem: Memory, address: number): Contents {
  return gather((offset) => mem.load32(address + offset));
}

export function readBulk(mem: Memory, address: number): Contents {
  const view = new DataView(mem.read(address, CONTENT_BYTES).buffer);
  return gather((offset) => view.getInt32(offset, true));
}

function gather(word: (offset: number) => number): Contents {
  const words = (offset: number): number[] => {
    const read: number[] = [];
    for (let i = 0; i < THREADS_MAX; i++) read.push(word(offset + 4 * i));
    return read;
  };
  return { identity: word(IDENTITY), stamps: words(STAMPS), numbers: words(NUMBERS) };
}

/** The identity word of a page of a process. A forked child writes it negated. */
export function identityOf(process: number, page: number): number {
  return process * 4096 + page + 1;
}
