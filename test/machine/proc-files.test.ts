/**
 * Goal: programs read /proc and /dev/zero as on Linux, and leave nothing behind. Method: whole
 * machines, audited at the end.
 */
import { describe, expect, it } from 'vitest';
import type { MachineHandle } from 'faultline';
import { expectClean as expectCleanNow, program, start } from '../support/worker-programs.ts';

/** After a tick of the kernel worker, which frees files without a name. */
async function expectClean(machine: MachineHandle, expectedFrames = 0): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 100));
  await expectCleanNow(machine, expectedFrames);
}

describe('/proc', () => {
  it('has the texts of a process at the moment of the read', async () => {
    const { machine, lines } = await start({ cpus: 1 });
    const main = program(async (proc) => {
      const buffer = await proc.mmap(0, 65536, RW, ANON);
      const text = async (fd: number): Promise<string> => {
        let all = '';
        for (;;) {
          const bytes = await proc.read(fd, buffer, 1000);
          if (bytes === 0) return all;
          all += new TextDecoder().decode(proc.mem.read(buffer, bytes));
        }
      };
      const count = (maps: string): number => maps.split('\n').length - 1;
      const fd = await proc.open('/proc/self/maps');
      const before = count(await text(fd));
      const at = await proc.mmap(0, 4096, PROT_READ, SHARED_ANON);
      const end = await text(fd);
      await proc.lseek(fd, 0, 0);
      const after = await text(fd);
      proc.print(`${count(after) - before} "${end}" ${after.includes(at.toString(16))}`);
      const status = await text(await proc.open(`/proc/${proc.pid}/status`));
      proc.print(`${/^Pid:\t(\d+)$/m.exec(status)?.[1] === String(proc.pid)}`);
      const smaps = await text(proc.sync.open('/proc/thread-self/smaps'));
      proc.print(`${smaps.split('\n').filter((line) => line.startsWith('Rss:')).length}`);
      const error = async (run: () => Promise<unknown>): Promise<string> =>
        run().then(String, (e: unknown) => (e as { code: string }).code);
      proc.print(
        [
          await error(() => proc.mmap(0, 4096, PROT_READ, MAP_PRIVATE, fd)),
          await error(() => proc.open('/proc/self/maps', 2)),
          await error(() => proc.open('/proc/self/nothing')),
          await error(() => proc.open('/proc/99999/maps')),
          await error(() => proc.lseek(fd, 0, 2)),
          (await proc.fstat(fd)).size,
        ].join(' '),
      );
    });
    expect(await (await machine.spawn(main)).wait()).toEqual({ code: 0 });
    expect(lines).toEqual(['1 "" true', 'true', '2', 'ENODEV EACCES ENOENT ENOENT EINVAL 0']);
    // The directory of mapping records stays.
    await expectClean(machine, 1);
  });

  it('reads more than a page, and nothing of a process that has ended', async () => {
    const { machine, lines } = await start({ cpus: 1 });
    const child = program(() => sleep(60_000));
    const main = program(async (proc, module: string) => {
      const buffer = await proc.mmap(0, 65536, RW, ANON);
      for (let i = 0; i < 400; i++) await proc.mmap(2 ** 32 + i * 8192, 4096, i % 4, ANON);
      const fd = await proc.open('/proc/self/maps');
      let text = '';
      for (let bytes = -1; bytes !== 0;) {
        bytes = await proc.read(fd, buffer, 65536);
        text += new TextDecoder().decode(proc.mem.read(buffer, bytes));
      }
      const starts = text.split('\n').map((line) => parseInt(line, 16));
      proc.print(`${starts.filter((at) => at >= 2 ** 32 && at < 2 ** 33).length}`);
      const pid = await proc.spawn(module);
      const other = await proc.open(`/proc/${pid}/status`);
      proc.print(`${(await proc.pread(other, buffer, 64, 0)) > 0}`);
      await proc.kill(pid);
      await proc.wait(pid);
      proc.print(`${await proc.pread(other, buffer, 64, 0)}`);
    });
    expect(await (await machine.spawn(main, { args: [child] })).wait()).toEqual({ code: 0 });
    expect(lines).toEqual(['400', 'true', '0']);
    await expectClean(machine);
  });
});

describe('/dev/zero', () => {
  it('has no end and no position, and maps as anonymous memory', async () => {
    const { machine, lines } = await start({ cpus: 1 });
    const main = program(async (proc) => {
      const fd = await proc.open('/dev/zero', 2);
      const own = await proc.mmap(0, 8192, RW, MAP_PRIVATE, fd);
      const shared = await proc.mmap(0, 4096, RW, MAP_SHARED, fd, 8192);
      proc.mem.store32(own + 4096, 5);
      proc.mem.store32(shared, 6);
      proc.print(`${await proc.read(fd, own + 4090, 100)} ${proc.mem.load32(own + 4096)}`);
      proc.print(`${await proc.write(fd, own, 5000)} ${await proc.lseek(fd, 99, 1)}`);
      const error = async (run: () => Promise<unknown>): Promise<string> =>
        run().then(String, (e: unknown) => (e as { code: string }).code);
      proc.print(await error(() => proc.fallocate(fd, 0, 0, 4096)));
      proc.print(await error(() => proc.ftruncate(fd, 0)));
      const inherits = await proc.mmap(0, 4096, RW, MAP_SHARED, fd, 8192);
      proc.print(`${proc.mem.load32(inherits)} ${proc.mem.load32(shared)}`);
    });
    expect(await (await machine.spawn(main)).wait()).toEqual({ code: 0 });
    expect(lines).toEqual(['100 0', '5000 0', 'ENODEV', 'EINVAL', '0 6']);
    await expectClean(machine, 1);
  });
});
