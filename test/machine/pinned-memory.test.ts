/**
 * Goal: typed arrays over pinned memory are the memory that the program loads and stores; another
 * process's memory is reached by process_vm_readv and /proc/PID/mem. Method: whole machines,
 * audited at the end.
 */
import { describe, expect, it } from 'vitest';
import type { Proc } from 'faultline';
import { expectClean, program, start, threads } from '../support/worker-programs.ts';

describe('proc.mem.pin', () => {
  it('gives the memory itself, until it is unpinned', async () => {
    const { machine, lines } = await start({ cpus: 1 });
    const main = program(async (proc) => {
      const { mem } = proc;
      const at = await proc.mmap(0, 300 * 4096, RW, ANON);
      const pin = mem.pin(at + 100, 299 * 4096);
      const bytes = pin.parts.reduce((sum, part) => sum + part.length, 0);
      pin.parts[0]![0] = 7;
      mem.store8(at + 101, 9);
      const status = await proc.open('/proc/self/status');
      const got = await proc.read(status, at + 4096, 4096);
      const text = new TextDecoder().decode(mem.read(at + 4096, got));
      proc.print(
        `${bytes} ${mem.load8(at + 100)} ${pin.parts[0]![1]} ${/VmPin:\s+(\d+)/.exec(text)![1]}`,
      );
      pin.unpin();
      pin.unpin();
      const codes = [0, at + 300 * 4096].map((bad) => {
        try {
          mem.pin(bad, 4096);
          return 'pinned';
        } catch (error) {
          return (error as { code: string }).code;
        }
      });
      proc.print(codes.join(' '));
      // What is left ends with the process.
      mem.pin(at, 5 * 4096, false);
    });
    expect(await (await machine.spawn(main)).wait()).toEqual({ code: 0 });
    expect(lines).toEqual([`${299 * 4096} 7 9 1200`, 'SEGV_MAPERR SEGV_MAPERR']);
    await new Promise((resolve) => setTimeout(resolve, 100));
    await expectClean(machine);
  });
});

describe("another process's memory", () => {
  it('is read and written by force, and copied', async () => {
    const { machine, lines } = await start({ cpus: 2 });
    const main = threads(
      async (proc: Proc) => {
        const at = await proc.mmap(0, 8192, RW, ANON);
        proc.mem.store32(at, 7);
        await proc.mprotect(at, 4096, PROT_READ);
        const child = await proc.fork('child');
        const fd = await proc.open(`/proc/${child}/mem`, 2);
        const to = at + 4096;
        proc.mem.store32(to, 9);
        await proc.pwrite(fd, to, 4, at);
        await proc.pread(fd, to + 4, 4, at);
        proc.mem.store64(to + 200, BigInt(to + 8));
        proc.mem.store64(to + 208, 4n);
        proc.mem.store64(to + 300, BigInt(at));
        proc.mem.store64(to + 308, 4n);
        const copied = [
          proc.local.processVmReadv(child, to + 200, 1, to + 300, 1),
          proc.sync.processVmReadv(child, to + 200, 1, to + 300, 1),
          await proc.processVmReadv(child, to + 200, 1, to + 300, 1),
        ];
        const words = [at, to + 4, to + 8].map((address) => proc.mem.load32(address));
        const refused = await proc
          .open('/proc/99999/mem', 2)
          .catch((error: unknown) => (error as { code: string }).code);
        proc.print([...copied, ...words, refused].join(' '));
        await proc.kill(child);
        await proc.wait();
        proc.print(String(await proc.pread(fd, to, 4, at)));
      },
      { child: () => sleep(60_000) },
    );
    expect(await (await machine.spawn(main)).wait()).toEqual({ code: 0 });
    expect(lines).toEqual(['4 4 4 7 9 9 ENOENT', '0']);
    await new Promise((resolve) => setTimeout(resolve, 100));
    await expectClean(machine);
  });
});
