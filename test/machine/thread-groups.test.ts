/**
 * Goal: clone's flags, thread groups, execve and vfork as on Linux, with nothing left behind.
 * Method: whole machines with real Workers, audited at the end.
 */
import { describe, expect, it } from 'vitest';
import {
  expectClean as expectCleanNow,
  module,
  program,
  start,
  threads,
} from '../support/worker-programs.ts';

/** After a tick of the kernel worker, which frees files without a name. */
async function expectClean(machine: Parameters<typeof expectCleanNow>[0]): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 100));
  await expectCleanNow(machine);
}

/** What pthread_create asks for. */
const PTHREAD = 0x3d0f00;

describe('threads of one process', () => {
  it('share descriptors and pid, have their words set, and are joined by them', async () => {
    const { machine, lines } = await start({ cpus: 2 });
    const main = threads(
      async (proc, flags: number) => {
        const at = await proc.mmap(0, 8192, RW, ANON);
        const stack = { address: at + 4096, bytes: 4096 };
        const options = { args: [at], flags, stack, tls: at + 64, parentTid: at, childTid: at + 4 };
        proc.mem.store32(at + 4, -1);
        const tid = await proc.clone('thread', options);
        proc.print(`${proc.mem.load32(at) === tid}`);
        while (proc.mem.load32(at + 4) !== 0) {
          await proc.futexWait(at + 4, proc.mem.load32(at + 4)).catch(() => {});
        }
        // Opened by the thread, in the table of both; at the place that it says.
        const fd = proc.mem.load32(at + 8);
        proc.print(`${(await proc.fstat(fd)).size} ${proc.mem.load32(at + 12) === proc.pid}`);
        proc.print(`${proc.mem.load32(at + 16) === tid} ${proc.mem.load32(at + 20) === 64}`);
        const error: unknown = await proc.wait(tid).catch((e: unknown) => e);
        proc.print((error as { code: string }).code);
      },
      {
        thread: async (proc, at: number) => {
          const fd = await proc.memfdCreate('shared');
          await proc.ftruncate(fd, 77);
          proc.mem.store32(at + 8, fd);
          proc.mem.store32(at + 12, proc.sync.getpid());
          proc.mem.store32(at + 16, proc.local.gettid());
          await proc.archPrctl(0x1003, at + 24);
          proc.mem.store32(at + 20, Number(proc.mem.load64(at + 24)) - at);
          if (proc.stack?.address !== at + 4096) proc.mem.store32(at + 8, 0);
          return 5;
        },
      },
    );
    const process = await machine.spawn(main, { args: [PTHREAD] });
    expect(await process.wait()).toEqual({ code: 0 });
    expect(lines).toEqual(['true', '77 true', 'true true', 'ECHILD']);
    await expectClean(machine);
  });

  it.each([
    [0x10100, 'THREAD without SIGHAND'],
    [0x900 & ~0x100, 'SIGHAND without VM'],
    [0x20000100, 'a namespace'],
    [0x105, 'a signal that is not SIGCHLD'],
  ])('refuses the flags %i: %s', async (flags) => {
    const { machine } = await start({ cpus: 1 });
    const main = threads(
      async (proc, bad: number) => {
        const error: unknown = await proc.clone('never', { flags: bad }).catch((e: unknown) => e);
        return (error as { code: string }).code === 'EINVAL' ? 0 : 1;
      },
      { never: () => 0 },
    );
    expect(await (await machine.spawn(main, { args: [flags] })).wait()).toEqual({ code: 0 });
    await expectClean(machine);
  });

  it.each(['group', 'leader returns', 'fault', 'killed'])('end together: %s', async (how) => {
    const { machine } = await start({ cpus: 2 });
    const main = threads(
      async (proc, flags: number, end: string) => {
        await proc.clone('spin', { flags, args: [end] });
        await proc.clone('spin', { flags, args: ['never'] });
        await sleep(20);
        if (end === 'leader returns') return 9;
        await sleep(60_000);
        return 1;
      },
      {
        spin: async (proc, end: string) => {
          await sleep(40);
          if (end === 'group') proc.exitGroup(9);
          if (end === 'fault') proc.mem.load8(0);
          for (;;) await sleep(1);
        },
      },
    );
    const process = await machine.spawn(main, { args: [PTHREAD & ~0x300000, how] });
    if (how === 'killed') setTimeout(() => void process.kill('SIGTERM'), 60);
    const expected = {
      fault: { signal: 'SIGSEGV' },
      killed: { signal: 'SIGTERM' },
    }[how] ?? { code: 9 };
    expect(await process.wait()).toMatchObject(expected);
    await expectClean(machine);
  });

  it('report the leader that left first when the last one has ended', async () => {
    const { machine, lines } = await start({ cpus: 2 });
    const main = threads(
      async (proc, flags: number) => {
        await proc.clone('last', { flags });
        proc.exit(3);
      },
      {
        last: async (proc) => {
          await sleep(50);
          const child = await proc.fork('child');
          const { status } = await proc.wait(child);
          proc.print(`last ${status.code ?? status.signal}`);
          return 4;
        },
        child: () => 6,
      },
    );
    const process = await machine.spawn(main, { args: [PTHREAD & ~0x300000] });
    expect(await process.wait()).toEqual({ code: 3 });
    expect(lines).toEqual(['last 6']);
    await expectClean(machine);
  });

  it('clear their word in a page that was swapped out, so that a join is not missed', async () => {
    const { machine } = await start({ cpus: 2, memory: '2MiB', swap: '16MiB' });
    const main = threads(
      async (proc, flags: number) => {
        const at = await proc.mmap(0, 4096, RW, ANON);
        proc.mem.store32(at, 1);
        await proc.clone('thread', { flags, childTid: at, parentTid: at + 4 });
        await sleep(5);
        const fill = await proc.mmap(0, 6 * 2 ** 20, RW, ANON);
        for (let page = 0; page < 1536; page++) proc.mem.store32(fill + page * 4096, page);
        while (proc.mem.load32(at) !== 0) await proc.futexWait(at, 1, 2000).catch(() => {});
        return 0;
      },
      { thread: () => sleep(300) },
    );
    expect(await (await machine.spawn(main, { args: [PTHREAD] })).wait()).toEqual({ code: 0 });
    await expectClean(machine);
  });
});

describe('execve', () => {
  const next = program(async (proc, fd: number, closed: number, old: number) => {
    const isOpen = async (at: number): Promise<string> =>
      proc.fstat(at).then(
        () => 'open',
        () => 'closed',
      );
    let fault = 'mapped';
    try {
      proc.mem.load32(old);
    } catch (error) {
      fault = (error as { code: string }).code;
    }
    proc.print(`${proc.pid} ${await isOpen(fd)} ${await isOpen(closed)} ${fault}`);
    return 21;
  });

  it('goes on with another program in an empty space, under the same pid', async () => {
    const { machine, lines } = await start({ cpus: 1 });
    const main = program(async (proc, module: string) => {
      const at = await proc.mmap(0, 4096, RW, ANON);
      proc.mem.store32(at, 1);
      const fd = await proc.memfdCreate('kept');
      const closed = await proc.memfdCreate('closed', 1);
      proc.sigaction('SIGUSR1', () => {});
      // What the old program has left must not run on.
      setTimeout(() => proc.mem.store32(at, 2), 5);
      void proc.nanosleep(1e6).then(() => proc.print('the old program runs'));
      await proc.execve(module, { args: [fd, closed, at] });
      proc.print('unreachable');
    });
    const process = await machine.spawn(main, { args: [next] });
    expect(await process.wait()).toEqual({ code: 21 });
    expect(lines).toEqual([`${process.pid} open closed SEGV_MAPERR`]);
    await expectClean(machine);
  });

  it('leaves the old program running when the new one does not load', async () => {
    const { machine, lines } = await start({ cpus: 1 });
    const main = program(async (proc, empty: string) => {
      for (const module of ['file:///nowhere.js', empty, 'data:text/javascript,throw 1']) {
        const error: unknown = await proc.execve(module).catch((e: unknown) => e);
        proc.print((error as { code: string }).code);
      }
      return 4;
    });
    const process = await machine.spawn(main, { args: [module('export const other = 1;')] });
    expect(await process.wait()).toEqual({ code: 4 });
    expect(lines).toEqual(['ENOENT', 'ENOEXEC', 'ENOEXEC']);
    await expectClean(machine);
  });

  it.each(['leader', 'thread'])('ends the other threads when the %s calls it', async (who) => {
    const { machine } = await start({ cpus: 2 });
    const main = threads(
      async (proc, flags: number, caller: string, program: string) => {
        await proc.clone('other', { flags, args: [caller, program] });
        await proc.clone('other', { flags, args: ['', ''] });
        await sleep(20);
        if (caller === 'leader') await proc.execve(program);
        for (;;) await sleep(1);
      },
      {
        other: async (proc, caller: string, program: string) => {
          await sleep(40);
          if (caller === 'thread') await proc.execve(program);
          for (;;) await sleep(1);
        },
      },
    );
    const args = [PTHREAD & ~0x300000, who, program(() => 21)];
    expect(await (await machine.spawn(main, { args })).wait()).toEqual({ code: 21 });
    await expectClean(machine);
  });
});

describe('vfork', () => {
  it.each(['exec', 'exit'])('shares the memory until the child calls %s', async (how) => {
    const { machine, lines } = await start({ cpus: 2 });
    const main = threads(
      async (proc, end: string, next: string) => {
        const at = await proc.mmap(0, 4096, RW, ANON);
        const child = await proc.vfork('child', at, end, next);
        proc.print(`released ${proc.mem.load32(at)}`);
        const { status } = await proc.wait(child);
        return status.code ?? 99;
      },
      {
        child: async (proc, at: number, end: string, next: string) => {
          proc.mem.store32(at, 1);
          await sleep(30);
          proc.mem.store32(at, 2);
          if (end === 'exec') await proc.execve(next);
          return 7;
        },
      },
    );
    const next = program(async () => {
      await sleep(50);
      return 7;
    });
    expect(await (await machine.spawn(main, { args: [how, next] })).wait()).toEqual({ code: 7 });
    expect(lines).toEqual(['released 2']);
    await expectClean(machine);
  });

  it('by trap gives the child a Worker of its own where its parent has the only one', async () => {
    const { machine } = await start({ cpus: 1 });
    const main = threads(
      async (proc) => {
        const at = await proc.mmap(0, 4096, RW, ANON);
        // CLONE_VM, CLONE_VFORK, SIGCHLD.
        const child = proc.sync.clone('child', { flags: 0x100 | 0x4000 | 17, args: [at] });
        const seen = proc.mem.load32(at);
        return ((await proc.wait(child)).status.code ?? 0) + seen;
      },
      {
        child: (proc, at: number) => {
          proc.mem.store32(at, 40);
          return 2;
        },
      },
    );
    expect(await (await machine.spawn(main)).wait()).toEqual({ code: 42 });
    await expectClean(machine);
  });
});

describe('calls by trap', () => {
  it('open, unlink, fork, clone and spawn', async () => {
    const { machine, lines } = await start({ cpus: 2 });
    const main = threads(
      async (proc, other: string) => {
        const fd = proc.sync.open('/made', 0o102);
        proc.print(`${fd} ${proc.sync.memfdCreate('x')} ${proc.sync.unlink('/made')}`);
        try {
          proc.sync.open('/made');
        } catch (error) {
          proc.print((error as { code: string }).code);
        }
        const pids = [proc.sync.fork('child', 1), proc.sync.clone('child', { args: [2] })];
        pids.push(proc.sync.spawn(other, { args: [3] }));
        let sum = 0;
        for (const pid of pids) {
          const { status } = await proc.wait(pid);
          sum += status.code ?? 100;
        }
        return sum;
      },
      { child: (_proc, code: number) => code },
    );
    const other = program((_proc, code: number) => code);
    expect(await (await machine.spawn(main, { args: [other] })).wait()).toEqual({ code: 6 });
    expect(lines).toEqual(['3 4 0', 'ENOENT']);
    await expectClean(machine);
  });
});
