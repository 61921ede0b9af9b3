/**
 * Forks many processes, as many alive at once as asked for, and counts them back in. Each child
 * adds itself to a counter in shared memory, writes to a page shared with its parent copy-on-write,
 * and exits with a code that the parent checks.
 */
import {
  MAP_ANONYMOUS,
  MAP_PRIVATE,
  MAP_SHARED,
  PROT_READ,
  PROT_WRITE,
  WEXITSTATUS,
  WIFEXITED,
  defineProgram,
} from '../workers/program.ts';
import type { Proc, Program } from '../workers/program.ts';

interface Options {
  /** Children in all. */
  readonly processes?: number;
  /** Most of them alive at once. */
  readonly alive?: number;
}

/** Where a child counts itself (shared), and the page that it writes to (copied). */
interface Places {
  readonly sum: number;
  readonly page: number;
}

const RW = PROT_READ | PROT_WRITE;
/** What the parent leaves in the page. */
const MARK = 0x5eed;

export function child({ mem }: Proc, places: Places, number: number): number {
  if (mem.load32(places.page) !== MARK) return 255;
  mem.store32(places.page, number);
  mem.atomicAdd32(places.sum, number);
  return mem.load32(places.page) % 251;
}

const main: Program = defineProgram(async (proc, options: Options = {}) => {
  const { processes = 1000, alive = 64 } = options;
  const sum = await proc.mmap(0, 4096, RW, MAP_SHARED | MAP_ANONYMOUS);
  const page = await proc.mmap(0, 4096, RW, MAP_PRIVATE | MAP_ANONYMOUS);
  proc.mem.store32(page, MARK);
  const startedMs = performance.now();
  const numbers = new Map<number, number>();
  let wrong = 0;
  let expected = 0;
  const reap = async (): Promise<void> => {
    const { pid, waitStatus } = await proc.wait();
    const number = numbers.get(pid) ?? NaN;
    numbers.delete(pid);
    if (!WIFEXITED(waitStatus) || WEXITSTATUS(waitStatus) !== number % 251) wrong++;
  };
  for (let number = 1; number <= processes; number++) {
    if (numbers.size === alive) await reap();
    numbers.set(await proc.fork('child', { sum, page }, number), number);
    expected = (expected + number) | 0;
  }
  while (numbers.size > 0) await reap();
  const ms = performance.now() - startedMs;
  const isRight =
    wrong === 0 && proc.mem.load32(sum) === expected && proc.mem.load32(page) === MARK;
  const rate = Math.round((processes / ms) * 1000);
  const noun = processes === 1 ? 'process' : 'processes';
  proc.print(`${processes} ${noun} in ${ms.toFixed(0)} ms, ${rate} a second`);
  if (!isRight) proc.print(`wrong: ${wrong} statuses; sum ${proc.mem.load32(sum)}`);
  return isRight ? 0 : 1;
});

export default main;
