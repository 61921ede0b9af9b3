/*
 * Goal: pages that the swap store does not take stay in memory, the process goes on, and the kernel
 * log and the counters say what happened. Method: a temporary folder that does not exist.
 */
import type { Proc } from 'faultline';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { expectClean, program, start } from '../support/worker-programs.ts';

let before: string | undefined;

beforeEach(() => {
  before = process.env['TMPDIR'];
  process.env['TMPDIR'] = '/nonexistent';
});

afterEach(() => {
  if (before === undefined) delete process.env['TMPDIR'];
  else process.env['TMPDIR'] = before;
});

it('a store that cannot be made harms nobody while there is memory', async () => {
  const { machine, lines } = await start({ cpus: 1, memory: '8MiB', swap: '8MiB' });
  const writer = program(async (proc: Proc) => {
    const at = await proc.mmap(0, 400 * 4096, RW, ANON);
    for (let i = 0; i < 400; i++) proc.mem.store32(at + i * 4096, i);
    for (let i = 0; i < 400; i++) if (proc.mem.load32(at + i * 4096) !== i) return 1;
    return 0;
  });
  const process = await machine.spawn(writer, { memoryMax: 256 * 4096 });
  expect(await process.wait()).toEqual({ code: 0 });
  const { counters } = await machine.stats();
  expect(counters['swapWriteErrors']).toBeGreaterThan(0);
  expect(lines.filter((line) => line.includes('cannot be written'))).toHaveLength(1);
  const log = await machine.dmesg();
  expect(log.join('\n')).toMatch(/swap: slot \d+ cannot be written: ENOENT; its page stays/);
  await expectClean(machine);
});
