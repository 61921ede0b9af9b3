/**
 * Goal: forked processes have memory of their own that began as their parent's, under every
 * protocol and way of faulting. Method: whole machines with real Workers, audited at the end.
 */
import { PROTOCOL_NAMES } from 'faultline/kernel';
import { describe, expect, it } from 'vitest';
import { expectClean, start, threads } from '../support/worker-programs.ts';

const modes = PROTOCOL_NAMES.flatMap((protocol) =>
  (['local', 'remote'] as const).map((faults) => ({ protocol, faults })),
);

describe.each(modes)('fork under $protocol, faults $faults', (mode) => {
  it('gives the child the memory of that moment, and each its own from then on', async () => {
    const { machine, lines } = await start({ ...mode, cpus: 2 });
    const main = threads(
      async (proc) => {
        const own = await proc.mmap(0, 64 * 4096, RW, ANON);
        const shared = await proc.mmap(0, 4096, RW, 0x21);
        for (let i = 0; i < 64; i++) proc.mem.store32(own + i * 4096, i);
        const pid = await proc.fork('child', own, shared);
        for (let i = 0; i < 64; i++) proc.mem.store32(own + i * 4096, 1000 + i);
        const { status } = await proc.wait(pid);
        proc.print(`child ${status.code ?? status.signal}`);
        let bad = 0;
        for (let i = 0; i < 64; i++) if (proc.mem.load32(own + i * 4096) !== 1000 + i) bad++;
        return bad === 0 && proc.mem.load32(shared) === 64 ? 0 : 1;
      },
      {
        child: (proc, own: number, shared: number) => {
          let bad = 0;
          for (let i = 0; i < 64; i++) {
            if (proc.mem.load32(own + i * 4096) !== i) bad++;
            proc.mem.store32(own + i * 4096, -1);
            proc.mem.atomicAdd32(shared, 1);
          }
          return bad;
        },
      },
    );
    expect(await (await machine.spawn(main)).wait()).toEqual({ code: 0 });
    expect(lines).toEqual(['child 0']);
    // The first frame of mapping records stays.
    await expectClean(machine, 1);
  });
});

describe('fork', () => {
  it('is refused like clone where its entry is no name', async () => {
    const { machine } = await start({ cpus: 1 });
    const main = threads(async (proc) => {
      const refused = await proc.fork(7 as unknown as string).catch((error: unknown) => error);
      return refused instanceof TypeError ? 0 : 1;
    }, {});
    expect(await (await machine.spawn(main)).wait()).toEqual({ code: 0 });
    await expectClean(machine);
  });
});
