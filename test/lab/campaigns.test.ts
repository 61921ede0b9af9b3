/**
 * Goal: a storm of kills and a fuzz find nothing wrong, have done something, stop when they are
 * told to, and find what is broken. Method: the command itself, for a few seconds.
 */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { faultline } from '../support/command.ts';

interface Run {
  readonly result: Readonly<Record<string, number>> & { readonly failures: readonly string[] };
}

async function runs(...args: string[]): Promise<readonly Run[]> {
  const { status, stdout, stderr } = await faultline('stress', '--json', ...args);
  expect(stderr).not.toContain('failure');
  expect(status).toBe(0);
  return (JSON.parse(stdout) as { runs: Run[] }).runs;
}

describe('faultline stress --storm', () => {
  it('is clean, and has killed', { timeout: 60_000 }, async () => {
    const [run] = await runs('--storm', '--processes', '40', '--memory', '4MiB', '--swap', '4MiB');
    expect(run?.result).toMatchObject({ processes: 40, failures: [] });
    expect(run?.result['killed']).toBeGreaterThan(20);
    expect(run?.result['audits']).toBe(2);
  });

  it('reports what it has when it is interrupted', { timeout: 60_000 }, async () => {
    const command = fileURLToPath(new URL('../../dist/faultline.js', import.meta.url));
    const child = spawn(process.execPath, [command, 'stress', '--storm', '--seconds', '60']);
    let stdout = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.once('data', () => setTimeout(() => child.kill('SIGINT'), 300));
    const status = await new Promise((resolve) => child.on('close', resolve));
    expect(status).toBe(130);
    expect(stdout).toMatch(/^interrupted: .* 0 violations\n$/);
  });
});

describe('faultline stress --fuzz', () => {
  it('is clean, and has called', { timeout: 60_000 }, async () => {
    const [run] = await runs('--fuzz', '1', '--seconds', '2');
    expect(run?.result.failures).toEqual([]);
    expect(run?.result['rounds']).toBeGreaterThan(0);
    expect(run?.result['calls']).toBeGreaterThan(20);
  });

  it('finds a protocol that does not lock, and names the round', { timeout: 60_000 }, async () => {
    const path = fileURLToPath(
      new URL('../fixtures/protocols/asserted-area-lock.mjs', import.meta.url),
    );
    const args = ['--protocol', path, '--round', '1'];
    const { status, stderr } = await faultline('stress', '--fuzz', '1', ...args);
    expect(status).toBe(1);
    expect(stderr).toMatch(/again: faultline stress --fuzz 1 --round 1 .*asserted-area-lock\.mjs/);
  });
});

it.each([
  [['--storm', '--kinds', 'spin,x'], '--kinds must be of spin, touch, '],
  [['--storm', '--at-once', '0'], "--at-once must be an integer from 1 to 64, got '0'"],
  [['--fuzz', '1', '--round', '0'], '--round must be an integer from 1 to '],
  [['--fuzz', 'x'], '--fuzz must be an integer from 0 to 4294967295'],
])('refuses %j', async (args, message) => {
  const { status, stderr } = await faultline('stress', ...args);
  expect(status).toBe(2);
  expect(stderr).toContain(`faultline: ${message}`);
});
