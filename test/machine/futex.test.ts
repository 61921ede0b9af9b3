/**
 * Goal: programs on real Workers wait for each other by futexes, asleep or as promises, without a
 * lost wake-up, and a wait ends for the reason it says. Method: whole machines, audited at the end.
 */
import { describe, expect, it } from 'vitest';
import { expectClean, program, start, threads } from '../support/worker-programs.ts';

const ended = async (
  machine: Awaited<ReturnType<typeof start>>['machine'],
  main: string,
): Promise<unknown> => (await machine.spawn(main)).wait();

describe.each(['local', 'remote'] as const)('a futex, faults %s', (faults) => {
  it('hands a token to and fro between two CPUs, thousands of times', async () => {
    const { machine } = await start({ cpus: 2, faults });
    const main = threads(
      async (proc) => {
        const at = await proc.mmap(0, 4096, RW, ANON);
        const pid = await proc.clone('other', { args: [at, proc.cpu] });
        for (let i = 0; i < 1000; i++) {
          // Now asleep with the Worker, now as a promise.
          while (proc.mem.atomicLoad32(at) !== 0) {
            try {
              if (i % 2 === 0) proc.sync.futexWait(at, 1);
              else await proc.futexWait(at, 1);
            } catch (error) {
              if ((error as { code?: string }).code !== 'EAGAIN') throw error;
            }
          }
          proc.mem.atomicStore32(at, 1);
          proc.local.futexWake(at);
        }
        const { status } = await proc.wait(pid);
        return status.code ?? 99;
      },
      {
        other: async (proc, at: number, mainCpu: number) => {
          for (let i = 0; i < 1000; i++) {
            while (proc.mem.atomicLoad32(at) !== 1) {
              await proc.futexWait(at, 0).catch((error: { code?: string }) => {
                if (error.code !== 'EAGAIN') throw error;
              });
            }
            proc.mem.atomicStore32(at, 0);
            const ways = [proc, proc.sync, proc.local];
            await (ways[i % 3] as typeof proc).futexWake(at);
          }
          // Which of the two CPUs started main is open; that its thread runs on the other is not.
          return proc.cpu === mainCpu ? 98 : 0;
        },
      },
    );
    expect(await ended(machine, main)).toEqual({ code: 0 });
    await expectClean(machine);
  });

  it('joins processes that share memory at different addresses', async () => {
    const { machine, lines } = await start({ cpus: 2, faults });
    const child = program(async (proc, at: number) => {
      const own = await proc.mmap(0, 8192, RW, ANON);
      proc.mem.atomicStore32(at, 5);
      let woken = 0;
      while (woken === 0) woken = await proc.futexWake(at, 10);
      proc.print(`woke ${woken}, nobody ${await proc.futexWake(own, 10)}`);
    });
    const main = program(async (proc, module: string) => {
      const at = await proc.mmap(0, 4096, RW, SHARED_ANON);
      // Before there is a child that could change the word first.
      const waits = [proc.futexWait(at, 0), proc.futexWait(at, 0)];
      const pid = await proc.spawn(module, { args: [at], inherit: true });
      const done = await Promise.allSettled(waits);
      proc.print(`${done.filter(({ status }) => status === 'fulfilled').length > 0}`);
      await proc.wait(pid);
      return proc.mem.load32(at);
    });
    const handle = await machine.spawn(main, { args: [child] });
    expect(await handle.wait()).toMatchObject({ code: 5 });
    expect(lines.some((line) => /^woke [12], nobody 0$/.test(line))).toBe(true);
    await expectClean(machine, 1);
  });
});

describe('a wait on a futex', () => {
  it('ends by its timeout, and says so', async () => {
    const { machine } = await start({ cpus: 1 });
    const main = program(async (proc) => {
      const at = await proc.mmap(0, 4096, RW, ANON);
      const code = (error: unknown): string => (error as { code: string }).code;
      const startedMs = performance.now();
      const first = await proc.futexWait(at, 0, 30).catch(code);
      let second = '';
      try {
        proc.sync.futexWait(at, 0, 30);
      } catch (error) {
        second = code(error);
      }
      const tookMs = performance.now() - startedMs;
      const bad = await proc.futexWait(at, 0, -1).catch(code);
      const now = await proc.futexWait(at, 0, 0).catch(code);
      const other = await proc.futexWait(at, 1, 1000).catch(code);
      const all = [first, second, bad, now, other].join(' ');
      if (all !== 'ETIMEDOUT ETIMEDOUT EINVAL ETIMEDOUT EAGAIN') throw new Error(all);
      return tookMs >= 58 ? 0 : 1;
    });
    expect(await ended(machine, main)).toEqual({ code: 0 });
    await expectClean(machine);
  });

  it('that blocks the Worker is refused when only that Worker could end it', async () => {
    const { machine } = await start({ cpus: 1 });
    const main = threads(
      async (proc) => {
        const own = await proc.mmap(0, 4096, RW, ANON);
        const shared = await proc.mmap(0, 4096, RW, SHARED_ANON);
        const attempt = (at: number): string => {
          try {
            proc.sync.futexWait(at, 0);
            return 'woken';
          } catch (error) {
            return (error as { code: string }).code;
          }
        };
        const alone = attempt(own);
        const pid = await proc.clone('idler', { args: [own] });
        const together = [attempt(own), attempt(shared)];
        const far = await proc.clone('waker', { args: [own], dedicated: true });
        const apart = attempt(own);
        await proc.futexWake(own + 4);
        await proc.wait(pid);
        await proc.wait(far);
        const all = [alone, ...together, apart].join(' ');
        if (all !== 'EDEADLK EDEADLK EDEADLK woken') throw new Error(all);
      },
      {
        idler: async (proc, at: number) => {
          await proc.futexWait(at + 4, 0);
        },
        waker: async (proc, at: number) => {
          while ((await proc.futexWake(at)) === 0);
        },
      },
    );
    expect(await ended(machine, main)).toEqual({ code: 0 });
    await expectClean(machine, 1);
  });

  it('of a process that is killed leaves nothing behind, asleep or as a promise', async () => {
    const { machine, lines } = await start({ cpus: 2 });
    const waiter = program(async (proc, isSync: boolean) => {
      const at = await proc.mmap(0, 4096, RW, SHARED_ANON);
      const waits = [proc.futexWait(at, 0), proc.futexWait(at, 0)];
      proc.print('waits');
      if (isSync) proc.sync.futexWait(at, 0, 60_000);
      await Promise.all(waits);
      proc.print('woken');
    });
    const handles = [];
    for (const isSync of [true, false, false]) {
      handles.push(await machine.spawn(waiter, { args: [isSync] }));
    }
    while (lines.length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
    await Promise.all(handles.map((handle) => handle.kill()));
    for (const handle of handles) expect(await handle.wait()).toMatchObject({ signal: 'SIGKILL' });
    expect(lines).not.toContain('woken');
    // One frame of mapping records.
    await expectClean(machine, 1);
  });

  it('brings in the page of a file that its word lies in', async () => {
    const files = { words: new Uint8Array(new Int32Array([1, 7]).buffer) };
    const { machine } = await start({ cpus: 1, files });
    const main = program(async (proc) => {
      const fd = await proc.open('words');
      const at = await proc.mmap(0, 4096, PROT_READ, MAP_PRIVATE, fd, 0);
      const code = (error: unknown): string => (error as { code: string }).code;
      const read = await proc.futexWait(at + 4, 7, 1).catch(code);
      const beyond = await proc.futexWait(at + 4096, 7, 1).catch(code);
      return read === 'ETIMEDOUT' && beyond === 'EFAULT' ? 0 : 1;
    });
    expect(await ended(machine, main)).toEqual({ code: 0 });
    expect((await machine.audit()).violations).toEqual([]);
  });
});
