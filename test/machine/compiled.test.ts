/*
 * Goal: machines that ask for the compiled kernel run it under each locking protocol and flush
 * policy, and those that cannot run it run JavaScript. Method: a program in a Worker faults, forks,
 * copies on write and takes pages away; the audit sees the machine, and `stats` says what ran.
 */
import type { BootOptions } from 'faultline';
import { PROTOCOL_NAMES } from 'faultline/kernel';
import { describe, expect, it } from 'vitest';
import { FLUSH_POLICIES } from '../../kernel/machine/flush-policies.ts';
import { expectClean, start, threads } from '../support/worker-programs.ts';

/** More pages than one table has entries. */
const main = threads(
  async (proc) => {
    const own = await proc.mmap(0, 1100 * 4096, RW, ANON);
    for (let i = 0; i < 1100; i++) proc.mem.store32(own + i * 4096, i);
    const pid = await proc.fork('child', own);
    for (let i = 0; i < 1100; i++) proc.mem.store32(own + i * 4096, 5000 + i);
    const { status } = await proc.wait(pid);
    await proc.munmap(own, 10 * 4096);
    let bad = status.code === 0 ? 0 : 1;
    for (let i = 10; i < 1100; i++) if (proc.mem.load32(own + i * 4096) !== 5000 + i) bad++;
    return bad;
  },
  {
    child: (proc, own: number) => {
      let bad = 0;
      for (let i = 0; i < 1100; i++) if (proc.mem.load32(own + i * 4096) !== i) bad++;
      return bad;
    },
  },
);

async function kernelOf(options: BootOptions): Promise<string> {
  const { machine } = await start({ cpus: 2, ...options });
  expect(await (await machine.spawn(main)).wait()).toEqual({ code: 0 });
  await expectClean(machine);
  return (await machine.stats()).kernel;
}

describe('the compiled kernel', () => {
  it.each(PROTOCOL_NAMES.map((protocol, i) => ({ protocol, shootdown: FLUSH_POLICIES[i % 3] })))(
    'runs under $protocol, shootdown $shootdown',
    async ({ protocol, shootdown = 'sync' }) => {
      expect(await kernelOf({ protocol, shootdown, compiled: true })).toBe('wasm');
    },
  );

  it('leaves a user’s protocol to JavaScript', async () => {
    const protocol = new URL('../../docs/examples/split-protocol.ts', import.meta.url);
    expect(await kernelOf({ protocol, compiled: true })).toBe('javascript');
  });

  it('runs where it is asked for', async () => {
    expect(await kernelOf({ compiled: false })).toBe('javascript');
  });
});
