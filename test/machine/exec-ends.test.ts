/**
 * Goal: an exec that is cut short, by a kill or by the end of its Worker, ends the process and
 * leaves nothing behind. Method: whole machines with real Workers, audited at the end.
 */
import { expect, it } from 'vitest';
import { expectClean, module, program, start, threads } from '../support/worker-programs.ts';

/** CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD. */
const THREAD = 0x10f00;

it('a process is killed while its exec waits for the end of another thread', async () => {
  const { machine, lines } = await start({ cpus: 2 });
  const main = threads(
    async (proc, flags: number, next: string) => {
      await proc.clone('spins', { flags });
      await sleep(20);
      proc.print('exec');
      await proc.execve(next);
    },
    {
      // Neither touches memory nor awaits: its end takes the time until its Worker is replaced.
      spins: () => {
        for (;;);
      },
    },
  );
  const next = program((proc) => proc.print('the new program runs'));
  const handle = await machine.spawn(main, { args: [THREAD, next] });
  while (lines.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  await new Promise((resolve) => setTimeout(resolve, 50));
  await handle.kill();
  expect(await handle.wait()).toMatchObject({ signal: 'SIGKILL' });
  expect(lines).toEqual(['exec']);
  await expectClean(machine);
});

it('a Worker dies while it loads what exec is to run', async () => {
  const { machine, lines } = await start({ cpus: 1 });
  const main = program(async (proc, next: string) => {
    const at = await proc.mmap(0, 8192, RW, ANON);
    proc.mem.store32(at, 1);
    await proc.memfdCreate('open');
    await proc.execve(next);
  });
  const fatal = module('process.reallyExit(3); export default () => 0;');
  const status = await (await machine.spawn(main, { args: [fatal] })).wait();
  expect(status).toMatchObject({ signal: 'SIGKILL' });
  // The Worker that took its place is as good.
  const good = program((proc) => proc.print('runs'));
  expect(await (await machine.spawn(good)).wait()).toEqual({ code: 0 });
  expect(lines).toEqual(['runs']);
  await new Promise((resolve) => setTimeout(resolve, 100));
  await expectClean(machine);
});
