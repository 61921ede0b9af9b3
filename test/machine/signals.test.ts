/**
 * Goal: signals reach programs on real Workers as they would on Linux: handlers at every point of
 * delivery, masks, pending sets, interrupted waits, ends and their statuses.
 */
import { describe, expect, it } from 'vitest';
import { WEXITSTATUS, WIFEXITED, WIFSIGNALED, WTERMSIG } from 'faultline/program';
import { expectClean, program, start } from '../support/worker-programs.ts';

describe('a handler', () => {
  it('runs between two awaits, at a syscall, and at an access that polls', async () => {
    const { machine, lines } = await start({ cpus: 2 });
    const main = program(async (proc, where: string) => {
      const at = await proc.mmap(0, 4096, RW, ANON);
      let count = 0;
      proc.sigaction('SIGUSR1', ({ signal, pid }) => {
        count++;
        proc.print(`${where} ${signal} ${pid} ${proc.mem.load32(at)}`);
      });
      proc.mem.store32(at, 42);
      proc.print('ready');
      if (where === 'await') while (count === 0) await sleep(1);
      else if (where === 'syscall') while (count === 0) proc.local.getpid();
      else while (count === 0) proc.mem.load32(at);
      return count;
    });
    for (const where of ['await', 'syscall', 'access']) {
      lines.length = 0;
      const handle = await machine.spawn(main, { args: [where] });
      while (lines.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
      await handle.kill('SIGUSR1');
      expect(await handle.wait()).toEqual({ code: 1 });
      expect(lines).toEqual(['ready', `${where} SIGUSR1 0 42`]);
    }
    await expectClean(machine);
  });

  it('has run when a kill of its own process returns, and blocks its own signal', async () => {
    const { machine } = await start({ cpus: 1 });
    const main = program(async (proc) => {
      const seen: string[] = [];
      proc.sigaction('SIGUSR1', () => {
        seen.push('in');
        proc.sigpending();
        proc.local.getpid();
        seen.push('out');
      });
      proc.sigaction('SIGUSR2', ({ pid }) => {
        seen.push(pid === proc.pid ? 'other' : 'stranger');
      });
      await proc.kill(proc.pid, 'SIGUSR1');
      await Promise.all([proc.kill(proc.pid, 'SIGUSR2'), proc.kill(proc.pid, 'SIGUSR1')]);
      // The other one may come in the midst of the handler, which blocks only its own.
      const own = seen.filter((word) => word !== 'other').join(' ');
      if (own !== 'in out in out' || seen.length !== 5) throw new Error(seen.join(' '));
    });
    expect(await (await machine.spawn(main)).wait()).toEqual({ code: 0 });
    await expectClean(machine);
  });

  it('whose error nobody catches ends the process, and one that exits exits', async () => {
    const { machine } = await start({ cpus: 1 });
    const main = program(async (proc, how: string) => {
      proc.sigaction('SIGTERM', () => {
        if (how === 'throw') throw new Error('from a handler');
        proc.exit(7);
      });
      await proc.kill(proc.pid, 'SIGTERM');
      await sleep(10_000);
    });
    const [thrown, left] = await Promise.all(
      ['throw', 'exit'].map(async (how) => (await machine.spawn(main, { args: [how] })).wait()),
    );
    expect(thrown).toMatchObject({ signal: 'SIGABRT', reason: 'Error: from a handler' });
    expect(left).toEqual({ code: 7 });
    await expectClean(machine);
  });

  it('interrupts waits, sleeps and futexes with EINTR, and nothing else', async () => {
    const { machine } = await start({ cpus: 2 });
    const child = program(() => sleep(200));
    const main = program(async (proc, module: string) => {
      const at = await proc.mmap(0, 4096, RW, ANON);
      proc.sigaction('SIGUSR1', () => {});
      const code = (error: unknown): string => (error as { code: string }).code;
      const pid = await proc.spawn(module);
      const waits = [
        proc.wait(),
        proc.wait(pid),
        proc.nanosleep(60e9),
        proc.futexWait(at, 0),
        proc.futexWait(at, 0, 60_000),
      ];
      const all = Promise.all(waits.map((wait) => wait.then(() => 'done', code)));
      await sleep(10);
      await proc.kill(proc.pid, 'SIGUSR1');
      const outcomes = await all;
      if (outcomes.join() !== 'EINTR,EINTR,EINTR,EINTR,EINTR') throw new Error(outcomes.join());
      // Its end is still there to be waited for.
      return (await proc.wait(pid)).pid === pid ? 0 : 1;
    });
    const handle = await machine.spawn(main, { args: [child] });
    expect(await handle.wait()).toEqual({ code: 0 });
    await expectClean(machine);
  });

  it('interrupts a wait in which the Worker sleeps', async () => {
    const { machine, lines } = await start({ cpus: 1 });
    const main = program((proc) => {
      const at = proc.local.mmap(0, 4096, RW, SHARED_ANON);
      let handled = 0;
      proc.sigaction('SIGUSR2', () => handled++);
      proc.print('ready');
      try {
        proc.sync.futexWait(at, 0);
      } catch (error) {
        return (error as { code: string }).code === 'EINTR' ? Math.min(1, handled) : 50;
      }
      return 51;
    });
    const handle = await machine.spawn(main);
    while (lines.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    // Again and again: the first one may be handled just before the program goes to sleep.
    const resend = setInterval(() => void handle.kill('SIGUSR2').catch(() => {}), 100);
    await handle.kill('SIGUSR2');
    const status = await handle.wait();
    clearInterval(resend);
    expect(status).toEqual({ code: 1 });
    await expectClean(machine, 1);
  });
});

describe('a signal', () => {
  it('waits while it is blocked, and is handled when it is not any more', async () => {
    const { machine } = await start({ cpus: 1 });
    const main = program(async (proc) => {
      const seen: string[] = [];
      proc.sigaction('SIGUSR1', ({ signal }) => seen.push(signal));
      const before = proc.sigprocmask('block', ['SIGUSR1', 'SIGTERM', 'SIGKILL']);
      for (let i = 0; i < 3; i++) await proc.kill(proc.pid, 'SIGUSR1');
      seen.push(`pending ${proc.sigpending().join()}`);
      const blocked = proc.sigprocmask('unblock', ['SIGUSR1']);
      seen.push(`was ${before.length} ${blocked.join()} then ${proc.sigpending().length}`);
      await proc.kill(proc.pid, 'SIGTERM');
      proc.sigaction('SIGTERM', 'ignore');
      proc.sigprocmask('set', []);
      const expected = 'pending SIGUSR1;SIGUSR1;was 0 SIGUSR1,SIGTERM then 0';
      if (seen.join(';') !== expected) throw new Error(seen.join(';'));
      for (const refused of [
        () => proc.sigaction('SIGKILL', 'ignore'),
        () => proc.sigprocmask('block', ['SIGNONE' as 'SIGTERM']),
        () => proc.sigprocmask('sideways' as 'set', []),
      ]) {
        try {
          refused();
          return 1;
        } catch (error) {
          if ((error as { code: string }).code !== 'EINVAL') return 2;
        }
      }
      proc.sigaction('SIGUSR1', null);
      proc.sigprocmask('block', ['SIGUSR2']);
      await proc.kill(proc.pid, 'SIGUSR2');
      proc.sigprocmask('set', []);
      return 3;
    });
    expect(await (await machine.spawn(main)).wait()).toEqual({ signal: 'SIGUSR2' });
    await expectClean(machine);
  });

  it('number 0 asks whether a process is there; there are no others than the table’s', async () => {
    const { machine } = await start({ cpus: 2 });
    const child = program(() => sleep(10_000));
    const main = program(async (proc, module: string) => {
      const code = (error: unknown): string => (error as { code: string }).code;
      const pid = await proc.spawn(module);
      const there = await proc.kill(pid, 0);
      await proc.kill(pid, 'SIGUSR1');
      const zombie = await proc.kill(pid, 0);
      await proc.wait(pid);
      const gone = await proc.kill(pid, 0).catch(code);
      const never = await proc.kill(9999, 'SIGTERM').catch(code);
      const host = await proc.kill(0, 'SIGTERM').catch(code);
      const segv = await proc.kill(pid, 'SIGSEGV').catch(code);
      const all = [there, zombie, gone, never, host, segv].join();
      if (all !== '0,0,ESRCH,ESRCH,EPERM,EINVAL') throw new Error(all);
    });
    const handle = await machine.spawn(main, { args: [child] });
    expect(await handle.wait()).toEqual({ code: 0 });
    await expectClean(machine);
  });

  it('for a fault is never ignored, and kills while it is blocked', async () => {
    const { machine } = await start({ cpus: 1 });
    const main = program((proc, how: string) => {
      if (how === 'ignore') proc.sigaction('SIGSEGV', 'ignore');
      else proc.sigaction('SIGSEGV', () => proc.exit(1));
      if (how === 'block') proc.sigprocmask('block', ['SIGSEGV']);
      proc.mem.load32(4096);
    });
    for (const how of ['ignore', 'block']) {
      expect(await (await machine.spawn(main, { args: [how] })).wait()).toMatchObject({
        signal: 'SIGSEGV',
        faultCode: 'SEGV_MAPERR',
      });
    }
    await expectClean(machine);
  });
});

describe('SIGCHLD', () => {
  it('announces the end of a child to who handles it, not that of a thread', async () => {
    const { machine } = await start({ cpus: 2 });
    const child = program(() => 3);
    const main = program(async (proc, module: string) => {
      const seen: number[] = [];
      proc.sigaction('SIGCHLD', ({ pid }) => seen.push(pid));
      const pid = await proc.spawn(module);
      while (seen.length === 0) await sleep(1);
      const { status, waitStatus } = await proc.wait();
      if (status.code !== 3 || waitStatus !== 0x300) return 1;
      return seen.join() === String(pid) ? 0 : 2;
    });
    const handle = await machine.spawn(main, { args: [child] });
    expect(await handle.wait()).toEqual({ code: 0 });
    await expectClean(machine);
  });

  it('ignored on purpose, children leave nothing to wait for', async () => {
    const { machine } = await start({ cpus: 2 });
    const child = program(() => 3);
    const main = program(async (proc, module: string) => {
      proc.sigaction('SIGCHLD', 'ignore');
      await proc.spawn(module);
      await proc.spawn(module);
      return proc.wait().then(
        () => 1,
        (error: { code: string }) => (error.code === 'ECHILD' ? 0 : 2),
      );
    });
    const handle = await machine.spawn(main, { args: [child] });
    expect(await handle.wait()).toEqual({ code: 0 });
    await expectClean(machine);
  });

  it('comes with a status as wait(2) gives it', async () => {
    const { machine, lines } = await start({ cpus: 1 });
    const child = program((proc, how: string) => {
      if (how === 'exit') return proc.exit(258);
      if (how === 'fault') return proc.mem.load8(0);
      throw new Error(how);
    });
    const main = program(async (proc, module: string) => {
      for (const how of ['exit', 'fault', 'throw', 'kill']) {
        const pid = await proc.spawn(module, { args: [how] });
        if (how === 'kill') await proc.kill(pid, 'SIGTERM');
        proc.print(String((await proc.wait(pid)).waitStatus));
      }
    });
    await (await machine.spawn(main, { args: [child] })).wait();
    const statuses = lines.map(Number);
    expect(statuses.slice(0, 3)).toEqual([0x200, 11, 6]);
    expect([WIFEXITED(0x200), WEXITSTATUS(0x200), WIFSIGNALED(0x200)]).toEqual([true, 2, false]);
    expect([WIFEXITED(11), WIFSIGNALED(11), WTERMSIG(11)]).toEqual([false, true, 11]);
    // The last one may have thrown before it was killed.
    expect([6, 15]).toContain(statuses[3]);
    await expectClean(machine);
  });
});
