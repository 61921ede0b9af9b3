/**
 * Goal: with swap, fork costs nobody its life: pages that parent and child share go out of both,
 * and a child's tables get their frames. Method: machines that are too small.
 */
import { describe, expect, it } from 'vitest';
import { expectClean, start, threads } from '../support/worker-programs.ts';

describe('fork when memory is short', () => {
  it('leaves pages that can be swapped out, though both have them', async () => {
    const { machine } = await start({ cpus: 2, memory: '2MiB', swap: '8MiB' });
    const main = threads(
      async (proc) => {
        const at = await proc.mmap(0, 380 * 4096, RW, ANON);
        for (let page = 0; page < 380; page++) proc.mem.store32(at + page * 4096, page);
        const pids = [await proc.fork('child', at), await proc.fork('child', at)];
        const more = await proc.mmap(0, 380 * 4096, RW, ANON);
        for (let page = 0; page < 380; page++) proc.mem.store32(more + page * 4096, -page);
        for (const pid of pids) {
          const { status } = await proc.wait(pid);
          if (status.code !== 0) return 1;
        }
        for (let page = 0; page < 380; page++) {
          if (proc.mem.load32(at + page * 4096) !== page) return 2;
          if (proc.mem.load32(more + page * 4096) !== -page) return 3;
        }
        return 0;
      },
      {
        child: async (proc, at: number) => {
          await proc.nanosleep(100e6);
          for (let page = 0; page < 380; page++) {
            if (proc.mem.load32(at + page * 4096) !== page) return 1;
          }
          return 0;
        },
      },
    );
    expect(await (await machine.spawn(main)).wait()).toEqual({ code: 0 });
    const { counters } = await machine.stats();
    expect(counters['swapOuts']).toBeGreaterThan(300);
    expect(counters['oomKills']).toBe(0);
    await expectClean(machine);
  });

  it('reclaims the frames that the tables of a child need', async () => {
    const { machine } = await start({ cpus: 1, memory: '2MiB', swap: '8MiB' });
    const main = threads(
      async (proc) => {
        // A table for each page.
        for (let i = 0; i < 100; i++) {
          proc.local.mmap(2 ** 32 + i * 2 ** 22, 4096, RW, ANON | 0x10);
          proc.mem.store32(2 ** 32 + i * 2 ** 22, i);
        }
        const at = await proc.mmap(0, 400 * 4096, RW, ANON);
        for (let page = 0; page < 400; page++) proc.mem.store32(at + page * 4096, page);
        const { status } = await proc.wait(await proc.fork('child'));
        return status.code ?? 1;
      },
      {
        child: (proc) => {
          for (let i = 0; i < 100; i++) if (proc.mem.load32(2 ** 32 + i * 2 ** 22) !== i) return 2;
          return 0;
        },
      },
    );
    expect(await (await machine.spawn(main)).wait()).toEqual({ code: 0 });
    await expectClean(machine);
  });
});
