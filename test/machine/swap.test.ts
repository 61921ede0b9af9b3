/**
 * Goal: programs that need more memory than the machine has run to their end, with their data, when
 * there is swap; without it somebody is killed and the rest goes on. Method: whole machines.
 */
import { RECLAIM_POLICY_NAMES } from 'faultline/kernel';
import { describe, expect, it } from 'vitest';
import { expectClean, start, threads } from '../support/worker-programs.ts';

/** Writes twice as many pages as the machine has frames, twice, and reads them all again. */
const filler = threads(async (proc, pages: number) => {
  const at = await proc.mmap(0, pages * 4096, RW, ANON);
  for (let round = 1; round <= 2; round++) {
    for (let i = 0; i < pages; i++) proc.mem.store32(at + i * 4096, i * round);
    for (let i = 0; i < pages; i++) {
      if (proc.mem.load32(at + i * 4096) !== i * round) return 1;
    }
  }
  return 0;
}, {});

const modes = RECLAIM_POLICY_NAMES.flatMap((reclaim) =>
  (['local', 'remote'] as const).map((faults) => ({ reclaim, faults })),
);

describe.each(modes)('swap with policy $reclaim, faults $faults', (mode) => {
  it('gives every page back as it was', async () => {
    const { machine } = await start({ ...mode, memory: '2MiB', swap: '8MiB', cpus: 1 });
    const process = await machine.spawn(filler, { args: [1024] });
    expect(await process.wait()).toEqual({ code: 0 });
    const { counters, swapPages, swapPagesUsed } = await machine.stats();
    expect(counters['swapOuts']).toBeGreaterThan(1000);
    expect(counters['swapIns']).toBeGreaterThan(1000);
    expect([swapPages, swapPagesUsed]).toEqual([2048, 0]);
    await expectClean(machine);
  });
});

describe('memory that runs out', () => {
  it('is shared by two processes with swap', async () => {
    const { machine } = await start({ memory: '2MiB', swap: '16MiB', cpus: 2 });
    const both = await Promise.all([
      machine.spawn(filler, { args: [700] }),
      machine.spawn(filler, { args: [700] }),
    ]);
    expect(await Promise.all(both.map((one) => one.wait()))).toEqual([{ code: 0 }, { code: 0 }]);
    await expectClean(machine);
  });

  it('costs the biggest process its life when swap is full too', async () => {
    const { machine } = await start({ memory: '2MiB', swap: '1MiB', cpus: 2 });
    const small = threads(async (proc) => {
      const at = await proc.mmap(0, 16 * 4096, RW, ANON);
      for (let i = 0; i < 100; i++) {
        for (let page = 0; page < 16; page++) proc.mem.store32(at + page * 4096, i);
        await proc.nanosleep(1e6);
      }
      return 0;
    }, {});
    const survivor = await machine.spawn(small);
    const hog = await machine.spawn(filler, { args: [4096] });
    const status = await hog.wait();
    expect(status.signal).toBe('SIGKILL');
    expect(await survivor.wait()).toEqual({ code: 0 });
    expect((await machine.dmesg()).join('\n')).toMatch(/out of memory: process \d+/i);
    await expectClean(machine);
  });

  it('takes syscalls that need frames along', async () => {
    const { machine } = await start({ memory: '1MiB', swap: '8MiB', cpus: 1 });
    const main = threads(async (proc) => {
      const at = await proc.mmap(0, 300 * 4096, RW, ANON);
      for (let i = 0; i < 300; i++) proc.mem.store32(at + i * 4096, i);
      // Each needs a table of its own.
      for (let i = 0; i < 30; i++) {
        proc.local.mmap(0x20000000 + i * 0x400000, 4096, RW, ANON | 0x10);
        proc.mem.store32(0x20000000 + i * 0x400000, i);
      }
      for (let i = 0; i < 300; i++) if (proc.mem.load32(at + i * 4096) !== i) return 1;
      for (let i = 0; i < 30; i++) if (proc.mem.load32(0x20000000 + i * 0x400000) !== i) return 2;
      return 0;
    }, {});
    expect(await (await machine.spawn(main)).wait()).toEqual({ code: 0 });
    await expectClean(machine);
  });
});

describe('one syscall on more pages than the machine has', () => {
  const options = { memory: '1MiB', swap: '8MiB', cpus: 1 };

  it.each([
    ['MADV_POPULATE_READ', 22],
    ['MADV_POPULATE_WRITE', 23],
  ])('%s goes on where it had to wait', async (_name, advice) => {
    const { machine } = await start(options);
    const main = threads(async (proc, how: number) => {
      const at = await proc.mmap(0, 400 * 4096, RW, ANON);
      for (let i = 0; i < 400; i++) proc.mem.store32(at + i * 4096, i);
      await proc.madvise(at, 400 * 4096, how);
      for (let i = 0; i < 400; i++) if (proc.mem.load32(at + i * 4096) !== i) return 1;
      return 0;
    }, {});
    const process = await machine.spawn(main, { args: [advice] });
    expect(await process.wait()).toEqual({ code: 0 });
    // Begun anew at each wait it would swap tens of thousands of pages, and not end.
    expect((await machine.stats()).counters['swapIns']).toBeLessThan(4000);
    await expectClean(machine);
  });

  it('MAP_POPULATE has memory reclaimed', async () => {
    const { machine } = await start(options);
    const main = threads(async (proc) => {
      const at = proc.local.mmap(0, 400 * 4096, RW, ANON | POPULATE);
      for (let i = 0; i < 400; i++) if (proc.mem.load32(at + i * 4096) !== 0) return 1;
      return 0;
    }, {});
    expect(await (await machine.spawn(main)).wait()).toEqual({ code: 0 });
    const { counters } = await machine.stats();
    // A page that was not populated would be the zero page now, and nothing would come from swap.
    expect(counters['swapIns']).toBeGreaterThan(150);
    await expectClean(machine);
  });

  it('write to a standard stream takes each page once', async () => {
    const chunks: Uint8Array[] = [];
    const onOutput = (bytes: Uint8Array): void => void chunks.push(bytes);
    const { machine } = await start({ ...options, onOutput });
    const main = threads(async (proc) => {
      const at = await proc.mmap(0, 400 * 4096, RW, ANON);
      for (let i = 0; i < 400; i++) proc.mem.store8(at + i * 4096, i);
      return (await proc.write(1, at, 400 * 4096)) === 400 * 4096 ? 0 : 1;
    }, {});
    expect(await (await machine.spawn(main)).wait()).toEqual({ code: 0 });
    const bytes = Buffer.concat(chunks);
    expect(bytes).toHaveLength(400 * 4096);
    for (let i = 0; i < 400; i++) expect(bytes[i * 4096]).toBe(i & 255);
    expect((await machine.stats()).counters['swapIns']).toBeLessThan(4000);
    await expectClean(machine);
  });
});

describe('a file larger than memory', () => {
  it('is read through a mapping again and again, without any swap', async () => {
    const bytes = new Uint8Array(4 * 2 ** 20);
    for (let i = 0; i < bytes.length; i += 4096) bytes[i] = i / 4096;
    const { machine } = await start({ memory: '2MiB', cpus: 1, files: { big: bytes } });
    const main = threads(async (proc) => {
      const fd = await proc.open('big');
      const at = await proc.mmap(0, 4 * 2 ** 20, 1, 2, fd, 0);
      for (let round = 0; round < 2; round++) {
        for (let page = 0; page < 1024; page++) {
          if (proc.mem.load8(at + page * 4096) !== (page & 255)) return 1;
        }
      }
      return 0;
    }, {});
    expect(await (await machine.spawn(main)).wait()).toEqual({ code: 0 });
    expect((await machine.stats()).counters['pagesReclaimed']).toBeGreaterThan(1000);
    expect((await machine.audit()).violations).toEqual([]);
  });
});
