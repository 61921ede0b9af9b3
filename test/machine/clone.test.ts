/**
 * Goal: threads of one address space on different CPUs see one memory, never an outdated one, end
 * alone, and leave nothing behind. Method: whole machines with real Workers, audited at the end.
 */
import { PROTOCOL_NAMES } from 'faultline/kernel';
import { describe, expect, it } from 'vitest';
import { expectClean, start, threads } from '../support/worker-programs.ts';

const modes = PROTOCOL_NAMES.flatMap((protocol) =>
  (['local', 'remote'] as const).map((faults) => ({ protocol, faults })),
);

describe.each(modes)('threads under $protocol, faults $faults', (mode) => {
  it('add to one word from two CPUs', async () => {
    const { machine, lines } = await start({ ...mode, cpus: 2 });
    const main = threads(
      async (proc) => {
        const at = await proc.mmap(0, 4096, RW, ANON);
        const pid = await proc.clone('adder', { args: [at] });
        for (let i = 0; i < 2000; i++) proc.mem.atomicAdd32(at, 1);
        const { status } = await proc.wait(pid);
        proc.print(`${proc.cpu} ${status.code ?? status.signal}`);
        return proc.mem.load32(at) === 4000 ? 0 : 1;
      },
      {
        adder: (proc, at: number) => {
          for (let i = 0; i < 2000; i++) proc.mem.atomicAdd32(at, 1);
          return proc.cpu;
        },
      },
    );
    expect(await (await machine.spawn(main)).wait()).toEqual({ code: 0 });
    // An idle CPU may take main over before it starts: which of the two it runs on is open.
    expect(['1 2', '2 1']).toContain(lines[0]);
    await expectClean(machine);
  });

  it('never see a page again that another unmapped', async () => {
    const { machine } = await start({ ...mode, cpus: 2 });
    const main = threads(
      async (proc) => {
        const flags = await proc.mmap(0, 4096, RW, ANON);
        const at = await proc.mmap(0, 4096, RW, ANON);
        const pid = await proc.clone('reader', { args: [flags, at] });
        while (proc.mem.load32(flags) === 0) await sleep(0);
        for (let i = 1; i <= 30; i++) {
          proc.mem.store32(at, i);
          proc.local.munmap(at, 4096);
          // From here on a read must fault, until the page is mapped again: then it reads 0 or i+1.
          proc.mem.atomicStore32(flags + 4, i);
          while (proc.mem.atomicLoad32(flags + 8) < i) await sleep(0);
          proc.local.mmap(at, 4096, RW, ANON | 0x10);
          proc.mem.atomicStore32(flags + 12, i);
          while (proc.mem.atomicLoad32(flags + 16) < i) await sleep(0);
        }
        proc.mem.store32(flags, 2);
        const { status } = await proc.wait(pid);
        return status.code ?? 99;
      },
      {
        reader: async (proc, flags: number, at: number) => {
          proc.mem.store32(flags, 1);
          const touch = (): number | string => {
            try {
              return proc.mem.load32(at);
            } catch (error) {
              const { signal, code, address } = error as {
                signal: string;
                code: string;
                address: number;
              };
              return `${signal} ${code} ${address === at}`;
            }
          };
          for (let i = 1; i <= 30; i++) {
            // Touches all the time, so that its TLB has the page when it goes.
            while (proc.mem.atomicLoad32(flags + 4) < i) touch();
            if (touch() !== 'SIGSEGV SEGV_MAPERR true') return 1;
            proc.mem.atomicStore32(flags + 8, i);
            while (proc.mem.atomicLoad32(flags + 12) < i) touch();
            if (touch() !== 0) return 2;
            proc.mem.atomicStore32(flags + 16, i);
          }
          return 0;
        },
      },
    );
    expect(await (await machine.spawn(main)).wait()).toEqual({ code: 0 });
    await expectClean(machine);
  });

  it('map, touch, protect and unmap beside each other', async () => {
    const { machine } = await start({ ...mode, cpus: 2 });
    const main = threads(
      async (proc) => {
        const shared = await proc.mmap(0, 16 * 4096, RW, ANON);
        const args = [shared];
        const pids = [await proc.clone('worker', { args }), await proc.clone('worker', { args })];
        let failed = 0;
        for (const pid of pids) {
          const { status } = await proc.wait(pid);
          if (status.code !== 0) failed++;
        }
        return failed;
      },
      {
        worker: async (proc, shared: number) => {
          const own = proc.local.mmap(0, 8 * 4096, RW, ANON);
          const fault = (access: () => void): string => {
            try {
              access();
              return 'none';
            } catch (error) {
              return String((error as { code?: unknown }).code);
            }
          };
          for (let i = 1; i <= 150; i++) {
            const page = own + (i % 8) * 4096;
            proc.mem.store32(page, i);
            proc.local.mprotect(page, 4096, PROT_READ);
            if (fault(() => proc.mem.store32(page, 0)) !== 'SEGV_ACCERR') return 1;
            if (proc.mem.load32(page) !== i) return 2;
            proc.local.munmap(page, 4096);
            if (fault(() => proc.mem.load32(page)) !== 'SEGV_MAPERR') return 3;
            const kernel = i % 50 === 0 ? proc : i % 10 === 0 ? proc.sync : proc.local;
            await kernel.mmap(page, 4096, RW, ANON | 0x10);
            if (proc.mem.load32(page) !== 0) return 4;
            // Where both work at once only errors of the machine itself can be told apart.
            const both = shared + ((i * 7) % 14) * 4096;
            await kernel.mmap(both, 2 * 4096, RW, ANON | 0x10);
            fault(() => proc.mem.store32(both, i));
            await kernel.mprotect(both, 4096, PROT_READ);
            fault(() => proc.mem.load32(both + 4096));
            await kernel.munmap(both + 4096, 4096);
            await kernel.mmap(both + 4096, 4096, RW, ANON | 0x10);
          }
          return 0;
        },
      },
    );
    expect(await (await machine.spawn(main)).wait()).toEqual({ code: 0 });
    await expectClean(machine);
  });
});
