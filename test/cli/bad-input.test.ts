/**
 * Goal: whatever a user or a program does wrong ends in one clear line and the right exit status,
 * harms nobody else and leaks nothing. Method: run the built command on programs that misbehave
 * in every way we know; the exit status includes the audit's verdict.
 */
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunDocument } from '../../cli/run-document.ts';
import type { CommandOutcome } from '../support/command.ts';
import { faultline, fixture } from '../support/command.ts';

let folder = '';

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'faultline-test-'));
});

afterAll(() => rmSync(folder, { recursive: true }));

function scratch(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

interface JsonOutcome extends CommandOutcome {
  readonly document: RunDocument;
}

/** Runs with --json: stdout must be exactly one document. */
async function runJson(...args: string[]): Promise<JsonOutcome> {
  const outcome = await faultline('run', '--json', '--memory', '4MiB', ...args);
  return { ...outcome, document: JSON.parse(outcome.stdout) as RunDocument };
}

it("runs the user's modules wherever they are", async () => {
  const odd = join(folder, 'it\'s "a" \\ folder');
  mkdirSync(odd);
  const modules: Readonly<Record<string, string>> = {
    'protocol.ts': '../../docs/examples/split-protocol.ts',
    'scenario.ts': '../fixtures/scenarios/write-once.ts',
    'program.ts': '../fixtures/programs/typed.ts',
    'typed-helper.ts': '../fixtures/programs/typed-helper.ts',
  };
  for (const [name, source] of Object.entries(modules)) {
    copyFileSync(new URL(source, import.meta.url), join(odd, name));
  }
  const protocol = ['--protocol', join(odd, 'protocol.ts')];
  const ran = await faultline('run', join(odd, 'program.ts'), ...protocol, '--', '4');
  expect(ran).toMatchObject({ status: 0, stderr: '' });
  const scenario = join(odd, 'scenario.ts');
  const explored = await faultline('explore', scenario, ...protocol, '--bound', '1');
  expect(explored, explored.stderr).toMatchObject({ status: 0 });
  expect(explored.stdout).toMatch(/complete/);
});

describe('bad usage ends with status 2 and one line', () => {
  it.each([
    ['unknown command frobnicate', 'frobnicate'],
    ['unknown command rum; did you mean run?', 'rum'],
    ['unknown option --frobnicate', '--frobnicate'],
    ["no program and no file is called 'nothing'", 'run', 'nothing'],
    ["'./nothing.js' does not exist", 'run', './nothing.js'],
    ['is a directory', 'run', tmpdir()],
    ['is a directory', 'run', 'wordcount', '--', tmpdir()],
    ['does not exist', 'run', 'wordcount', '--', '/nowhere/file'],
    ['--memory must be a size', 'run', 'hello', '--memory', '3'],
    ['--cpus must be an integer', 'run', 'hello', '--cpus', '0'],
    ['run needs a program', 'run', '--json'],
  ])('%s', async (message, ...args) => {
    const { status, stdout, stderr } = await faultline(...args);
    expect(stderr).toMatch(/^faultline: .*\n$/);
    expect(stderr).toContain(message);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
  });

  it.each([
    ['--protocol', 'export default {};', 'no protocol: its default export has no method lockAreas'],
    ['--reclaim', 'export const x = 1;', 'no reclaim policy: it has no default export'],
    ['--reclaim', "throw new Error('no luck');", 'did not load: Error: no luck'],
  ])("names the user's file for %s with %s", async (option, source, problem) => {
    const path = scratch('part.ts', source);
    const { status, stdout, stderr } = await faultline('run', 'hello', option, path);
    expect(stderr).toBe(`faultline: '${path}' ${problem.replace(/^no /, 'is no ')}\n`);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
  });

  it('prints help for no arguments, and help and version when asked', async () => {
    expect(await faultline()).toMatchObject({ status: 2, stdout: '' });
    expect(await faultline('--help')).toMatchObject({ status: 0, stderr: '' });
    expect((await faultline('--version')).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});

interface Failure {
  readonly name: string;
  readonly problem: RegExp;
  readonly ending?: object;
  readonly args?: readonly string[];
}

const failures: readonly Failure[] = [
  { name: 'throws.mjs', problem: /SIGABRT: .*thrown on purpose/ },
  { name: 'no-default.mjs', problem: /SIGABRT: .*default/ },
  { name: 'exits.mjs', problem: /exit 3/, ending: { code: 3 }, args: ['--', '3'] },
  {
    name: 'null-dereference.mjs',
    problem: /SIGSEGV SEGV_MAPERR at 0x0/,
    ending: { signal: 'SIGSEGV', faultCode: 'SEGV_MAPERR', address: 0 },
  },
  { name: 'read-only.mjs', problem: /SIGSEGV SEGV_ACCERR at 0x[0-9a-f]+/ },
  { name: 'exhausts.mjs', problem: /failed: SIG(KILL|BUS)/ },
  { name: 'worker-exit.mjs', problem: /failed: SIG[A-Z]+/ },
  { name: 'timer-throw.mjs', problem: /failed: SIG[A-Z]+: .*thrown in a timer/ },
];

describe('a program that fails ends with status 1, its report, and a clean audit', () => {
  it.each(failures)('$name', async ({ name, problem, ending = {}, args = [] }) => {
    const { status, stderr, document } = await runJson(fixture(name), ...args);
    expect(document.problems).toEqual([expect.stringMatching(problem)]);
    expect(stderr).toContain(`faultline: ${document.problems[0]}\n`);
    expect(document.status).toMatchObject(ending);
    expect(document.audit).toMatchObject({ clean: true, violations: [] });
    expect(status).toBe(1);
  });

  it.each(['spins.mjs', 'sleeps.mjs'])('%s is ended by --timeout', async (name) => {
    const { status, document } = await runJson(fixture(name), '--timeout', '1');
    expect(document.problems).toEqual([expect.stringMatching(/did not end within 1 s$/)]);
    expect(document).toMatchObject({ timedOut: true, audit: { clean: true } });
    expect(status).toBe(1);
  });

  it('says where a module does not compile', async () => {
    const typescript = scratch('broken.ts', 'const a = 1;\nconst b: = 2;\n');
    const outcome = await faultline('run', typescript);
    expect(outcome).toMatchObject({ status: 1, stdout: '' });
    expect(outcome.stderr).toMatch(/^faultline: .*broken\.ts:2: .*\n$/);

    const script = await runJson(scratch('broken.mjs', 'const = 1;\n'));
    expect(script.document.problems[0]).toMatch(/broken\.mjs:1: /);
    expect(script.status).toBe(1);

    const missing = await runJson(scratch('lost.ts', "import './nowhere.ts';\n"));
    expect(missing.document.problems[0]).toMatch(/lost\.ts:1: .*nowhere/);
    expect(missing.status).toBe(1);
  });
});

describe('a failure harms nobody else', () => {
  it('beside programs that fail or take their Worker with them', async () => {
    const names = ['throws', 'exits', 'null-dereference', 'read-only', 'exhausts'];
    names.push('worker-exit', 'timer-throw', 'throws');
    // The witness has a Worker of its own, since some of these end the Worker they run on.
    const { status, document } = await runJson(
      fixture('witness.mjs'),
      '--dedicated',
      '--',
      ...names,
    );
    const endings = document.result.output.map(({ line }) => line);
    const named = endings.filter((line) => line.includes(': ')).map((line) => line.split(':')[0]);
    expect(named).toEqual(names);
    expect(endings).toContain('exits: 3');
    expect(endings.filter((line) => line.endsWith(': 0'))).toEqual([]);
    expect(document).toMatchObject({ status: { code: 0 }, problems: [] });
    expect(status).toBe(0);
  });
});
