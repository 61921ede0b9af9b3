/**
 * Goal: what a process asked for before its end, and the kernel worker gets to afterwards, is
 * refused: an ended process has no memory and no descriptors. Method: whole machines, audited.
 */
import { describe, expect, it } from 'vitest';
import { start, threads } from '../support/worker-programs.ts';

describe('a process that has ended, and is not waited for yet', () => {
  it('reads and writes no file, makes no pager and opens nothing', async () => {
    const { machine } = await start({ cpus: 2, files: { data: new Uint8Array(65536) } });
    const main = threads(
      async (proc) => {
        for (let round = 0; round < 20; round++) {
          await proc.fork('child', round);
          // It stays as it ended for a while.
          await sleep(3);
          await proc.wait();
        }
        return 0;
      },
      {
        child: async (proc, round: number) => {
          const fd = await proc.open('data');
          const slow = await proc.pager(`slow${round}`, 65536, () => sleep(1));
          const at = await proc.mmap(0, 65536, RW, ANON);
          // The second read of each descriptor waits until the first has moved the position.
          for (const from of [fd, slow]) {
            for (let i = 0; i < 4; i++) void proc.read(from, at, 32768).catch(() => {});
          }
          void proc.pager(`late${round}`, 4096, () => {}).catch(() => {});
          void proc.open('data').catch(() => {});
          return 0;
        },
      },
    );
    expect(await (await machine.spawn(main)).wait()).toEqual({ code: 0 });
    expect((await machine.audit()).violations).toEqual([]);
  }, 20_000);
});
