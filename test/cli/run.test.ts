/**
 * Goal: `faultline run` does the main job, alike under every protocol and fault mode, and its JSON
 * says the same as its tables. Method: run the built command, and count the words a second time.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunDocument } from '../../cli/run-document.ts';
import { faultline, fixture } from '../support/command.ts';

let folder = '';

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'faultline-test-'));
});

afterAll(() => rmSync(folder, { recursive: true }));

function scratch(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

async function runJson(...args: string[]): Promise<RunDocument & { actualStatus: number | null }> {
  const { status, stdout } = await faultline('run', '--json', ...args);
  return { ...(JSON.parse(stdout) as RunDocument), actualStatus: status };
}

/** Bytes that make every decision of the scan happen at every slice border sooner or later. */
function randomText(length: number): Uint8Array {
  const alphabet = Buffer.from('aB. \n\t\v\f\r\u0000\u0001\u001c\u0085\u00a0\u00ff', 'latin1');
  let state = 12345;
  return Uint8Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return alphabet[(state >>> 16) % alphabet.length] ?? 0;
  });
}

describe('run', () => {
  it('prints what the program prints, then the report', async () => {
    const { status, stdout, stderr } = await faultline('run', 'hello', '--dmesg');
    expect(stderr).toBe('');
    expect(stdout).toMatch(/^Hello from process 1 on CPU \d+!\n\nPID {2}NAME/);
    expect(stdout).toMatch(/^mmap +1 /m);
    expect(stdout).toMatch(/^audit {4}clean \(/m);
    expect(stdout).toMatch(/^dmesg\n {2}./m);
    expect(status).toBe(0);
  });

  it.each([
    ['global', 'local'],
    ['rwlock', 'local'],
    ['rcu', 'local'],
    ['rcu', 'remote'],
  ])('every built-in program succeeds under %s with %s faults', async (protocol, faults) => {
    for (const program of ['hello', 'matmul', 'gc', 'grind']) {
      const document = await runJson(program, '--protocol', protocol, '--faults', faults);
      expect(document, program).toMatchObject({
        actualStatus: 0,
        problems: [],
        status: { code: 0 },
        machine: { protocol, faults },
        audit: { clean: true },
      });
      expect(document.processes[0]?.faultsMinor, program).toBeGreaterThan(0);
    }
  });

  it('counts words as wc -w does, wherever the slices meet', async () => {
    const file = scratch('random.bin', randomText(10_000));
    for (const processes of ['1', '3', '7', '64']) {
      const document = await runJson('wordcount', '--processes', processes, '--', file);
      expect(document.problems).toEqual([]);
      expect(document.result.check?.words).toBeGreaterThan(1000);
      expect(document.result.check?.agrees).not.toBe(false);
      expect(document.processes).toHaveLength(Number(processes) + 1);
    }
  });

  it('counts an empty file, a single byte and a file without any space', async () => {
    const counts = [];
    for (const content of ['', 'x', 'x'.repeat(9000)]) {
      const document = await runJson('wordcount', '--', scratch('small.txt', content));
      expect(document).toMatchObject({ actualStatus: 0, problems: [], audit: { clean: true } });
      counts.push(document.result.check?.words);
    }
    expect(counts).toEqual([0, 1, 1]);
  });

  it('gives the same grind for the same seed, and another for another', async () => {
    const calls = async (seed: string): Promise<string> => {
      const document = await runJson('grind', '--seed', seed, '--processes', '1');
      expect(document.actualStatus).toBe(0);
      const counts = document.syscalls.map(({ name, count }) => `${name} ${count}`);
      return [...counts, `minor faults ${document.processes[1]?.faultsMinor}`].sort().join(', ');
    };
    const [first, again, other] = [await calls('7'), await calls('7'), await calls('8')];
    expect(first).toMatch(/mmap \d{3}.*mprotect \d{2,}.*munmap \d{3}/);
    expect(again).toBe(first);
    expect(other).not.toBe(first);
  });
});

describe('user programs', () => {
  it('run from TypeScript with imports of their own', async () => {
    const typescript = fileURLToPath(new URL('../fixtures/programs/typed.ts', import.meta.url));
    const { status, stdout } = await faultline('run', typescript, '--', '21');
    expect(stdout).toContain('twice 21 is 42\n');
    expect(status).toBe(0);
  });

  it('open the files that their arguments or --file name', async () => {
    const file = scratch('greeting.txt', 'howdy, reader');
    const program = fixture('reads-file.mjs');
    for (const args of [
      ['--', file],
      ['--file', `greeting=${file}`, '--', 'greeting'],
    ]) {
      const { status, stdout } = await faultline('run', program, ...args);
      expect(stdout).toMatch(/^howdy\n/);
      expect(status).toBe(0);
    }
  });
});
