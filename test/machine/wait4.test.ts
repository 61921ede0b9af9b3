/**
 * Goal: wait4 answers as on Linux, by each way into the kernel; asleep with its Worker it is ended
 * by a child, a signal or a kill, loses no child's end, and never hangs because of that sleep.
 * Method: whole machines with real Workers, audited at the end.
 */
import { describe, expect, it } from 'vitest';
import { expectClean, start, threads } from '../support/worker-programs.ts';

const ends = {
  seven: () => 7,
  wrong: ({ mem }: { mem: { store32(at: number, value: number): void } }) => mem.store32(0, 1),
  stays: async () => sleep(60_000),
};

type Machine = Awaited<ReturnType<typeof start>>['machine'];

async function run(machine: Machine, main: string, ...args: unknown[]): Promise<unknown> {
  return (await machine.spawn(main, { args })).wait();
}

describe('wait4', () => {
  it.each(['', 'sync', 'local'])('by proc.%s: outcomes, words and errors', async (way) => {
    const { machine, lines } = await start({ cpus: 2 });
    const main = threads(async (proc, name: '' | 'sync' | 'local') => {
      const { wait4 } = name === '' ? proc : proc[name];
      const attempt = async (
        ...args: [number, number?, number?, number?]
      ): Promise<string | number> => {
        try {
          return await wait4(...args);
        } catch (error) {
          return (error as { code: string }).code;
        }
      };
      const at = await proc.mmap(0, 4096, RW, ANON);
      const nothing = [await attempt(-1), await attempt(4), await attempt(0, 0, 4)];
      proc.print([...nothing, await attempt(-(2 ** 31))].join(' '));
      const pid = await proc.fork('seven');
      proc.print(`${(await attempt(pid, at)) === pid} ${proc.mem.load32(at).toString(16)}`);
      const other = await proc.fork('wrong');
      proc.print(`${(await attempt(-1, at, 0, at + 8)) === other} ${proc.mem.load32(at)}`);
      // ru_maxrss and ru_minflt: it had one page at most, and did not get another.
      proc.print(`${proc.mem.load32(at + 8 + 32) > 0} ${proc.mem.load32(at + 8 + 64) < 9}`);
      const third = await proc.fork('stays');
      proc.print(`${await attempt(third, at, 1)} ${await attempt(third + 1)}`);
      void proc.kill(third);
      proc.print(`${(await attempt(third, at)) === third} ${proc.mem.load32(at)}`);
      await proc.fork('seven');
      // Its end is lost, as on Linux.
      proc.print([await attempt(-1, 8), await attempt(-1, at)].join(' '));
    }, ends);
    expect(await run(machine, main, way)).toEqual({ code: 0 });
    expect(lines).toEqual([
      'ECHILD ECHILD EINVAL ESRCH',
      'true 700',
      'true 11',
      'true true',
      '0 ECHILD',
      'true 9',
      'EFAULT ECHILD',
    ]);
    await expectClean(machine);
  });

  it('asleep is ended by a handler, and then still finds the child', async () => {
    const { machine, lines } = await start({ cpus: 2 });
    const main = threads(
      async (proc) => {
        const at = await proc.mmap(0, 4096, RW, SHARED_ANON);
        const pid = await proc.fork('sender', at, proc.pid);
        proc.sigaction('SIGUSR1', () => proc.print('handled'));
        try {
          proc.sync.wait4(pid);
        } catch (error) {
          proc.print((error as { code: string }).code);
        }
        proc.mem.store32(at, 1);
        proc.sync.futexWake(at);
        proc.print(`${proc.sync.wait4(pid) === pid}`);
        // A signal that is blocked does not end it.
        proc.sigprocmask('block', ['SIGUSR1']);
        const other = await proc.fork('sender', at, proc.pid);
        proc.print(`${proc.sync.wait4(other) === other} ${proc.sigpending().join()}`);
      },
      {
        sender: async (proc, at: number, parent: number) => {
          await sleep(30);
          await proc.kill(parent, 'SIGUSR1');
          if (proc.mem.load32(at) === 0) await proc.futexWait(at, 0).catch(() => {});
          await sleep(30);
        },
      },
    );
    expect(await run(machine, main)).toEqual({ code: 0 });
    expect(lines).toEqual(['handled', 'EINTR', 'true', 'true SIGUSR1']);
    await expectClean(machine, 1);
  });

  it('asleep is ended by SIGKILL', async () => {
    const { machine, lines } = await start({ cpus: 2 });
    const main = threads(
      async (proc) => {
        const pid = await proc.fork('orphan', proc.pid);
        proc.print('waits');
        proc.sync.wait4(pid);
      },
      {
        // Until its parent is gone.
        orphan: async (proc, parent: number) => {
          for (;;) {
            await sleep(5);
            await proc.kill(parent, 0);
          }
        },
      },
    );
    const handle = await machine.spawn(main);
    while (lines.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    const beforeMs = performance.now();
    await handle.kill();
    expect(performance.now() - beforeMs).toBeLessThan(400);
    expect(await handle.wait()).toMatchObject({ signal: 'SIGKILL' });
    while ((await machine.stats()).processes.some(({ status }) => status === null)) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await expectClean(machine);
  });
});

describe('wait4 of processes of one Worker', () => {
  it('starts them elsewhere, chains of them too', async () => {
    const { machine, lines } = await start({ cpus: 1 });
    const main = threads(
      (proc) => {
        const pid = proc.sync.fork('middle', 3);
        proc.print(`${proc.sync.wait4(pid) === pid}`);
      },
      {
        middle: (proc, depth: number) => {
          if (depth === 0) return 0;
          const pid = proc.sync.fork('middle', depth - 1);
          const other = proc.sync.fork('middle', 0);
          return proc.sync.wait4(-1) + proc.sync.wait4(-1) === pid + other ? 0 : 1;
        },
      },
    );
    expect(await run(machine, main)).toEqual({ code: 0 });
    expect(lines).toEqual(['true']);
    await expectClean(machine);
  });

  it('is refused with EDEADLK when they have begun there', async () => {
    const { machine, lines } = await start({ cpus: 2 });
    const main = threads(
      async (proc) => {
        const at = await proc.mmap(0, 4096, RW, SHARED_ANON);
        // Begun here or on the other CPU; the one that is here cannot go on while this one sleeps.
        const pids = [];
        for (let i = 0; i < 4; i++) pids.push(await proc.fork('idler', at, i));
        while (proc.mem.load32(at + 4) !== 4) await sleep(5);
        const codes = [];
        for (let i = 0; i < 4; i++) {
          const isHere = proc.mem.load32(at + 8 + 4 * i) === proc.cpu;
          if (!isHere) continue;
          try {
            codes.push(proc.sync.wait4(pids[i] as number));
          } catch (error) {
            codes.push((error as { code: string }).code);
          }
        }
        proc.print(`${codes.length > 0} ${codes.every((code) => code === 'EDEADLK')}`);
        proc.mem.store32(at, 1);
        await proc.futexWake(at, 4);
        for (const pid of pids) await proc.wait4(pid);
      },
      {
        idler: async (proc, at: number, i: number) => {
          proc.mem.store32(at + 8 + 4 * i, proc.cpu);
          proc.mem.atomicAdd32(at + 4, 1);
          await proc.futexWait(at, 0).catch(() => {});
        },
      },
    );
    expect(await run(machine, main)).toEqual({ code: 0 });
    expect(lines).toEqual(['true true']);
    await expectClean(machine, 1);
  });
});
