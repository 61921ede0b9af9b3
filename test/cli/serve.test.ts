/**
 * Goal: `faultline serve` hands out an isolated page to this computer, and refuses what it cannot
 * do in one line. Method: the built command, asked over HTTP, and ended as a user ends it.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { faultline } from '../support/command.ts';

const command = fileURLToPath(new URL('../../dist/faultline.js', import.meta.url));
let child: ChildProcess | null = null;

afterEach(() => child?.kill('SIGKILL'));

/** Starts it on a free port; the address that it prints. */
async function serve(...args: string[]): Promise<string> {
  child = spawn(process.execPath, [command, 'serve', '--port', '0', ...args]);
  const [text] = (await once(child.stdout!.setEncoding('utf8'), 'data')) as [string];
  expect(text).toMatch(/^The lab is at http:\/\/\S+\/\n$/);
  return text.trim().split(' ').at(-1) ?? '';
}

describe('faultline serve', () => {
  it('serves the page with the headers that isolate it, until Ctrl-C', async () => {
    const url = await serve();
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/$/);
    for (const name of ['', 'lab.js', 'kernel-worker.js', 'lessons/index.json']) {
      const response = await fetch(url + name);
      expect(response.status, name).toBe(200);
      expect(response.headers.get('Cross-Origin-Opener-Policy')).toBe('same-origin');
      expect(response.headers.get('Cross-Origin-Embedder-Policy')).toBe('require-corp');
    }
    expect((await fetch(`${url}%2e%2e/faultline.js`)).status).toBe(404);
    const ended = once(child!, 'close');
    child!.kill('SIGINT');
    expect(await ended).toEqual([0, null]);
  });

  it('listens where it is told to', async () => {
    const url = await serve('--host', '::1').catch(() => null);
    if (url === null) return; // A computer without IPv6.
    expect(url).toMatch(/^http:\/\/\[::1\]:\d+\/$/);
    expect((await fetch(url)).status).toBe(200);
  });

  it('says in one line which port is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const { status, stderr } = await faultline('serve', '--port', String(port));
    other.close();
    expect(stderr).toBe(
      `faultline: port ${port} is taken; choose another with --port, or 0 for any free one\n`,
    );
    expect(status).toBe(2);
  });

  it.each([
    ['--port must be an integer from 0 to 65535', '--port', '65536'],
    ['--port must be an integer from 0 to 65535', '--port', 'http'],
    ["--host must be an address such as 127.0.0.1, got 'a b'", '--host', 'a b'],
    ['203.0.113.1 is no address of this computer', '--host', '203.0.113.1'],
    ["serve takes no argument 'dist'", 'dist'],
    ['--prot; did you mean --port?', '--prot', '1'],
  ])('%s', async (message, ...args) => {
    const { status, stdout, stderr } = await faultline('serve', ...args);
    expect(stderr).toMatch(/^faultline: .*\n$/);
    expect(stderr).toContain(message);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
  });
});
