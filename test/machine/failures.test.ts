/**
 * Goal: whatever a program does, its own end says so, its neighbours live on, and nothing leaks.
 * Method: the program under test shares one CPU with a neighbour that must finish its work.
 */
import { KernelPanic, MachineStopped } from 'faultline';
import * as BOOT from '../../shared/layout/boot.ts';
import * as CPU from '../../shared/layout/cpu.ts';
import type { ExitStatus, MachineHandle, Proc } from 'faultline';
import { describe, expect, it } from 'vitest';
import { expectClean, module, program, start } from '../support/worker-programs.ts';

/** Adds up a page, slowly, until it is told to finish by a word that the test cannot see. */
const neighbour = program(async (proc: Proc, rounds: number) => {
  const at = await proc.mmap(0, 4096, RW, ANON);
  for (let round = 0; round < rounds; round++) {
    proc.mem.store32(at, proc.mem.load32(at) + 1);
    await sleep(1);
  }
  return proc.mem.load32(at) === rounds ? 0 : 1;
});

const idle = program(async () => {
  await sleep(60_000);
});

/** Runs `url` beside a neighbour on the only CPU. */
async function runBeside(url: string, machine: MachineHandle): Promise<ExitStatus> {
  const beside = await machine.spawn(neighbour, { args: [30] });
  const child = await machine.spawn(url);
  const status = await child.wait();
  expect(await beside.wait()).toEqual({ code: 0 });
  return status;
}

describe('a program that fails', () => {
  it.each<[string, string, ExitStatus]>([
    ['exits non-zero', program(() => 7), { code: 7 }],
    [
      'calls exit and goes on',
      program((proc: Proc) => {
        try {
          proc.exit(9);
        } catch {
          proc.print('not printed');
        }
        return 1;
      }),
      { code: 9 },
    ],
    [
      'throws',
      program(() => {
        throw new RangeError('too far\nat all');
      }),
      { signal: 'SIGABRT', reason: 'RangeError: too far' },
    ],
    [
      'rejects with text',
      module("export default () => Promise.reject('no')"),
      { signal: 'SIGABRT', reason: 'no' },
    ],
    [
      'does not catch a SyscallError',
      program(async (proc: Proc) => {
        await proc.munmap(1, 1);
      }),
      { signal: 'SIGABRT', reason: 'SyscallError: munmap: EINVAL, invalid argument' },
    ],
    [
      'does not await a call that fails',
      program(async (proc: Proc) => {
        void proc.munmap(1, 1);
        await sleep(60_000);
      }),
      { signal: 'SIGABRT', reason: 'SyscallError: munmap: EINVAL, invalid argument' },
    ],
    [
      'faults in a timer',
      program(async (proc: Proc) => {
        setTimeout(() => proc.mem.store8(16, 1));
        await sleep(60_000);
      }),
      {
        signal: 'SIGSEGV',
        faultCode: 'SEGV_MAPERR',
        address: 16,
        reason: 'write refused',
      },
    ],
    [
      'calls the kernel wrongly in a timer',
      program(async (proc: Proc) => {
        setTimeout(() => proc.sync.close(77));
        await sleep(60_000);
      }),
      { signal: 'SIGABRT', reason: 'SyscallError: close: EBADF, bad file descriptor' },
    ],
    [
      'dereferences null',
      program((proc: Proc) => proc.mem.load32(0)),
      {
        signal: 'SIGSEGV',
        faultCode: 'SEGV_MAPERR',
        address: 0,
        reason: 'read refused',
      },
    ],
    [
      'writes a read-only page',
      program((proc: Proc) => {
        proc.mem.store8(proc.local.mmap(0x10000, 4096, PROT_READ, ANON | 0x10) + 5, 1);
      }),
      {
        signal: 'SIGSEGV',
        faultCode: 'SEGV_ACCERR',
        address: 0x10005,
        reason: 'write refused',
      },
    ],
    [
      'throws in its SIGSEGV handler',
      program((proc: Proc) => {
        proc.sigaction('SIGSEGV', ({ code, access }) => {
          throw new Error(`${code} ${access}`);
        });
        proc.mem.store8(0, 1);
      }),
      { signal: 'SIGABRT', reason: 'Error: SEGV_MAPERR write' },
    ],
    [
      'uses an address that is no integer',
      program((proc: Proc) => proc.mem.load8(0.5)),
      {
        signal: 'SIGABRT',
        reason: 'RangeError: an address must be an integer, got 0.5',
      },
    ],
    [
      'exhausts memory',
      program(async (proc: Proc) => {
        const at = await proc.mmap(0, 1 << 30, RW, ANON);
        for (let page = 0; ; page++) proc.mem.store32(at + page * 4096, 1);
      }),
      { signal: 'SIGKILL', reason: 'out of memory' },
    ],
    [
      'is no program',
      module('export default 5'),
      {
        signal: 'SIGABRT',
        reason: 'its module has no default export that is a function',
      },
    ],
    [
      'does not parse',
      module('export default {'),
      {
        signal: 'SIGABRT',
        reason: 'its module did not load: SyntaxError: Unexpected end of input',
      },
    ],
  ])('%s', async (_name, url, expected) => {
    const { machine, lines } = await start({ cpus: 1, memory: '2MiB' });
    expect(await runBeside(url, machine)).toMatchObject(expected);
    expect(lines).toEqual([]);
    await expectClean(machine);
  });

  it('retries an access whose handler repaired it', async () => {
    const { machine } = await start({ cpus: 1 });
    const main = program((proc: Proc) => {
      let faults = 0;
      proc.sigaction('SIGSEGV', ({ address }) => {
        faults++;
        proc.sync.mmap(address - (address % 4096), 4096, RW, ANON | 0x10);
      });
      proc.mem.store32(0x20004, 5);
      return proc.mem.load32(0x20004) * 10 + faults;
    });
    expect(await runBeside(main, machine)).toEqual({ code: 51 });
  });
});

describe('a killed process', () => {
  it.each([
    ['awaits', idle],
    ['awaits a syscall', module('export default (proc) => proc.nanosleep(6e10)')],
    [
      'computes in memory',
      program((proc: Proc) => {
        const at = proc.local.mmap(0, 4096, RW, ANON);
        for (;;) proc.mem.store32(at, proc.mem.load32(at) + 1);
      }),
    ],
    [
      'traps all the time',
      program((proc: Proc) => {
        for (;;) proc.sync.getpid();
      }),
    ],
    [
      'calls the kernel all the time',
      program((proc: Proc) => {
        for (;;) proc.local.munmap(proc.local.mmap(0, 4096, RW, ANON), 4096);
      }),
    ],
    [
      'catches everything',
      program(async (proc: Proc) => {
        const at = await proc.mmap(0, 4096, RW, ANON);
        for (;;) {
          try {
            for (;;) proc.mem.store32(at, 1);
          } catch {
            await proc.schedYield();
          }
        }
      }),
    ],
  ])('that %s is gone when kill returns', async (_name, url) => {
    const { machine } = await start({ cpus: 2 });
    const first = await machine.spawn(idle);
    const child = await machine.spawn(url);
    await new Promise((resolve) => setTimeout(resolve, 50));
    await child.kill('SIGTERM');
    expect(await child.wait()).toEqual({ signal: 'SIGTERM' });
    await child.kill();
    await expect(child.kill('SIGHUP' as never)).rejects.toMatchObject({ code: 'EINVAL' });
    await first.kill();
    await expectClean(machine);
  });

  it('that never lets go takes its Worker with it, which is replaced', async () => {
    const { machine } = await start({ cpus: 1 });
    const beside = await machine.spawn(idle);
    const child = await machine.spawn(
      program(() => {
        for (;;);
      }),
    );
    await new Promise((resolve) => setTimeout(resolve, 50));
    await child.kill();
    const reason = `its Worker died: process ${child.pid} did not react to SIGKILL for 500 ms`;
    expect(await child.wait()).toEqual({ signal: 'SIGKILL', reason });
    expect(await beside.wait()).toEqual({ signal: 'SIGKILL', reason });
    const next = await machine.spawn(neighbour, { args: [3] });
    expect(await next.wait()).toEqual({ code: 0 });
    await expectClean(machine);
  });

  it('does not run on in its timers, nor harm others by them', async () => {
    const { machine, lines } = await start({ cpus: 1 });
    const main = program(async (proc: Proc) => {
      const at = await proc.mmap(0, 4096, RW, ANON);
      setInterval(() => proc.mem.store32(at, 1), 1);
      setInterval(() => proc.print('still here'), 1);
      setInterval(() => void proc.munmap(at, 4096), 1);
      setInterval(() => proc.exit(3), 1);
      proc.exit(4);
    });
    expect(await runBeside(main, machine)).toEqual({ code: 4 });
    expect(lines).toEqual([]);
    await expectClean(machine);
  });
});

describe('a Worker that dies', () => {
  it.each([
    ['its host', module('export default () => process.reallyExit(3);'), 'it exited with code 3'],
  ])('of %s ends its processes and is replaced', async (_name, url, cause) => {
    const { machine } = await start({ cpus: 2 });
    const elsewhere = await machine.spawn(neighbour, { args: [100] });
    const child = await machine.spawn(url);
    expect(await child.wait()).toEqual({ signal: 'SIGKILL', reason: `its Worker died: ${cause}` });
    for (let i = 0; i < 4; i++) {
      const next = await machine.spawn(neighbour, { args: [3] });
      expect(await next.wait()).toEqual({ code: 0 });
    }
    expect(await elsewhere.wait()).toEqual({ code: 0 });
    expect((await machine.dmesg()).join('\n')).toContain('CPU 2 lost its Worker; ');
    await expectClean(machine);
  });

  it('while its process waits in a trap leaves no answer behind', async () => {
    const backend = module(`export default {
      sizeBytes: 4096,
      readPage: () => new Promise((resolve) => setTimeout(resolve, 300)),
    }`);
    const { machine } = await start({ cpus: 1, backends: { slow: backend } });
    const main = program(async (proc: Proc) => {
      const at = await proc.mmap(0, 4096, PROT_READ, MAP_PRIVATE, await proc.open('/backend/slow'));
      return proc.mem.load8(at);
    });
    const child = await machine.spawn(main, { dedicated: true });
    await new Promise((resolve) => setTimeout(resolve, 100));
    await child.kill();
    expect(await child.wait()).toEqual({ signal: 'SIGKILL' });
    const next = await machine.spawn(main, { dedicated: true });
    expect(await next.wait()).toEqual({ code: 0 });
  });

  it('is one of its own for a dedicated process, and gone after it', async () => {
    const { machine } = await start({ cpus: 1 });
    const cpu = program((proc: Proc) => proc.cpu);
    const own = await machine.spawn(cpu, { dedicated: true });
    expect(await own.wait()).toEqual({ code: 2 });
    const all = await Promise.all(
      Array.from({ length: 8 }, () => machine.spawn(idle, { dedicated: true })),
    );
    await expect(machine.spawn(idle, { dedicated: true })).rejects.toMatchObject({
      code: 'EAGAIN',
    });
    await Promise.all(all.map((child) => child.kill()));
    await expectClean(machine);
  });
});

it.each(['local', 'remote'] as const)(
  'kills at any moment and leaves no trace (faults %s)',
  async (faults) => {
    const { machine } = await start({ cpus: 3, faults, files: { file: new Uint8Array(500_000) } });
    const busy = program(async (proc: Proc, seed: number) => {
      let state = seed;
      const random = (bound: number): number =>
        (state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff) % bound;
      const shared = await proc.mmap(0, 65536, RW, SHARED_ANON);
      const fd = await proc.open('file');
      for (;;) {
        const way = [proc, proc.sync, proc.local][random(3)]!;
        const length = 4096 * (1 + random(40));
        const [flags, source] = random(2) === 0 ? [ANON, -1] : [MAP_PRIVATE, fd];
        const at = await way.mmap(0, length, RW, flags, source);
        for (let i = random(20); i > 0; i--) {
          proc.mem.store32(at, i);
          proc.mem.atomicAdd32(shared + 4 * random(1000), i);
        }
        await way.munmap(at, length);
      }
    });
    const killMany = async (seed: number): Promise<void> => {
      for (let i = 0; i < 12; i++) {
        const child = await machine.spawn(busy, { args: [seed * 100 + i], dedicated: i % 6 === 0 });
        await new Promise((resolve) => setTimeout(resolve, (seed * 7 + i * 11) % 30));
        await child.kill();
        expect(await child.wait()).toEqual({ signal: 'SIGKILL' });
      }
    };
    await Promise.all([1, 2, 3, 4].map(killMany));
    const { violations } = await machine.audit();
    expect(violations).toEqual([]);
  },
);

it('keeps a hundred short processes apart', async () => {
  const { machine } = await start({ cpus: 2, memory: '4MiB' });
  const children = await Promise.all(
    Array.from({ length: 100 }, () => machine.spawn(neighbour, { args: [3] })),
  );
  for (const child of children) expect(await child.wait()).toEqual({ code: 0 });
  await expectClean(machine);
});

describe('a broken machine', () => {
  /** Makes a CPU's mode word one that it cannot be in. */
  const breakCpu = (machine: MachineHandle, cpu: number): void => {
    const words = new Int32Array(machine.buffer);
    words[BOOT.WORDS + cpu * CPU.WORDS + CPU.MODE] = CPU.MODE_PARKED;
  };

  it('stops at a panic on a CPU, and says so to every caller', async () => {
    const { machine } = await start({ cpus: 1 });
    const beside = await machine.spawn(idle);
    const child = await machine.spawn(
      program(async (proc: Proc) => {
        await sleep(50);
        proc.local.munmap(4096, 4096);
      }),
    );
    breakCpu(machine, 1);
    await expect(child.wait()).rejects.toThrow(/enterKernel: from mode/);
    await expect(beside.wait()).rejects.toBeInstanceOf(KernelPanic);
    await expect(machine.stats()).rejects.toBeInstanceOf(KernelPanic);
    await machine.shutdown();
  });

  it('stops at a panic in the kernel worker', async () => {
    const { machine } = await start({ cpus: 1 });
    const beside = await machine.spawn(idle);
    breakCpu(machine, 0);
    // The call's own failure, or the machine's end when a tick was first.
    await expect(machine.maps(beside.pid)).rejects.toThrow('enterKernel: from mode');
    await expect(beside.wait()).rejects.toThrow(
      /^the kernel worker has died: KernelPanic: enterKernel: from mode/,
    );
    await expect(machine.stats()).rejects.toBeInstanceOf(MachineStopped);
  });

  it('stops when a module of its own kills the kernel worker', async () => {
    const device = module(`export default {
      sizeBytes: 4096,
      load: () => setTimeout(() => { throw new Error('boom'); }) && new Promise(() => {}),
      store: () => {},
    }`);
    const { machine } = await start({ cpus: 1, devices: { bomb: device } });
    const main = program(async (proc: Proc) => {
      const fd = await proc.open('/dev/bomb');
      return proc.mem.load8(await proc.mmap(0, 4096, PROT_READ, MAP_SHARED, fd));
    });
    const child = await machine.spawn(main);
    await expect(child.wait()).rejects.toThrow('the kernel worker has died: Error: boom');
  });
});
