/** Goal: a process can be the pager of others' memory. Method: whole machines, audited at last. */
import { describe, expect, it } from 'vitest';
import { start, threads } from '../support/worker-programs.ts';

/** A pager of eight pages, each filled with its number + 1; page 7 cannot be had. */
const pager = threads(async (proc, name: string) => {
  let served = 0;
  await proc.pager(name, 8 * 4096, async (page, target) => {
    served++;
    await sleep(1);
    if (page === 7) throw new Error('page 7 is lost');
    target.fill(page + 1);
  });
  proc.print('ready');
  while (served < 1000) await sleep(5);
  return 0;
}, {});

async function ready(lines: readonly string[]): Promise<void> {
  while (!lines.includes('ready')) await new Promise((resolve) => setTimeout(resolve, 5));
}

describe.each(['local', 'remote'] as const)('a user-space pager, faults %s', (faults) => {
  it('supplies pages to processes that map its object, shared and privately', async () => {
    const { machine, lines } = await start({ faults, cpus: 2 });
    const server = await machine.spawn(pager, { args: ['eight'], dedicated: true });
    await ready(lines);
    const user = threads(async (proc) => {
      const fd = await proc.open('/pager/eight', 2);
      const shared = await proc.mmap(0, 8 * 4096, RW, 1, fd, 0);
      const own = await proc.mmap(0, 8 * 4096, RW, 2, fd, 0);
      for (let page = 0; page < 7; page++) {
        if (proc.mem.load8(shared + page * 4096 + 5) !== page + 1) return 1;
        proc.mem.store8(own + page * 4096, 99);
        if (proc.mem.load8(shared + page * 4096) !== page + 1) return 2;
        if (proc.mem.load8(own + page * 4096 + 1) !== page + 1) return 3;
      }
      try {
        proc.mem.load8(shared + 7 * 4096);
        return 4;
      } catch (error) {
        return (error as { signal?: string }).signal === 'SIGBUS' ? 0 : 5;
      }
    }, {});
    const users = await Promise.all([machine.spawn(user), machine.spawn(user)]);
    const ends = await Promise.all(users.map((one) => one.wait()));
    expect(ends).toEqual([{ code: 0 }, { code: 0 }]);
    await server.kill();
    const late = threads(async (proc) => {
      const fd = await proc.open('/pager/eight', 2);
      const at = await proc.mmap(0, 8 * 4096, RW, 1, fd, 0);
      if (proc.mem.load8(at) !== 1) return 1;
      try {
        proc.mem.load8(at + 7 * 4096);
        return 2;
      } catch {
        return 0;
      }
    }, {});
    expect(await (await machine.spawn(late)).wait()).toEqual({ code: 0 });
    expect((await machine.audit()).violations).toEqual([]);
  });
});

describe('a pager', () => {
  it('that shares its Worker with who faults is SIGBUS, not a dead lock', async () => {
    const { machine, lines } = await start({ cpus: 1 });
    const server = await machine.spawn(pager, { args: ['same'] });
    await ready(lines);
    const user = threads(async (proc) => {
      const fd = await proc.open('/pager/same');
      const at = await proc.mmap(0, 4096, 1, 2, fd, 0);
      return proc.mem.load8(at);
    }, {});
    const status = await (await machine.spawn(user)).wait();
    expect(status.signal).toBe('SIGBUS');
    await server.kill();
    expect((await machine.audit()).violations).toEqual([]);
  });

  it('is refused a name that is taken, a bad size, and something that is no function', async () => {
    const { machine, lines } = await start({ cpus: 1 });
    const main = threads(async (proc) => {
      const code = async (make: () => Promise<number>): Promise<unknown> => {
        try {
          return await make();
        } catch (error) {
          return (error as { code?: string }).code ?? (error as Error).name;
        }
      };
      const fill = (): void => {};
      await proc.pager('one', 4096, fill);
      proc.print(String(await code(() => proc.pager('one', 4096, fill))));
      proc.print(String(await code(() => proc.pager('two', 0, fill))));
      proc.print(String(await code(() => proc.pager('two', NaN, fill))));
      proc.print(String(await code(() => proc.pager('two', 4096, 1 as never))));
      return 0;
    }, {});
    expect(await (await machine.spawn(main)).wait()).toEqual({ code: 0 });
    expect(lines).toEqual(['EEXIST', 'EINVAL', 'EINVAL', 'TypeError']);
    expect((await machine.audit()).violations).toEqual([]);
  });
});
