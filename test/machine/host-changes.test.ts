/*
 * Goal: host files that are cut, grown or rewritten under a machine, files without a size, and what
 * is no file at all. Method: the test changes the file while a program waits.
 */
import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Proc } from 'faultline';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { program, start } from '../support/worker-programs.ts';

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'faultline-changes-'));
});

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** Says what it sees, waits for the test to change the file, and says it again. */
const watcher = program(async (proc: Proc) => {
  const fd = await proc.open('f');
  const at = await proc.mmap(0, 40 * 4096, PROT_READ, MAP_SHARED, fd, 0);
  const buffer = await proc.mmap(0, 4096, RW, ANON);
  const touch = (page: number): number | string => {
    try {
      return proc.mem.load8(at + page * 4096);
    } catch (error) {
      return (error as { signal: string }).signal;
    }
  };
  const see = async (): Promise<void> => {
    const read = await proc.pread(fd, buffer, 10, 30 * 4096);
    const { size } = await proc.fstat(fd);
    proc.print(JSON.stringify([touch(0), touch(30), read, size / 4096]));
  };
  await see();
  await sleep(150);
  await see();
  return 0;
});

async function seen(change: (path: string) => void): Promise<unknown[]> {
  const path = join(folder, 'f');
  writeFileSync(path, Buffer.alloc(32 * 4096, 1));
  const { machine, lines } = await start({ cpus: 1, files: { f: path } });
  const process = await machine.spawn(watcher);
  while (lines.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  change(path);
  expect(await process.wait()).toEqual({ code: 0 });
  expect((await machine.audit()).violations).toEqual([]);
  const rows = lines.filter((line) => line.startsWith('['));
  expect(JSON.parse(rows[0] as string)).toEqual([1, 1, 10, 32]);
  expect(lines.some((line) => line.includes('changed on the host'))).toBe(true);
  return JSON.parse(rows[1] as string) as unknown[];
}

describe('a host file that changes while it is mapped', () => {
  it('cut: SIGBUS beyond the end, nothing to read there, the new size', async () => {
    expect(await seen((path) => truncateSync(path, 8 * 4096))).toEqual([1, 'SIGBUS', 0, 8]);
  });

  it('grown: the new size', async () => {
    const row = await seen((path) => appendFileSync(path, Buffer.alloc(4 * 4096, 2)));
    expect(row).toEqual([1, 1, 10, 36]);
  });

  it('rewritten: the new contents', async () => {
    const row = await seen((path) => writeFileSync(path, Buffer.alloc(32 * 4096, 5)));
    expect(row).toEqual([5, 5, 10, 32]);
  });
});

describe('what is given as a file', () => {
  it.runIf(process.platform === 'linux')('may be one of /proc, which says no size', async () => {
    const { machine, lines } = await start({ cpus: 1, files: { cpuinfo: '/proc/cpuinfo' } });
    const reader = program(async (proc: Proc) => {
      const fd = await proc.open('cpuinfo');
      const { size } = await proc.fstat(fd);
      const at = await proc.mmap(0, 4096, PROT_READ, MAP_PRIVATE, fd, 0);
      proc.print(`${size > 100} ${new TextDecoder().decode(proc.mem.read(at, 9))}`);
      return 0;
    });
    const process = await machine.spawn(reader);
    expect(await process.wait()).toEqual({ code: 0 });
    expect(lines).toEqual(['true processor']);
  });

  it.runIf(process.platform === 'linux').each([
    ['/dev/zero', 'EINVAL'],
    ['/dev', 'EISDIR'],
    ['FIFO', 'EINVAL'],
  ])('must be a file: %s', async (given, code) => {
    const path = given === 'FIFO' ? join(folder, 'fifo') : given;
    if (given === 'FIFO') execFileSync('mkfifo', [path]);
    await expect(start({ cpus: 1, files: { f: path } })).rejects.toMatchObject({ code });
  });
});
