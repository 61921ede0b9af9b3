/**
 * Copy-on-write fork, tested from the inside (in the spirit of xv6's cowtest). Each check prints
 * `NAME: ok`, or what was wrong.
 *
 *   simple   fork with most of memory in use, which only sharing makes possible
 *   three    child and grandchild write what they share, with memory for one copy too few
 *   kernel   the kernel itself writes into a shared page, by read(2)
 *   deep     generations of children, each of which sees its ancestors' writes and hides its own
 */
import {
  defineProgram,
  MAP_ANONYMOUS,
  MAP_PRIVATE,
  PROT_READ,
  PROT_WRITE,
} from '../workers/program.ts';
import type { Proc, Program } from '../workers/program.ts';

interface Options {
  /** Pages that `simple` has in use when it forks, 1 to 1000000. */
  readonly pages?: number;
  /** Generations of `deep`, 1 to 1000. */
  readonly generations?: number;
}

const PAGE = 4096;
const RW: number = PROT_READ | PROT_WRITE;
const ANON: number = MAP_PRIVATE | MAP_ANONYMOUS;

/** Writes `value + i` to page i; afterwards checks that it is still there. */
function fill(proc: Proc, at: number, pages: number, value: number): void {
  for (let i = 0; i < pages; i++) proc.mem.store32(at + i * PAGE, value + i);
}

function countWrong(proc: Proc, at: number, pages: number, value: number): number {
  let wrong = 0;
  for (let i = 0; i < pages; i++) if (proc.mem.load32(at + i * PAGE) !== value + i) wrong++;
  return wrong;
}

async function exitCode(proc: Proc, pid: number): Promise<number> {
  const { status } = await proc.wait(pid);
  return status.code ?? 255;
}

/** Entry of `simple`'s child: reads all, writes little. */
export function readAll(proc: Proc, at: number, pages: number): number {
  const wrong = countWrong(proc, at, pages, 7);
  proc.mem.store32(at, 1);
  return wrong === 0 ? 0 : 1;
}

async function simple(proc: Proc, pages: number): Promise<string> {
  const at = await proc.mmap(0, pages * PAGE, RW, ANON);
  fill(proc, at, pages, 7);
  const code = await exitCode(proc, await proc.fork('readAll', at, pages));
  const wrong = countWrong(proc, at, pages, 7);
  await proc.munmap(at, pages * PAGE);
  if (code !== 0) return 'the child read something else than its parent wrote';
  return wrong === 0 ? 'ok' : `the child changed ${wrong} pages of its parent`;
}

/** Entry of `three`'s child and grandchild: writes half of what it got, and checks all. */
export async function writeHalf(
  proc: Proc,
  at: number,
  pages: number,
  level: number,
): Promise<number> {
  const half = pages >> 1;
  const child = level > 0 ? await proc.fork('writeHalf', at, pages, level - 1) : 0;
  fill(proc, at, half, 1000 * (level + 1));
  let wrong = countWrong(proc, at, half, 1000 * (level + 1));
  wrong += countWrong(proc, at + half * PAGE, pages - half, half);
  if (child !== 0 && (await exitCode(proc, child)) !== 0) wrong++;
  return wrong === 0 ? 0 : 1;
}

async function three(proc: Proc, pages: number): Promise<string> {
  const at = await proc.mmap(0, pages * PAGE, RW, ANON);
  fill(proc, at, pages, 0);
  const code = await exitCode(proc, await proc.fork('writeHalf', at, pages, 1));
  const wrong = countWrong(proc, at, pages, 0);
  await proc.munmap(at, pages * PAGE);
  if (code !== 0) return 'a child saw the writes of another process';
  return wrong === 0 ? 'ok' : `children changed ${wrong} pages of their parent`;
}

/** Entry of `kernel`'s child: has the kernel write into the page that it shares. */
export async function readInto(proc: Proc, at: number, fd: number): Promise<number> {
  const got = await proc.pread(fd, at + 100, 4, 0);
  return got === 4 && proc.mem.load32(at + 100) === 0x600d ? 0 : 1;
}

async function kernelWrites(proc: Proc): Promise<string> {
  const at = await proc.mmap(0, PAGE, RW, ANON);
  const fd = await proc.memfdCreate('cowtest', 0);
  proc.mem.store32(at, 0x600d);
  if ((await proc.write(fd, at, 4)) !== 4) return 'write(2) was short';
  proc.mem.store32(at + 100, 0xbad);
  const code = await exitCode(proc, await proc.fork('readInto', at, fd));
  const kept = proc.mem.load32(at + 100) === 0xbad;
  await proc.close(fd);
  await proc.munmap(at, PAGE);
  if (code !== 0) return 'the child did not get what it read';
  return kept ? 'ok' : 'read(2) of the child wrote into the page of its parent';
}

/** Entry of `deep`'s children: `at` holds one word for each generation. */
export async function descend(
  proc: Proc,
  at: number,
  depth: number,
  last: number,
): Promise<number> {
  for (let i = 0; i <= last; i++) {
    const expected = i < depth ? i + 1 : 0;
    if (proc.mem.load32(at + i * 4) !== expected) return 1;
  }
  if (depth === last) return 0;
  proc.mem.store32(at + depth * 4, depth + 1);
  const child = await proc.fork('descend', at, depth + 1, last);
  proc.mem.store32(at + depth * 4, 0xbad);
  return exitCode(proc, child);
}

async function deep(proc: Proc, generations: number): Promise<string> {
  const bytes = (generations + 1) * 4;
  const at = await proc.mmap(0, bytes, RW, ANON);
  const code = await descend(proc, at, 0, generations);
  await proc.munmap(at, bytes);
  return code === 0 ? 'ok' : 'a generation saw other words than its ancestors wrote';
}

const cowtest: Program = defineProgram(async (proc, options: Options) => {
  const { pages = 9000, generations = 50 } = options;
  let failed = 0;
  const report = (name: string, result: string): void => {
    proc.print(`${name}: ${result}`);
    if (result !== 'ok') failed++;
  };
  report('simple', await simple(proc, pages));
  report('three', await three(proc, Math.max(2, pages >> 2)));
  report('kernel', await kernelWrites(proc));
  report('deep', await deep(proc, generations));
  return failed;
});

export default cowtest;
