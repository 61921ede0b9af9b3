/*
 * Goal: while a process has the kernel work on a huge range, the host's and other processes' calls
 * are answered, it can be killed, and nothing is left over. Method: programs in real Workers, and
 * the time that each answer takes; the bound is generous, because other programs run too.
 */
import type { MachineHandle, Proc, ProcessHandle } from 'faultline';
import { describe, expect, it } from 'vitest';
import { expectClean, program, start } from '../support/worker-programs.ts';

/** Well below what the same work takes in one piece: 13 s for 256 GiB. */
const ANSWER_MS = 400;

/** Until the process has ended, how long the longest call of stats took. */
async function longestAnswer(machine: MachineHandle, process: ProcessHandle): Promise<number> {
  let isOver = false;
  let longest = 0;
  const ended = process.wait().then(() => (isOver = true));
  while (!isOver) {
    const startedMs = performance.now();
    await machine.stats();
    longest = Math.max(longest, performance.now() - startedMs);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await ended;
  return longest;
}

const huge = program(async (proc: Proc, way: 'await' | 'sync' | 'local') => {
  const calls = way === 'await' ? proc : proc[way];
  const size = 2 ** 38;
  const at = await calls.mmap(0, size, PROT_READ, ANON | POPULATE);
  await calls.madvise(at, size, 22);
  await calls.mprotect(at, size, RW);
  await calls.madvise(at, size, 4);
  await calls.mlock(at, 2 ** 19);
  return (await calls.munmap(at, size)) === 0 ? 0 : 1;
});

describe('work on 256 GiB', () => {
  it.each(['await', 'sync', 'local'])('leaves others alone, by %s', async (way) => {
    const { machine } = await start({ cpus: 2, memory: '16MiB' });
    const process = await machine.spawn(huge, { args: [way], memoryMax: '1MiB' });
    expect(await longestAnswer(machine, process)).toBeLessThan(ANSWER_MS);
    expect(await process.wait()).toEqual({ code: 0 });
    await expectClean(machine);
  });

  it('answers the traps of other processes meanwhile', async () => {
    const { machine, lines } = await start({ cpus: 2, memory: '16MiB' });
    const other = program(async (proc: Proc) => {
      let longest = 0;
      for (let i = 0; i < 300; i++) {
        const startedMs = performance.now();
        proc.sync.getpid();
        longest = Math.max(longest, performance.now() - startedMs);
        await sleep(1);
      }
      proc.print(String(longest));
      return 0;
    });
    const neighbour = await machine.spawn(other);
    const worker = await machine.spawn(huge, { args: ['await'] });
    expect(await neighbour.wait()).toEqual({ code: 0 });
    expect(Number(lines[0])).toBeLessThan(ANSWER_MS);
    expect(await worker.wait()).toEqual({ code: 0 });
    await expectClean(machine);
  });

  it.each(['await', 'sync', 'local'])('can be killed in the midst of it, by %s', async (way) => {
    const zeros = 'data:text/javascript,export default {sizeBytes: 2 ** 40, readPage() {}};';
    const { machine, lines } = await start({ cpus: 2, memory: '8MiB', backends: { zeros } });
    const endless = program(async (proc: Proc, by: 'await' | 'sync' | 'local') => {
      const calls = by === 'await' ? proc : proc[by];
      // Pages of a file of 1 TiB: they can be evicted again, so that this would take days.
      const fd = await proc.open('/backend/zeros');
      const at = await proc.mmap(0, 2 ** 40, PROT_READ, MAP_SHARED, fd, 0);
      proc.print('begins');
      await sleep(1);
      await calls.madvise(at, 2 ** 40, 22);
      return 0;
    });
    const process = await machine.spawn(endless, { args: [way] });
    while (lines.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    await new Promise((resolve) => setTimeout(resolve, 300));
    const startedMs = performance.now();
    await process.kill();
    expect(performance.now() - startedMs).toBeLessThan(4 * ANSWER_MS);
    const status = await process.wait();
    expect(status.signal).toBe('SIGKILL');
    expect((await machine.audit()).violations).toEqual([]);
  });
});
