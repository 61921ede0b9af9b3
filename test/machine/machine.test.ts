/** Goal: a whole machine in real Workers does what its public types say. */
import { spawn as spawnHost, spawnSync } from 'node:child_process';
import { writeFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { boot } from 'faultline';
import type { BootOptions, Proc } from 'faultline';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { expectClean, module, program, start } from '../support/worker-programs.ts';

afterEach(() => {
  vi.unstubAllGlobals();
});

describe('boot', () => {
  it.each<[string, BootOptions, string]>([
    ['memory', { memory: 3 }, "boot: memory must be 1MiB to 4GiB, in bytes or as '64MiB', got 3"],
    ['unit', { memory: '64MB' }, "in bytes or as '64MiB', got '64MB'"],
    ['cpus', { cpus: 0 }, 'boot: cpus must be an integer from 1 to 32, got 0'],
    ['faults', { faults: 'x' as never }, "boot: faults must be 'local' or 'remote', got 'x'"],
    ['protocol', { protocol: 'spin' }, "or a module's URL, got 'spin'"],
    ['seed', { seed: -1 }, 'boot: seed must be an integer from 0 to 4294967295, got -1'],
    ['unknown', { cpu: 2 } as never, "boot: unknown option 'cpu'"],
    ['file', { files: { a: 7 as never } }, "file 'a' must be a path, a Uint8Array or a Blob"],
    ['missing file', { files: { a: '/no/such' } }, 'open: ENOENT'],
    ['folder', { files: { a: '/' } }, "open: EISDIR, file 'a': / is a directory"],
    [
      'module',
      { devices: { d: module('export default 1') } },
      'is no object, nor a function of one',
    ],
  ])('refuses a bad %s in one sentence', async (_name, options, message) => {
    await expect(boot(options)).rejects.toThrow(message);
  });

  it('names both headers where SharedArrayBuffer is missing', async () => {
    vi.stubGlobal('SharedArrayBuffer', undefined);
    await expect(boot()).rejects.toThrow(
      /Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp/,
    );
  });

  it('takes a locking protocol from a module', async () => {
    const kernel = new URL('../../dist/kernel.js', import.meta.url).href;
    const protocol = module(
      `import { PROTOCOLS } from '${kernel}';
      export default { ...PROTOCOLS.global, name: 'mine' };`,
    );
    const { machine } = await start({ protocol });
    expect((await machine.stats()).protocol).toBe('mine');
    await expect(boot({ protocol: module('export default {}') })).rejects.toThrow(
      'has no method lockAreas',
    );
  });
});

describe('syscalls', () => {
  it.each(['global', 'rwlock', 'rcu'] as const)(
    'by comlink, by trap and locally agree under %s',
    async (protocol) => {
      const { machine, lines } = await start({ protocol });
      const calls = program(async (proc: Proc) => {
        type Calls = Record<string, (...args: number[]) => unknown>;
        for (const way of [proc, proc.sync, proc.local] as unknown as Calls[]) {
          const tell = async (name: string, ...args: number[]): Promise<void> => {
            try {
              proc.print(`${name} ${String(await way[name]!(...args))}`);
            } catch (error) {
              const { name: kind, code, errno, syscall } = error as Record<string, unknown>;
              proc.print(`${name} ${[kind, code, errno, syscall].map(String).join(' ')}`);
            }
          };
          const at = 0x400000;
          await tell('mmap', at, 8192, RW, ANON | 0x10);
          await tell('mprotect', at, 4096, PROT_READ);
          await tell('mmap', at, 4096, RW, ANON | 0x100000);
          await tell('mmap', 0, 0, RW, ANON);
          await tell('mmap', 0, 4096, RW, MAP_PRIVATE, 9);
          await tell('mprotect', at + 8192, 4096, RW);
          await tell('munmap', at + 1, 4096);
          await tell('munmap', at, 8192);
          await tell('getpid');
          await tell('schedYield');
          await tell('close', 9);
          await tell('munmap', 'x' as never, 4096);
          proc.print('-');
        }
      });
      const child = await machine.spawn(calls);
      expect(await child.wait()).toEqual({ code: 0 });
      const [first, second, third] = lines.join('\n').split('\n-\n');
      expect(first?.split('\n')).toEqual([
        'mmap 4194304',
        'mprotect 0',
        'mmap SyscallError EEXIST 17 mmap',
        'mmap SyscallError EINVAL 22 mmap',
        'mmap SyscallError EBADF 9 mmap',
        'mprotect SyscallError ENOMEM 12 mprotect',
        'munmap SyscallError EINVAL 22 munmap',
        'munmap 0',
        'getpid 1',
        'schedYield 0',
        'close SyscallError EBADF 9 close',
        'munmap TypeError undefined undefined undefined',
      ]);
      expect(second).toBe(first);
      expect(`${third}`.replace(/\n-$/, '')).toBe(first);
      const { syscalls } = await machine.stats();
      expect(syscalls.find(({ name }) => name === 'munmap')?.count).toBe(6);
      await expectClean(machine);
    },
  );

  it('let a parent wait for its children, who inherit shared memory and descriptors', async () => {
    const { machine, lines } = await start({ files: { text: new TextEncoder().encode('abc') } });
    const child = module(`export default (proc, { at, fd, add }) => {
      proc.mem.atomicAdd32(at, add);
      const file = proc.local.mmap(0, 4096, PROT_READ, MAP_PRIVATE, fd, 0);
      return proc.mem.load8(file);
    }`);
    const parent = module(`export default async (proc, child) => {
      const at = await proc.mmap(0, 4096, RW, SHARED_ANON);
      const fd = await proc.open('text');
      const pids = [];
      for (const add of [1, 10, 100]) {
        pids.push(await proc.spawn(child, { args: [{ at, fd, add }], inherit: true }));
      }
      const named = await proc.wait(pids[2]);
      proc.print(String(named.pid === pids[2]) + ' ' + named.status.code);
      const rest = [await proc.wait(), await proc.wait()].map(({ pid }) => pid).sort();
      proc.print(String(rest.join() === pids.slice(0, 2).join()));
      await proc.wait().catch((error) => proc.print(error.code));
      await proc.wait(pids[0]).catch((error) => proc.print(error.code));
      proc.print(String(proc.mem.load32(at)));
      const { size, kind } = await proc.fstat(fd);
      proc.print(size + ' ' + kind);
    }`);
    const handle = await machine.spawn(parent, { args: [child] });
    expect(await handle.wait()).toEqual({ code: 0 });
    expect(lines).toEqual(['true 97', 'true', 'ECHILD', 'ECHILD', '111', '3 file']);
  });

  it('spawn finds modules beside the program', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'faultline-test-'));
    const parent = `export default async (proc) => {
      const pid = await proc.spawn('./child.mjs', { args: ['four'] });
      const { status } = await proc.wait(pid);
      return status.code;
    }`;
    writeFileSync(join(folder, 'parent.mjs'), parent);
    writeFileSync(join(folder, 'child.mjs'), 'export default (proc, arg) => arg.length;');
    const { machine } = await start();
    const child = await machine.spawn(join(folder, 'parent.mjs'));
    expect(await child.wait()).toEqual({ code: 4 });
    const names = (await machine.stats()).processes.map(({ name }) => name);
    expect(names).toEqual(['parent', 'child']);
    rmSync(folder, { recursive: true });
  });

  it('kill, open, fstat, nanosleep and spawn refuse what they cannot do', async () => {
    const { machine, lines } = await start();
    const main = program(async (proc: Proc) => {
      const tell = (call: Promise<unknown>): Promise<void> =>
        call.then(
          (value) => proc.print(String(value)),
          (error: { message: string }) => proc.print(error.message),
        );
      await tell(proc.kill(99));
      await tell(proc.kill(proc.pid, 'SIGWINCH' as never));
      await tell(proc.open('nothing'));
      await tell(proc.fstat(3));
      await tell(proc.nanosleep(-1));
      await tell(proc.nanosleep(NaN));
      await tell(proc.nanosleep(1000));
      await tell(proc.wait());
    });
    const child = await machine.spawn(main);
    expect(await child.wait()).toEqual({ code: 0 });
    expect(lines).toEqual([
      'kill: ESRCH, no such process',
      'kill: EINVAL, invalid argument',
      'open: ENOENT, no such file or directory',
      'fstat: EBADF, bad file descriptor',
      'nanosleep: EINVAL, invalid argument',
      'nanosleep: EINVAL, invalid argument',
      '0',
      'wait: ECHILD, no child processes',
    ]);
  });
});

describe('a machine', () => {
  it('resolves faults in the kernel worker when asked to', async () => {
    const { machine } = await start({ faults: 'remote', files: { a: new Uint8Array(70_000) } });
    const main = program(async (proc: Proc) => {
      const at = await proc.mmap(0, 1 << 20, RW, ANON);
      for (let page = 0; page < 256; page++) proc.mem.store32(at + page * 4096, page);
      let sum = 0;
      for (let page = 0; page < 256; page++) sum += proc.mem.load32(at + page * 4096);
      const file = await proc.mmap(0, 70_000, PROT_READ, MAP_PRIVATE, await proc.open('a'));
      return sum === 32640 && proc.mem.load8(file + 69_999) === 0 ? 0 : 1;
    });
    const child = await machine.spawn(main);
    expect(await child.wait()).toEqual({ code: 0 });
    const { processes } = await machine.stats();
    expect(processes[0]).toMatchObject({ faultsMinor: 256, faultsMajor: 1 });
  });

  it('shows maps, smaps, stats and dmesg', async () => {
    const { machine, lines } = await start({ files: { text: new Uint8Array(5000) } });
    const main = program(async (proc: Proc) => {
      const at = await proc.mmap(0, 8192, RW, ANON);
      proc.mem.store8(at, 1);
      await proc.mmap(0, 8192, PROT_READ, MAP_PRIVATE, await proc.open('text'), 0);
      proc.print('ready');
      await sleep(60_000);
    });
    const child = await machine.spawn(main, { name: 'sleeper' });
    while (lines.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(await machine.maps(child.pid)).toMatch(/r--p 00000000 00:02 \d+ +text\n.* rw-p /);
    expect(await machine.smaps(child.pid)).toMatch(/Rss: +4 kB/);
    expect(await machine.statm(child.pid)).toMatch(/^\d+ 1 0 0 0 \d+ 0\n$/);
    expect(await machine.status(child.pid)).toMatch(/^Name:\tsleeper\nState:\tS \(sleeping\)\n/);
    expect(await machine.status(child.pid)).toMatch(/\nVmRSS:\t {7}4 kB\nRssAnon:\t {7}4 kB\n/);
    const touched = parseInt(/^(\w+)-\w+ rw-p/m.exec(await machine.maps(child.pid))?.[1] ?? '', 16);
    const [entry = 0n, untouched] = await machine.pagemap(child.pid, touched, 2);
    expect([entry >> 55n, untouched]).toEqual([0x102n, 0n]);
    await expect(machine.pagemap(child.pid, 1, 1)).rejects.toThrow(RangeError);
    await expect(machine.pagemap(child.pid, 0, 2 ** 20 + 1)).rejects.toThrow(RangeError);
    await expect(machine.pagemap(77, 0, 1)).rejects.toMatchObject({ code: 'ESRCH' });
    await expect(machine.maps(77)).rejects.toMatchObject({ code: 'ESRCH' });
    const report = await machine.stats();
    expect(report.processes).toMatchObject([{ name: 'sleeper', status: null, residentPages: 1 }]);
    await child.kill();
    expect(await child.wait()).toEqual({ signal: 'SIGKILL' });
    expect((await machine.dmesg()).join('\n')).toContain(`process ${child.pid} ended by SIGKILL`);
    // One frame of mapping records, one of objects.
    await expectClean(machine, 2);
  });

  it('reads files on demand, a window at a time, and more files later', async () => {
    const bytes = Uint8Array.from({ length: 300_000 }, (_, i) => i % 251);
    const { machine } = await start({ memory: '2MiB' });
    await machine.addFile('numbers', bytes);
    await machine.addFile('blob', new Blob([bytes]));
    await expect(machine.addFile('blob', bytes)).rejects.toMatchObject({ code: 'EEXIST' });
    const main = program(async (proc: Proc, name: string) => {
      const { size } = await proc.fstat(await proc.open(name));
      const at = await proc.mmap(0, size, RW, MAP_PRIVATE, 3, 0);
      for (let i = 0; i < size; i++) if (proc.mem.load8(at + i) !== i % 251) return 1;
      proc.mem.store8(at, 99);
      if (proc.mem.load8(at + size) !== 0) return 2;
      const again = await proc.mmap(0, size, PROT_READ, MAP_PRIVATE | POPULATE, 3, 0);
      return proc.mem.load8(again) === 0 ? 0 : 3;
    });
    for (const name of ['numbers', 'blob']) {
      const child = await machine.spawn(main, { args: [name] });
      expect(await child.wait()).toEqual({ code: 0 });
    }
    const [first] = (await machine.stats()).processes;
    // 74 pages in windows of 16.
    expect(first?.faultsMajor).toBe(5);
  });

  it('has devices, backends and linear regions', async () => {
    const device = module(`const seen = []; export default {
      sizeBytes: 4096,
      load: async (offset, width) => offset === 8 ? seen.length : (offset << 8) | width,
      store: (offset, width, value) => {
        if (offset === 12) throw new Error('no such register');
        seen.push([offset, width, value]);
      },
    };`);
    const backend = module(`export default () => ({
      sizeBytes: 3 * 4096,
      readPage: async (page, target) => {
        if (page === 2) throw new Error('bad sector');
        target.fill(page + 65);
      },
      map: (start, size, prot) => (prot & 4) === 0,
    });`);
    const { machine, lines } = await start({
      devices: { uart: device },
      backends: { gen: backend },
      linear: { fb: '16KiB' },
    });
    const main = program(async (proc: Proc) => {
      const { mem } = proc;
      const uart = await proc.mmap(0, 4096, RW, MAP_SHARED, await proc.open('/dev/uart', 2), 0);
      mem.store32(uart + 16, 0xfffffff0);
      mem.store8(uart + 20, 300);
      proc.print(`${mem.load32(uart + 8)} ${mem.load8(uart + 4)} ${mem.load16(uart + 6)}`);
      const fd = await proc.open('/backend/gen');
      const at = await proc.mmap(0, 3 * 4096, RW, MAP_PRIVATE, fd, 0);
      proc.print(String.fromCharCode(mem.load8(at), mem.load8(at + 4096)));
      for (const way of [proc, proc.local]) {
        try {
          await way.mmap(0, 4096, 5, MAP_PRIVATE, fd, 0);
        } catch (error) {
          proc.print((error as Error).message);
        }
      }
      const fb = await proc.mmap(0, 16384, RW, MAP_SHARED, await proc.open('/dev/fb', 2), 0);
      mem.store32(fb + 16380, 7);
      for (const address of [uart + 12, at + 2 * 4096]) {
        try {
          mem.store32(address, 1);
        } catch (error) {
          proc.print((error as Error).message.replace(/0x\w+/, 'there'));
        }
      }
    });
    const child = await machine.spawn(main);
    expect(await child.wait()).toEqual({ code: 0 });
    expect(lines).toEqual([
      '2 1 1538',
      'AB',
      'mmap: EACCES, permission denied',
      'mmap: EACCES, permission denied',
      '/dev/uart: offset 12: Error: no such register',
      'SIGBUS (BUS_ADRERR): write at there',
      '/backend/gen: page 2: Error: bad sector',
      'SIGBUS (BUS_ADRERR): write at there',
    ]);
  });

  it('boots from a command line’s module', () => {
    const dist = new URL('../../dist/index.js', import.meta.url).href;
    const source = `import { boot } from '${dist}';
      const machine = await boot();
      console.log(await (await machine.spawn('${module('export default () => 3')}')).wait());
      await machine.shutdown();`;
    const args = ['--input-type=module', '--eval', source];
    const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    expect(stdout + stderr).toBe('{ code: 3 }\n');
  });

  it('ends the host’s process by itself after shutdown, whatever still ran', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'faultline-test-'));
    const dist = new URL('../../dist/index.js', import.meta.url).href;
    const busy = module('export default () => { for (;;); }');
    const idle = module('export default () => new Promise(() => {})');
    writeFileSync(
      join(folder, 'host.mjs'),
      `import { boot } from '${dist}';
       const machine = await boot();
       const children = [];
       for (const url of ${JSON.stringify([busy, idle, idle])}) {
         children.push(await machine.spawn(url, { dedicated: children.length === 2 }));
       }
       await machine.shutdown();
       await machine.shutdown();
       for (const child of children) console.log(JSON.stringify(await child.wait()));
       await machine.stats().catch((error) => console.log(error.name + ': ' + error.message));`,
    );
    const child = spawnHost(process.execPath, [fileURLToPath(`file://${folder}/host.mjs`)]);
    let output = '';
    child.stdout.on('data', (data: Buffer) => (output += data.toString()));
    child.stderr.on('data', (data: Buffer) => (output += data.toString()));
    const code = await new Promise((resolve) => child.on('exit', resolve));
    rmSync(folder, { recursive: true });
    const killed = '{"signal":"SIGKILL","reason":"its Worker died: the machine is shut down"}\n';
    expect(output).toBe(`${killed.repeat(3)}MachineStopped: the machine has been shut down\n`);
    expect(code).toBe(0);
  });
});
