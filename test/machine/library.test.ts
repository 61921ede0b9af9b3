/**
 * Goal: the library behaves as libraries do: wrong arguments are refused at the call, what takes
 * long can be given up, and nothing keeps the host's process alive needlessly.
 */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { boot, SyscallError } from 'faultline';
import type { BootOptions } from 'faultline';
import { describe, expect, it } from 'vitest';
import { fixture } from '../support/command.ts';
import { expectClean, program, start } from '../support/worker-programs.ts';

const library = new URL('../../dist/index.js', import.meta.url).href;
const root = fileURLToPath(new URL('../..', import.meta.url));

const sleeper = program(async () => {
  await sleep(60_000);
});
const quick = program(() => 3);

interface Outcome {
  readonly status: number | string;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a host program of its own. */
function host(source: string): Promise<Outcome> {
  const script = `import { boot } from '${library}';\n${source}`;
  const args = ['--input-type=module', '-e', script, quick, sleeper];
  return new Promise((resolve) => {
    execFile(process.execPath, args, { cwd: root, timeout: 20_000 }, (error, stdout, stderr) =>
      resolve({ status: error ? (error.code ?? error.signal ?? 'failed') : 0, stdout, stderr }),
    );
  });
}

describe('boot', () => {
  it.each<[unknown, string]>([
    [{ onPrint: 5 }, 'boot: onPrint must be a function, got 5'],
    [{ onOutput: 'x' }, "boot: onOutput must be a function, got 'x'"],
    [{ checked: 'yes' }, "boot: checked must be true or false, got 'yes'"],
    [{ protocol: 5 }, 'boot: protocol must be a URL or a string, got 5'],
    [{ reclaim: null }, 'boot: reclaim must be a URL or a string, got null'],
    [{ files: ['a'] }, 'boot: files must be an object, got an array'],
    [{ devices: { clock: 5 } }, 'boot: devices.clock must be a URL or a string, got 5'],
    [{ inject: 'frame' }, "boot: inject must be an object, got 'frame'"],
    [{ signal: {} }, 'boot: signal must be an AbortSignal, got an object'],
    [5, 'boot: options must be an object, got 5'],
    [null, 'boot: options must be an object, got null'],
  ])('refuses %j', async (options, message) => {
    await expect(boot(options as BootOptions)).rejects.toThrow(new TypeError(message));
  });

  it('can be given up, before and during the start', async () => {
    const reason = new Error('changed my mind');
    await expect(boot({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    const controller = new AbortController();
    const starting = boot({ signal: controller.signal });
    setTimeout(() => controller.abort(reason), 5);
    await expect(starting).rejects.toBe(reason);
  });

  it('gives a machine that `await using` shuts down', async () => {
    const machine = await boot({ cpus: 1 });
    expect(machine[Symbol.asyncDispose]).toBeTypeOf('function');
    await machine[Symbol.asyncDispose]();
    await expect(machine.stats()).rejects.toThrow('the machine has been shut down');
  });
});

describe('spawn', () => {
  it('refuses what is no module and no option', async () => {
    const { machine } = await start();
    await expect(machine.spawn(5 as never)).rejects.toThrow(
      new TypeError('spawn: module must be a URL or a string, got 5'),
    );
    await expect(machine.spawn(quick, { args: 'abc' } as never)).rejects.toThrow(TypeError);
    await expect(machine.spawn(quick, { arg: [] } as never)).rejects.toThrow("option 'arg'");
    const parent = program(async (proc) => {
      for (const wrong of [{ args: null }, { arg: [] }, 5]) {
        const refused = await proc.spawn('./x.js', wrong as never).catch((e: Error) => e.name);
        if (refused !== 'TypeError') return 1;
      }
      const refused = await proc.spawn(5 as never).catch((e: Error) => e.message);
      return refused === 'spawn: module must be a URL or a string, got 5' ? 0 : 2;
    });
    expect(await (await machine.spawn(parent)).wait()).toEqual({ code: 0 });
    await expectClean(machine);
  });

  it('kills its process when the signal aborts', async () => {
    const { machine } = await start();
    const controller = new AbortController();
    const { signal } = controller;
    const running = await machine.spawn(sleeper, { signal });
    const reason = new Error('enough');
    const starting = machine.spawn(sleeper, { signal });
    controller.abort(reason);
    await expect(starting).rejects.toBe(reason);
    await expect(machine.spawn(sleeper, { signal })).rejects.toBe(reason);
    expect(await running.wait()).toMatchObject({ signal: 'SIGKILL' });
    await expect
      .poll(async () => (await machine.stats()).processes.every((p) => p.status))
      .toBe(true);
    await expectClean(machine);
  });

  it('runs TypeScript, whatever the version of Node', async () => {
    const { machine, lines } = await start();
    const child = await machine.spawn(fixture('typed.ts'), { args: ['4'] });
    expect(await child.wait()).toEqual({ code: 0 });
    expect(lines).toEqual(['twice 4 is 8']);
    await expectClean(machine);
  });
});

describe('wait', () => {
  it('can be limited and given up; the process runs on', async () => {
    const { machine } = await start();
    const child = await machine.spawn(sleeper);
    await expect(child.wait({ timeout: 10 })).rejects.toMatchObject({
      name: 'TimeoutError',
      message: `process ${child.pid} has not ended after 10 ms`,
    });
    const reason = new Error('enough');
    await expect(child.wait({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    await expect(child.wait({ timeout: -1 })).rejects.toThrow(RangeError);
    await expect(child.wait({ timeOut: 1 } as never)).rejects.toThrow("option 'timeOut'");
    await child.kill();
    expect(await child.wait({ timeout: 10_000 })).toMatchObject({ signal: 'SIGKILL' });
    await expectClean(machine);
  });
});

describe("the host's process", () => {
  it('ends when only an idle machine is left', async () => {
    const outcome = await host(`
      const machine = await boot({ cpus: 1 });
      const child = await machine.spawn(process.argv[1]);
      console.log(JSON.stringify(await child.wait()), (await machine.audit()).clean);`);
    expect(outcome).toMatchObject({ status: 0, stdout: '{"code":3} true\n' });
  });

  it('stays while a process runs that nobody waits for', async () => {
    const slow = program(async (proc) => {
      await sleep(300);
      proc.print('done');
    });
    const outcome = await host(`
      const machine = await boot({ cpus: 1 });
      await machine.spawn(${JSON.stringify(slow)});`);
    expect(outcome).toMatchObject({ status: 0, stdout: 'done\n' });
  });
});

describe('error classes', () => {
  it('know the errors of another copy, such as a bundled program has', async () => {
    const program = fileURLToPath(library.replace('/index.js', '/program.js'));
    const bundle = { bundle: true, write: false, platform: 'node', format: 'esm' } as const;
    const { outputFiles } = await build({ ...bundle, entryPoints: [program] });
    const copy = `data:text/javascript,${encodeURIComponent(outputFiles[0]?.text ?? '')}`;
    const { SyscallError: Other } = (await import(copy)) as { SyscallError: typeof SyscallError };
    expect(Other).not.toBe(SyscallError);
    expect(new Other('mmap', 12)).toBeInstanceOf(SyscallError);
    expect(new SyscallError('mmap', 12)).toBeInstanceOf(Other);
    class Mine extends SyscallError {}
    expect(new Other('mmap', 12)).not.toBeInstanceOf(Mine);
    expect(new Mine('mmap', 12)).toBeInstanceOf(Other);
    expect(new Error('x')).not.toBeInstanceOf(SyscallError);
  });
});
