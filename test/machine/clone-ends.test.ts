/**
 * Goal: a thread ends alone, however it ends, and the address space goes with its last user.
 * Method: main function and threads watch each other through their shared memory.
 */
import type { Proc } from 'faultline';
import { describe, expect, it } from 'vitest';
import { expectClean, start, threads } from '../support/worker-programs.ts';

/** Counts up a word until the next one says stop. */
async function counter(proc: Proc, at: number): Promise<number> {
  while (proc.mem.atomicLoad32(at + 4) === 0) {
    proc.mem.atomicAdd32(at, 1);
    if (proc.mem.load32(at) % 1000 === 0) await proc.schedYield();
  }
  return 5;
}

/** Runs a thread that ends in its own way beside one that counts; resolves to how it ended. */
async function beside(proc: Proc): Promise<number> {
  const at = await proc.mmap(0, 4096, RW, ANON);
  const steady = await proc.clone('counter', { args: [at] });
  const pid = await proc.clone('ending', { args: [at] });
  const { status } = await proc.wait(pid);
  proc.print(JSON.stringify(status));
  const before = proc.mem.atomicLoad32(at);
  while (proc.mem.atomicLoad32(at) < before + 10) await sleep(1);
  proc.mem.atomicStore32(at + 4, 1);
  const other = await proc.wait(steady);
  return other.status.code ?? 1;
}

describe('a thread', () => {
  it.each<[string, (proc: Proc, at: number) => unknown, unknown]>([
    ['returns', () => 7, { code: 7 }],
    ['exits', (proc) => proc.exit(8), { code: 8 }],
    [
      'faults',
      (proc) => proc.mem.load8(16),
      {
        signal: 'SIGSEGV',
        faultCode: 'SEGV_MAPERR',
        address: 16,
        reason: 'read refused',
      },
    ],
    [
      'throws',
      () => {
        throw new Error('enough');
      },
      { signal: 'SIGABRT', reason: 'Error: enough' },
    ],
    [
      'loses its Worker',
      () => {
        (globalThis as unknown as { process: { reallyExit(): void } }).process.reallyExit();
      },
      { signal: 'SIGKILL', reason: 'its Worker died: it exited with code 0' },
    ],
  ])('that %s ends alone', async (_how, ending, expected) => {
    const { machine, lines } = await start({ cpus: 3 });
    const main = threads(beside, { counter, ending });
    expect(await (await machine.spawn(main)).wait()).toEqual({ code: 5 });
    expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([expected]);
    await expectClean(machine);
  });

  it('that is killed ends alone', async () => {
    const { machine } = await start({ cpus: 2 });
    const main = threads(
      async (proc) => {
        const at = await proc.mmap(0, 4096, RW, ANON);
        const pids: number[] = [];
        for (let i = 0; i < 3; i++) pids.push(await proc.clone('counter', { args: [at] }));
        await sleep(5);
        await proc.kill(pids[1] as number);
        const { status } = await proc.wait(pids[1]);
        if (status.signal !== 'SIGKILL') return 1;
        proc.mem.atomicStore32(at + 4, 1);
        for (const pid of [pids[0], pids[2]]) {
          const other = await proc.wait(pid);
          if (other.status.code !== 5) return 2;
        }
        return 0;
      },
      { counter },
    );
    expect(await (await machine.spawn(main)).wait()).toEqual({ code: 0 });
    await expectClean(machine);
  });

  it('outlives the main function, with the address space', async () => {
    const { machine, lines } = await start({ cpus: 2 });
    const main = threads(
      async (proc) => {
        const at = await proc.mmap(0, 4096, RW, ANON);
        proc.mem.store32(at, 11);
        await proc.clone('survivor', { args: [at, proc.pid] });
      },
      {
        survivor: async (proc, at: number, parent: number) => {
          for (let isGone = false; !isGone;) {
            isGone = await proc.kill(parent, 0).then(
              () => false,
              (error: { code?: string }) => error.code === 'ESRCH',
            );
          }
          await sleep(20);
          proc.print(`${proc.mem.load32(at)}`);
        },
      },
    );
    expect(await (await machine.spawn(main)).wait()).toMatchObject({});
    while (lines.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(lines).toEqual(['11']);
    // The line travels faster than the end.
    while ((await machine.stats()).processes.some(({ status }) => status === null));
    await expectClean(machine);
  });

  it('with an entry that does not exist is told so', async () => {
    const { machine, lines } = await start({ cpus: 1 });
    const main = threads(async (proc) => {
      const { status } = await proc.wait(await proc.clone('nowhere'));
      proc.print('reason' in status ? String(status.reason) : 'no reason');
      await proc.clone(5 as never);
    }, {});
    expect(await (await machine.spawn(main)).wait()).toMatchObject({
      signal: 'SIGABRT',
      reason: 'TypeError: clone: entry must name an export, got number',
    });
    expect(lines).toEqual(['its module exports no function nowhere']);
    await expectClean(machine);
  });
});

describe('threads', () => {
  it('are spread over the CPUs and share descriptors by copy', async () => {
    const files = { text: new TextEncoder().encode('abc') };
    const { machine } = await start({ cpus: 3, files });
    const main = threads(
      async (proc) => {
        const fd = await proc.open('text');
        const pids: number[] = [];
        const cpus = [proc.cpu];
        for (let i = 0; i < 2; i++) pids.push(await proc.clone('where', { args: [fd] }));
        pids.push(await proc.clone('where', { args: [fd], dedicated: true, name: 'alone' }));
        for (const pid of pids) {
          const { status } = await proc.wait(pid);
          cpus.push(status.code ?? -1);
        }
        // The thread closed its own copy.
        if ((await proc.fstat(fd)).size !== 3) return 1;
        // In any order: another CPU may have taken main over before it started.
        return cpus.sort().join() === '1,2,3,4' && proc.cpu < 4 ? 0 : 2;
      },
      {
        where: async (proc, fd: number) => {
          const at = await proc.mmap(0, 3, PROT_READ, MAP_PRIVATE, fd, 0);
          if (proc.mem.load8(at) !== 97) return 0;
          await proc.close(fd);
          return proc.cpu;
        },
      },
    );
    const child = await machine.spawn(main);
    expect(await child.wait()).toEqual({ code: 0 });
    const { processes } = await machine.stats();
    expect(processes.map(({ tgid, name }) => `${tgid === child.pid} ${name}`)).toEqual([
      'true program',
      'true where',
      'true where',
      'true alone',
    ]);
  });

  it('bequeath their shared mappings while others change them', async () => {
    const { machine } = await start({ cpus: 2 });
    const main = threads(
      async (proc, self: string, inherited?: number) => {
        if (inherited !== undefined) return void proc.mem.atomicAdd32(inherited, 1);
        const at = await proc.mmap(0, 4096, RW, SHARED_ANON);
        const churner = await proc.clone('churner', { args: [at] });
        for (let i = 1; i <= 8; i++) {
          const child = await proc.spawn(self, { inherit: true, args: [self, at] });
          await proc.wait(child);
        }
        proc.mem.atomicStore32(at + 4, 1);
        await proc.wait(churner);
        return proc.mem.load32(at);
      },
      {
        churner: async (proc, at: number) => {
          while (proc.mem.atomicLoad32(at + 4) === 0) {
            const other = proc.local.mmap(0, 8192, RW, SHARED_ANON);
            proc.mem.store32(other, 1);
            proc.local.munmap(other, 4096);
            proc.local.munmap(other + 4096, 4096);
            await sleep(0);
          }
        },
      },
    );
    const args = [main];
    expect(await (await machine.spawn(main, { args })).wait()).toEqual({ code: 8 });
    // The frame of mapping records stays.
    await expectClean(machine, 1);
  });

  it('on two CPUs lose both Workers, and the space goes with the last', async () => {
    const { machine } = await start({ cpus: 2 });
    const main = threads(
      async (proc) => {
        const at = await proc.mmap(0, 64 * 4096, RW, ANON);
        proc.mem.fill(at, 1, 64 * 4096);
        await proc.clone('die', { args: [at] });
        for (let i = 0; proc.mem.atomicLoad32(at) !== 7; i++) {
          proc.local.munmap(at + 4096 * (1 + (i % 63)), 4096);
          proc.local.mmap(at + 4096 * (1 + (i % 63)), 4096, RW, ANON | 0x10);
          await proc.schedYield();
        }
        (globalThis as unknown as { process: { reallyExit(): void } }).process.reallyExit();
      },
      {
        die: async (proc, at: number) => {
          for (let i = 0; i < 100; i++) {
            try {
              proc.mem.store32(at + 4096 * (1 + (i % 63)), 1);
            } catch {
              // Unmapped at this moment.
            }
            await sleep(0);
          }
          proc.mem.atomicStore32(at, 7);
          (globalThis as unknown as { process: { reallyExit(): void } }).process.reallyExit();
        },
      },
    );
    const status = await (await machine.spawn(main)).wait();
    expect(status).toEqual({
      signal: 'SIGKILL',
      reason: 'its Worker died: it exited with code 0',
    });
    while ((await machine.stats()).processes.some((one) => one.status === null));
    await expectClean(machine);
    // Both CPUs are back.
    const again = threads(
      async (proc) => (await proc.wait(await proc.clone('one'))).pid - proc.pid,
      {
        one: () => 1,
      },
    );
    expect(await (await machine.spawn(again)).wait()).toEqual({ code: 1 });
  });
});
