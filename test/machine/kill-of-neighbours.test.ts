/**
 * Goal: a process that awaits can be ended while its Worker sleeps in a call of another process,
 * which must not lose its Worker for it. Method: machines with one CPU, so that all are neighbours.
 */
import { describe, expect, it } from 'vitest';
import { expectClean, program, start, threads } from '../support/worker-programs.ts';

const idler = program(async (proc, pages: number) => {
  const at = await proc.mmap(0, pages * 4096, RW, ANON);
  for (let page = 0; page < pages; page++) proc.mem.store32(at + page * 4096, page);
  proc.print('idle');
  for (;;) await proc.nanosleep(1e6);
});

async function until(lines: readonly string[], line: string): Promise<void> {
  while (!lines.includes(line)) await new Promise((resolve) => setTimeout(resolve, 1));
}

describe('a process that is killed while its Worker sleeps', () => {
  it('in the wait of another on a futex ends at once, and the other sleeps on', async () => {
    const { machine, lines } = await start({ cpus: 1 });
    const victim = await machine.spawn(idler, { args: [4] });
    await until(lines, 'idle');
    const sleeper = threads(async (proc) => {
      const at = await proc.mmap(0, 4096, RW, ANON);
      proc.print('asleep');
      const beganMs = performance.now();
      try {
        proc.sync.futexWait(at, 0, 1500);
      } catch (error) {
        return (error as { code?: string }).code === 'ETIMEDOUT' ? 0 : 1;
      }
      return performance.now() - beganMs < 1400 ? 2 : 3;
    }, {});
    const other = await machine.spawn(sleeper);
    await until(lines, 'asleep');
    await victim.kill();
    expect(await victim.wait()).toEqual({ signal: 'SIGKILL' });
    expect(await other.wait()).toEqual({ code: 0 });
    await expectClean(machine);
  });

  it('in a fault of another for want of memory gives that its memory', async () => {
    const { machine, lines } = await start({ cpus: 1, memory: '2MiB' });
    const victim = await machine.spawn(idler, { args: [280] });
    await until(lines, 'idle');
    const hungry = threads(async (proc) => {
      const at = await proc.mmap(0, 270 * 4096, RW, ANON);
      for (let page = 0; page < 270; page++) proc.mem.store32(at + page * 4096, page);
      return 7;
    }, {});
    const other = await machine.spawn(hungry);
    expect(await other.wait()).toEqual({ code: 7 });
    expect(await victim.wait()).toEqual({ signal: 'SIGKILL', reason: 'out of memory' });
    expect((await machine.stats()).counters['oomKills']).toBe(1);
    await expectClean(machine);
  });
});
