/**
 * Goal: processes of a memory group keep to its limit, and nobody else notices. Method: whole
 * machines with and without swap, each audited at the end.
 */
import { describe, expect, it } from 'vitest';
import { expectClean, start, threads } from '../support/worker-programs.ts';

/** Fills `pages` pages, checks them twice, and forks `children` that do the same with a copy. */
const worker = threads(
  async (proc, pages: number, children: number) => {
    const at = await proc.mmap(0, pages * 4096, RW, ANON);
    for (let page = 0; page < pages; page++) proc.mem.store32(at + page * 4096, page + 1);
    const pids = [];
    for (let i = 0; i < children; i++) pids.push(await proc.fork('check', at, pages, i));
    let code = 0;
    for (let round = 0; round < 2; round++) {
      for (let page = 0; page < pages; page++) {
        if (proc.mem.load32(at + page * 4096) !== page + 1) code = 1;
      }
    }
    for (const pid of pids) {
      const { status } = await proc.wait(pid);
      if (status.code !== 0) code = 2;
    }
    return code;
  },
  {
    check: async (proc, at: number, pages: number, salt: number) => {
      for (let page = 0; page < pages; page += 2) proc.mem.store32(at + page * 4096, page + salt);
      for (let page = 0; page < pages; page++) {
        const expected = page % 2 === 0 ? page + salt : page + 1;
        if (proc.mem.load32(at + page * 4096) !== expected) return 1;
      }
      return 0;
    },
  },
);

describe.each(['local', 'remote'] as const)('a memory group, faults %s', (faults) => {
  it('has its pages swapped while the rest of the machine keeps its own', async () => {
    const { machine } = await start({ faults, memory: '16MiB', swap: '16MiB', cpus: 2 });
    const outside = await machine.spawn(worker, { args: [1000, 0] });
    const inside = await machine.spawn(worker, { args: [600, 2], memoryMax: '1MiB' });
    expect(await inside.wait()).toEqual({ code: 0 });
    expect(await outside.wait()).toEqual({ code: 0 });
    const { processes, counters } = await machine.stats();
    const [free, limited] = [processes.find(({ pid }) => pid === outside.pid), processes.at(-1)];
    expect(free?.faultsMajor).toBe(0);
    expect(free?.memoryGroup).toBe(null);
    const group = limited?.memoryGroup;
    expect(group?.limitPages).toBe(256);
    // What the group had when its fork came, twice, and a page for each CPU.
    expect(group?.residentPagesPeak).toBeGreaterThan(200);
    expect(group?.residentPagesPeak).toBeLessThanOrEqual(3 * 256 + 2);
    expect(counters['swapOuts']).toBeGreaterThan(300);
    await expectClean(machine);
  });

  it('without swap loses its biggest process, and nobody else one', async () => {
    const { machine } = await start({ faults, memory: '16MiB', cpus: 2 });
    const outside = await machine.spawn(worker, { args: [1000, 0] });
    const hog = await machine.spawn(worker, { args: [300, 0], memoryMax: 256 * 4096 });
    const status = await hog.wait();
    expect(status.signal).toBe('SIGKILL');
    expect(await outside.wait()).toEqual({ code: 0 });
    // Its block is free again.
    const next = await machine.spawn(worker, { args: [200, 0], memoryMax: '1MiB' });
    expect(await next.wait()).toEqual({ code: 0 });
    await expectClean(machine);
  });
});

describe('a memory group', () => {
  it('takes syscalls that copy to memory along', async () => {
    const { machine } = await start({ memory: '16MiB', swap: '16MiB', cpus: 1 });
    const main = threads(async (proc) => {
      const at = await proc.mmap(0, 400 * 4096, RW, ANON);
      const fd = await proc.memfdCreate('x');
      for (let page = 0; page < 400; page++) proc.mem.store32(at + page * 4096, page + 1);
      for (let page = 0; page < 400; page++) {
        if ((await proc.pwrite(fd, at + page * 4096, 4096, page * 4096)) !== 4096) return 1;
      }
      const to = await proc.mmap(0, 400 * 4096, RW, ANON);
      for (let page = 0; page < 400; page++) {
        if ((await proc.pread(fd, to + page * 4096, 4096, page * 4096)) !== 4096) return 2;
      }
      for (let page = 0; page < 400; page++) {
        if (proc.mem.load32(to + page * 4096) !== page + 1) return 3;
      }
      return 0;
    }, {});
    const process = await machine.spawn(main, { memoryMax: '512KiB' });
    expect(await process.wait()).toEqual({ code: 0 });
    // Memory files without a name are given back at a tick.
    await new Promise((resolve) => setTimeout(resolve, 100));
    await expectClean(machine);
  });

  it('is reclaimed for what is locked, as long as not all of it is', async () => {
    const { machine } = await start({ memory: '16MiB', swap: '16MiB', cpus: 1 });
    const main = threads(async (proc) => {
      const at = await proc.mmap(0, 200 * 4096, RW, ANON);
      for (let page = 0; page < 200; page++) proc.mem.store32(at + page * 4096, page + 1);
      // A third of the group, in each of the ways into the kernel.
      for (const page of [0, 14, 28]) {
        const call = [proc.local, proc.sync, proc][page / 14];
        if ((await call?.mlock(at + page * 4096, 14 * 4096)) !== 0) return 1;
      }
      for (let page = 0; page < 200; page++) {
        if (proc.mem.load32(at + page * 4096) !== page + 1) return 2;
      }
      try {
        await proc.mlock(at, 200 * 4096);
        return 3;
      } catch (error) {
        return (error as { code?: string }).code === 'EAGAIN' ? 0 : 4;
      }
    }, {});
    const process = await machine.spawn(main, { memoryMax: '512KiB' });
    expect(await process.wait()).toEqual({ code: 0 });
    await expectClean(machine);
  });

  it('is one of 32 at most, and of a size that a machine can have', async () => {
    const { machine } = await start({ cpus: 1 });
    const sleeper = threads(async () => {
      for (;;) await sleep(1000);
    }, {});
    await expect(machine.spawn(sleeper, { memoryMax: 0 })).rejects.toThrow('memoryMax must be');
    await expect(machine.spawn(sleeper, { memoryMax: 'x' })).rejects.toThrow('memoryMax must be');
    const all = [];
    for (let i = 0; i < 32; i++) all.push(await machine.spawn(sleeper, { memoryMax: '1MiB' }));
    await expect(machine.spawn(sleeper, { memoryMax: '1MiB' })).rejects.toThrow('EAGAIN');
    await Promise.all(all.map((process) => process.kill()));
    await expectClean(machine);
  });
});
