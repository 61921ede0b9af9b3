/**
 * Lazy allocation, tested from the inside (in the spirit of xv6's lazytests). Each check prints
 * `NAME: ok`, or what was wrong.
 *
 *   sparse   a mapping far larger than memory, of which a few pages are used
 *   zero     a page that was given back reads as zero when it is mapped again
 *   holes    pages that were unmapped fault, their neighbours do not
 *   hungry   a child that touches more than there is dies; its parent goes on
 */
import {
  defineProgram,
  MAP_ANONYMOUS,
  MAP_NORESERVE,
  MAP_PRIVATE,
  MADV_DONTNEED,
  MemoryFault,
  PROT_READ,
  PROT_WRITE,
} from '../workers/program.ts';
import type { Proc, Program } from '../workers/program.ts';

interface Options {
  /** MiB of the sparse mapping, 1 to 1048576. */
  readonly mebibytes?: number;
  /** MiB that the hungry child touches, more than memory and swap; 0 leaves it out. */
  readonly hungry?: number;
}

const PAGE = 4096;
const MEBIBYTE = 2 ** 20;
const RW: number = PROT_READ | PROT_WRITE;
const ANON: number = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;

/** Whether the access faults like one to an unmapped address. */
function faults(access: () => void): boolean {
  try {
    access();
    return false;
  } catch (error) {
    if (error instanceof MemoryFault && error.code === 'SEGV_MAPERR') return true;
    throw error;
  }
}

async function sparse(proc: Proc, mebibytes: number): Promise<string> {
  const at = await proc.mmap(0, mebibytes * MEBIBYTE, RW, ANON);
  const step = Math.max(PAGE, Math.floor((mebibytes * MEBIBYTE) / 256 / PAGE) * PAGE);
  const end = at + mebibytes * MEBIBYTE;
  for (let address = at, i = 1; address < end; address += step, i++) {
    if (proc.mem.load32(address) !== 0) return `page at ${address.toString(16)} is not zero`;
    proc.mem.store32(address, i);
  }
  for (let address = at, i = 1; address < end; address += step, i++) {
    if (proc.mem.load32(address) !== i) return `page at ${address.toString(16)} was lost`;
  }
  await proc.munmap(at, mebibytes * MEBIBYTE);
  return 'ok';
}

async function zero(proc: Proc): Promise<string> {
  const at = await proc.mmap(0, 3 * PAGE, RW, ANON);
  for (let i = 0; i < 3; i++) proc.mem.store32(at + i * PAGE, 1);
  await proc.madvise(at + PAGE, PAGE, MADV_DONTNEED);
  const words = [0, 1, 2].map((i) => proc.mem.load32(at + i * PAGE));
  await proc.munmap(at, 3 * PAGE);
  return words.join() === '1,0,1' ? 'ok' : `the pages read ${words.join()}, not 1,0,1`;
}

async function holes(proc: Proc): Promise<string> {
  const at = await proc.mmap(0, 64 * PAGE, RW, ANON);
  for (let i = 0; i < 64; i += 2) await proc.munmap(at + i * PAGE, PAGE);
  let wrong = 0;
  for (let i = 0; i < 64; i++) {
    const address = at + i * PAGE;
    if (faults(() => proc.mem.store32(address, i)) !== (i % 2 === 0)) wrong++;
  }
  await proc.munmap(at, 64 * PAGE);
  return wrong === 0 ? 'ok' : `${wrong} of 64 pages faulted, or not, against the map`;
}

/** Entry of `hungry`'s child. */
export async function eat(proc: Proc, mebibytes: number): Promise<number> {
  const at = await proc.mmap(0, mebibytes * MEBIBYTE, RW, ANON);
  for (let i = 0; i < mebibytes * (MEBIBYTE / PAGE); i++) proc.mem.store32(at + i * PAGE, i);
  return 0;
}

async function hungry(proc: Proc, mebibytes: number): Promise<string> {
  const at = await proc.mmap(0, PAGE, RW, ANON);
  proc.mem.store32(at, 42);
  const { status } = await proc.wait(await proc.fork('eat', mebibytes));
  const killed = status.signal === 'SIGKILL';
  if (!killed) return `the child had enough: ${JSON.stringify(status)}`;
  return proc.mem.load32(at) === 42 ? 'ok' : 'the parent lost its page';
}

const lazytest: Program = defineProgram(async (proc, options: Options) => {
  const { mebibytes = 1024, hungry: appetite = 256 } = options;
  let failed = 0;
  const report = (name: string, result: string): void => {
    proc.print(`${name}: ${result}`);
    if (result !== 'ok') failed++;
  };
  report('sparse', await sparse(proc, mebibytes));
  report('zero', await zero(proc));
  report('holes', await holes(proc));
  if (appetite > 0) report('hungry', await hungry(proc, appetite));
  return failed;
});

export default lazytest;
