/*
 * Goal: files through the whole machine: names, transfers that wait for pages, and host files that
 * get what programs wrote. Method: programs in real Workers, and the host's own view of the file.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { boot } from 'faultline';
import type { Proc } from 'faultline';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectClean, program, start } from '../support/worker-programs.ts';

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'faultline-files-'));
});

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

function hostFile(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

/** Runs a program to its end; what it printed. */
async function run(
  main: Parameters<typeof program>[0],
  options: Parameters<typeof start>[0] = {},
): Promise<string[]> {
  const { machine, lines } = await start({ cpus: 1, ...options });
  const process = await machine.spawn(program(main));
  expect(await process.wait()).toEqual({ code: 0 });
  const { violations } = await machine.audit();
  expect(violations).toEqual([]);
  return lines;
}

describe('names', () => {
  it('makes, opens, truncates and unlinks files in memory', async () => {
    const lines = await run(async (proc: Proc) => {
      const say = async (what: string, call: Promise<unknown>): Promise<void> => {
        const outcome = await call.catch((error: { code?: string }) => error.code);
        proc.print(`${what}: ${JSON.stringify(outcome)}`);
      };
      const [O_RDWR, O_CREAT, O_EXCL, O_TRUNC, O_PATH] = [2, 0o100, 0o200, 0o1000, 0o10000000];
      const page = await proc.mmap(0, 4096, RW, ANON);
      proc.mem.write(page, new TextEncoder().encode('some text'));
      await say('missing', proc.open('/tmp/a', O_RDWR));
      const fd = await proc.open('/tmp/a', O_RDWR | O_CREAT | O_EXCL);
      await say('again', proc.open('/tmp/a', O_RDWR | O_CREAT | O_EXCL));
      await say('written', proc.write(fd, page, 9));
      const other = await proc.open('/tmp/a', O_RDWR | O_CREAT);
      await say('fstat', proc.fstat(other));
      await say('read', proc.read(other, page + 100, 100));
      proc.print(new TextDecoder().decode(proc.mem.read(page + 100, 9)));
      await say('directory', proc.open('/tmp', 0));
      await say('made directory', proc.open('/tmp/', O_RDWR | O_CREAT));
      await say('through a file', proc.open('/tmp/a/b', O_CREAT));
      await say('empty', proc.open('', O_CREAT));
      await say('long', proc.open('x'.repeat(5000), O_CREAT));
      await say('fraction', proc.open('/tmp/a', 0.5));
      await say(
        'path',
        proc.open('/tmp/a', O_PATH).then((at) => proc.read(at, page, 1)),
      );
      await say('unlink', proc.unlink('/tmp/a'));
      await say('unlink again', proc.unlink('/tmp/a'));
      await say('unlink directory', proc.unlink('/dev'));
      await say('gone', proc.open('/tmp/a', 0));
      await say('kept', proc.pread(fd, page, 100, 5));
      await say(
        'new',
        proc.open('/tmp/a', O_RDWR | O_CREAT).then((at) => proc.fstat(at)),
      );
      const mapped = await proc.mmap(0, 4096, RW, MAP_SHARED, fd, 0);
      await proc.open('/tmp/a', O_RDWR | O_TRUNC);
      proc.print(String(proc.mem.load8(mapped)));
      await proc.ftruncate(fd, 0);
      await say('beyond', (async () => proc.mem.load8(mapped))());
    });
    expect(lines).toEqual([
      'missing: "ENOENT"',
      'again: "EEXIST"',
      'written: 9',
      'fstat: {"size":9,"kind":"memory"}',
      'read: 9',
      'some text',
      'directory: "EISDIR"',
      'made directory: "EISDIR"',
      'through a file: "ENOTDIR"',
      'empty: "ENOENT"',
      'long: "ENAMETOOLONG"',
      'fraction: "EINVAL"',
      'path: "EBADF"',
      'unlink: 0',
      'unlink again: "ENOENT"',
      'unlink directory: "EISDIR"',
      'gone: "ENOENT"',
      'kept: 4',
      'new: {"size":0,"kind":"memory"}',
      '115',
      'beyond: "BUS_ADRERR"',
    ]);
  });

  it('gives memory of a memfd back when nobody uses it any more', async () => {
    const { machine, lines } = await start({ cpus: 1 });
    const process = await machine.spawn(
      program(async (proc: Proc) => {
        for (let i = 0; i < 20; i++) {
          const fd = await proc.memfdCreate(`scratch ${i}`);
          await proc.ftruncate(fd, 64 * 4096);
          const at = await proc.mmap(0, 64 * 4096, RW, MAP_SHARED, fd, 0);
          proc.mem.fill(at, i, 64 * 4096);
          await proc.close(fd);
          if (i < 19) await proc.munmap(at, 64 * 4096);
        }
        for (const [name, flags] of [['x'.repeat(250), 0] as const, ['x', 64] as const]) {
          await proc
            .memfdCreate(name, flags)
            .catch((error: { code?: string }) => proc.print(String(error.code)));
        }
        await sleep(50);
        await proc.nanosleep(1e9);
      }),
    );
    await expect.poll(() => lines).toEqual(['EINVAL', 'EINVAL']);
    expect(await machine.maps(process.pid)).toContain('/memfd:scratch 19 (deleted)');
    await expect.poll(async () => (await machine.audit()).checked['objects']).toBe(1);
    await process.kill();
    await sleepMs(50);
    // The frame of the mapping records stays.
    await expectClean(machine, 1);
  });
});

function sleepMs(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

describe('transfers', () => {
  it('read a large host file in one call, and several at once one after the other', async () => {
    const bytes = Uint8Array.from({ length: 3_000_000 }, (_, i) => (i * 7 + (i >> 12)) & 0xff);
    writeFileSync(join(folder, 'large'), bytes);
    const lines = await run(
      async (proc: Proc) => {
        const at = await proc.mmap(0, 3_000_000, RW, ANON);
        const fd = await proc.open('large');
        proc.print(String(await proc.read(fd, at, 5_000_000)));
        const sum = proc.mem.read(at, 3_000_000).reduce((total, byte) => (total + byte) | 0, 0);
        proc.print(String(sum));
        await proc.lseek(fd, 0, 0);
        const reads = [proc.read(fd, at, 1_000_000), proc.read(fd, at + 1_000_000, 1_500_000)];
        proc.print(String(await Promise.all(reads)));
        const again = proc.mem.read(at, 2_500_000).reduce((total, byte) => (total + byte) | 0, 0);
        proc.print(String(again));
      },
      { files: { large: join(folder, 'large') } },
    );
    const sum = (end: number): number => bytes.subarray(0, end).reduce((a, b) => (a + b) | 0, 0);
    expect(lines.slice(0, 2)).toEqual(['3000000', String(sum(3_000_000))]);
    expect(lines[2]).toBe('1000000,1500000');
    expect(lines[3]).toBe(String(sum(2_500_000)));
  });
});

describe('host files that may be written', () => {
  it('have what was written when msync, close, munmap and the end have answered', async () => {
    const path = hostFile('w1', 'a'.repeat(10_000));
    const { machine, lines } = await start({ cpus: 1, files: { f: { path, writable: true } } });
    const process = await machine.spawn(
      program(async (proc: Proc) => {
        const fd = await proc.open('f', 2);
        const at = await proc.mmap(0, 12_288, RW, MAP_SHARED, fd, 0);
        const turn = async (name: string): Promise<void> => {
          proc.print(name);
          await proc.nanosleep(150e6);
        };
        proc.mem.store8(at, 0x41);
        await proc.msync(at, 4096, 4);
        await turn('synced');
        proc.mem.store8(at + 4096, 0x42);
        proc.mem.store8(at + 10_001, 0x5a);
        await proc.munmap(at + 4096, 8192);
        await turn('unmapped');
        await proc.pwrite(fd, at, 1, 11_999);
        await proc.close(fd);
        await turn('closed');
        proc.mem.store8(at + 1, 0x43);
      }),
    );
    const seen = (): string => readFileSync(path, 'latin1');
    await expect.poll(() => lines).toEqual(['synced']);
    expect(seen()).toBe(`A${'a'.repeat(9_999)}`);
    await expect.poll(() => lines.length).toBe(2);
    expect(seen()).toBe(`A${'a'.repeat(4_095)}B${'a'.repeat(5_903)}`);
    await expect.poll(() => lines.length).toBe(3);
    const after = seen();
    expect(after.length).toBe(12_000);
    // A mapping's bytes behind the end do not appear when the file grows.
    expect(after.slice(10_000)).toBe(`${'\0'.repeat(1_999)}A`);
    expect(await process.wait()).toEqual({ code: 0 });
    expect(seen().slice(0, 2)).toBe('AC');
    expect((await machine.audit()).violations).toEqual([]);
  });

  it('shrink and grow with ftruncate, and hear of stores without being asked', async () => {
    const path = hostFile('w2', 'b'.repeat(20_000));
    const { machine } = await start({ cpus: 1, files: { f: { path, writable: true } } });
    const process = await machine.spawn(
      program(async (proc: Proc) => {
        const fd = await proc.open('f', 2);
        await proc.ftruncate(fd, 5_000);
        await proc.ftruncate(fd, 9_000);
        const at = await proc.mmap(0, 12_288, RW, MAP_SHARED, fd, 0);
        if (proc.mem.load8(at + 6_000) !== 0) return 1;
        proc.mem.store8(at + 4_999, 0x45);
        await proc.nanosleep(60e9);
        return 0;
      }),
    );
    await expect
      .poll(() => readFileSync(path, 'latin1'), { timeout: 5000 })
      .toBe(`${'b'.repeat(4_999)}E${'\0'.repeat(4_000)}`);
    await process.kill();
    expect((await machine.audit()).violations).toEqual([]);
  });

  it('lose nothing when the machine is shut down', async () => {
    const path = hostFile('w4', 'b'.repeat(20_000));
    const lines: string[] = [];
    const files = { f: { path, writable: true } };
    const machine = await boot({ cpus: 1, files, onPrint: (line) => lines.push(line) });
    await machine.spawn(
      program(async (proc: Proc) => {
        const fd = await proc.open('f', 2);
        const at = await proc.mmap(0, 12_288, RW, MAP_SHARED, fd, 0);
        proc.mem.store8(at, 0x46);
        await proc.ftruncate(fd, 8_000);
        proc.print('written');
        await proc.nanosleep(60e9);
      }),
    );
    await expect.poll(() => lines).toEqual(['written']);
    await machine.shutdown();
    expect(readFileSync(path, 'latin1')).toBe(`F${'b'.repeat(7_999)}`);
  });

  it('are refused where they cannot be written, and opened for reading by default', async () => {
    const path = hostFile('w3', 'text');
    const lines = await run(
      async (proc: Proc) => {
        for (const flags of [1, 2, 0o1000]) {
          await proc
            .open('f', flags)
            .catch((error: { code?: string }) => proc.print(String(error.code)));
        }
      },
      { files: { f: { path, writable: false } } },
    );
    expect(lines).toEqual(['EACCES', 'EACCES', 'EACCES']);
    const missing = { path: join(folder, 'missing'), writable: true };
    await expect(boot({ files: { f: missing } })).rejects.toThrow('open: ENOENT');
    await expect(boot({ files: { f: { path: 7 } as never } })).rejects.toThrow(
      '{ path, writable }',
    );
  });

  it('answer EIO and say why when the host refuses a page', async () => {
    const { machine, lines } = await start({
      cpus: 1,
      files: { full: { path: '/dev/full', writable: true } },
    });
    const process = await machine.spawn(
      program(async (proc: Proc) => {
        const fd = await proc.open('full', 2);
        const at = await proc.mmap(0, 4096, RW, ANON);
        await proc.write(fd, at, 10);
        const mapped = await proc.mmap(0, 4096, RW, MAP_SHARED, fd, 0);
        await proc
          .msync(mapped, 4096, 4)
          .catch((error: { code?: string }) => proc.print(String(error.code)));
      }),
    );
    expect(await process.wait()).toEqual({ code: 0 });
    expect(lines).toContain('EIO');
    expect(lines.some((line) => line.includes('full: not written back: '))).toBe(true);
    expect((await machine.audit()).violations).toEqual([]);
  });
});
