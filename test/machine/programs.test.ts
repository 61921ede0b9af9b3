/**
 * Goal: the programs about many processes and little memory end well, and leave nothing behind.
 * Method: the command itself, on machines that are small for what they do.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { makeRandom } from '../../shared/random.ts';
import { faultline } from '../support/command.ts';

interface Run {
  readonly exitStatus: number;
  readonly audit: { readonly clean: boolean };
  readonly processes: readonly { readonly status: unknown }[];
  readonly machine: { readonly counters: Readonly<Record<string, number>> };
}

async function run(...args: string[]): Promise<{ document: Run; lines: string[] }> {
  const { stdout, stderr } = await faultline('run', '--json', ...args);
  const document = JSON.parse(stdout) as Run;
  expect({ status: document.exitStatus, stderr }).toMatchObject({ status: 0 });
  expect(document.audit.clean).toBe(true);
  return { document, lines: stderr.trimEnd().split('\n') };
}

const folder = mkdtempSync(join(tmpdir(), 'faultline-programs-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('faultline run', () => {
  it('forkstorm: counts hundreds of processes on two Workers back in', async () => {
    const { document, lines } = await run('forkstorm', '--cpus=2', '--', '500', '--alive=100');
    expect(lines[0]).toMatch(/^500 processes in /);
    expect(document.processes).toHaveLength(501);
  });

  it('cowtest: forks a hundred generations deep', async () => {
    await run('cowtest', '--checked', '--', '--pages=500', '--generations=100');
  });

  it('lazytest: touches little of much, and outlives a child that wants too much', async () => {
    await run('lazytest', '--memory=8MiB', '--swap=0', '--', '--mebibytes=256', '--hungry=32');
  });

  it('kv: keeps what it acknowledged, though Workers are killed', async () => {
    const args = ['--cpus=3', '--inject=worker=5%', '--', '--operations=3000', '--keys=50'];
    await run('kv', ...args);
  });

  it('pipeline: passes every value on once', async () => {
    await run('pipeline', '--', '--items=2000', '--stages=2', '--capacity=4');
  });

  it('sort: sorts a file larger than memory as sort(1) does', async () => {
    const random = makeRandom(5);
    const lines: string[] = [];
    const letters = 'abcXYZ \u00e4\u20ac,0';
    for (let i = 0; i < 60_000; i++) {
      let line = '';
      for (let left = random(90); left > 0; left--) line += letters[random(letters.length)];
      lines.push(line);
    }
    const path = join(folder, 'lines');
    writeFileSync(path, lines.join('\n'));
    const { stdout } = await faultline('run', 'sort', '--memory=2MiB', '--', path);
    const env = { ...process.env, LC_ALL: 'C' };
    const expected = execFileSync('sort', [path], { env, maxBuffer: 2 ** 26, encoding: 'utf8' });
    expect(stdout === expected).toBe(true);
    const json = await faultline('run', 'sort', '--memory=2MiB', '--json', '--', path);
    expect(json.stderr.startsWith(expected)).toBe(true);
    expect((JSON.parse(json.stdout) as { exitStatus: number }).exitStatus).toBe(0);
  });

  const modes = ['local', 'remote'];
  it.each(modes)(
    'grind: forks, kills and swaps, faults %s',
    { timeout: 60_000 },
    async (faults) => {
      const machine = ['--memory=2MiB', '--swap=32MiB', '--checked', '--faults', faults];
      const options = ['--processes=3', '--rounds=400', '--pages=600', '--forks=2', '--kills=40'];
      const { document, lines } = await run('grind', ...machine, '--', ...options);
      expect(lines[0]).toMatch(/^ok: 3 processes, /);
      expect(lines[1]).toMatch(/^[1-9]\d* forked, /);
      expect(document.machine.counters['swapOuts']).toBeGreaterThan(0);
    },
  );

  it('grind: gets along with frames, tables, writes to swap and Workers that fail', async () => {
    const kinds = ['frame=0.2%', 'table=1%', 'swap=5%', 'worker=0.5%'];
    const inject = kinds.map((kind) => `--inject=${kind}`);
    // Seed 1 refuses the very first process.
    const machine = ['--seed=2', '--memory=2MiB', '--swap=32MiB', '--checked', ...inject];
    const options = ['--processes=3', '--rounds=400', '--pages=600', '--forks=2'];
    const { lines } = await run('grind', ...machine, '--', ...options);
    expect(lines.find((line) => !line.startsWith('swap: '))).toMatch(/^ok: 3 processes, /);
  });
});
