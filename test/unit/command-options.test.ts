/**
 * Goal: a mistake on the command line is named in one line that says what to do; a right line gives
 * exactly the request that was meant. Method: tables of command lines and what becomes of them.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { builtinPrograms } from '../../cli/builtin-programs.ts';
import type { RunRequest } from '../../cli/run-request.ts';
import { parseRun } from '../../cli/run-request.ts';
import { formatBytes, parseSizeBytes, UsageError } from '../../cli/usage-error.ts';

let folder = '';
let text = '';
let module = '';

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'faultline-test-'));
  text = join(folder, 'words.txt');
  module = join(folder, 'mine.mjs');
  writeFileSync(text, 'two words\n');
  writeFileSync(module, 'export default () => 0;\n');
});

afterAll(() => rmSync(folder, { recursive: true }));

function request(line: string): RunRequest {
  const parsed = parseRun(line.split(' '));
  if (typeof parsed === 'string') throw new Error(`help instead of a request:\n${parsed}`);
  return parsed;
}

/** The message of the UsageError that the line ends in. */
function complaint(...args: string[]): string {
  try {
    parseRun(args);
  } catch (error) {
    if (error instanceof UsageError) return error.message;
    throw error;
  }
  return 'no complaint';
}

const units = 'such as 64MiB (units KiB, MiB, GiB; K, M, G)';

describe('run request', () => {
  it('has the documented defaults', () => {
    expect(request('hello')).toEqual({
      program: 'hello',
      isBuiltin: true,
      args: [{}],
      file: null,
      files: {},
      inject: {},
      reclaim: 'clock',
      limitBytes: null,
      swapBytes: null,
      memoryBytes: null,
      cpus: 2,
      protocol: 'rcu',
      shootdown: 'batched',
      faults: 'local',
      seed: 1,
      timeoutMs: null,
      unprivileged: false,
      dedicated: false,
      checked: false,
      dmesg: false,
      all: false,
      quiet: false,
      json: false,
    });
  });

  it('takes every option, before and after the program', () => {
    const line =
      '--cpus 32 --memory 1MiB grind --protocol=rwlock --faults remote --seed 4294967295';
    const switches = '--dedicated --unprivileged --checked --dmesg --all --quiet --json';
    const rest = `--timeout 0.5 --processes 3 ${switches} -- --rounds 7`;
    expect(request(`${line} ${rest}`)).toMatchObject({
      program: 'grind',
      args: [{ processes: 3, rounds: 7 }],
      memoryBytes: 2 ** 20,
      cpus: 32,
      protocol: 'rwlock',
      faults: 'remote',
      seed: 4294967295,
      timeoutMs: 500,
      dedicated: true,
      unprivileged: true,
      checked: true,
      dmesg: true,
      all: true,
      quiet: true,
      json: true,
    });
  });

  it('hands a built-in its file, and a user program the files that its arguments name', () => {
    expect(request(`wordcount --processes 9 -- ${text}`)).toMatchObject({
      args: [{ processes: 9 }],
      file: text,
      files: { [text]: text },
    });
    expect(request(`${module} --file in=${text} -- ${text} --cpus x`)).toMatchObject({
      isBuiltin: false,
      args: [text, '--cpus', 'x'],
      files: { in: text, [text]: text },
    });
    expect(request(`wordcount ${text}`).file).toBe(text);
    expect(request('forkstorm -- 5000 --alive 9').args).toEqual([{ processes: 5000, alive: 9 }]);
    expect(request(`wordcount --file in=${text} -- in`).files).toEqual({ in: text });
  });

  it('gives help instead when asked', () => {
    expect(parseRun(['--help'])).toMatch(/^Usage: faultline run PROGRAM[^]*--memory SIZE /);
    expect(parseRun(['-h', 'grind'])).toMatch(/^Usage: faultline run grind[^]*--rounds N /);
    expect(parseRun(['-h', 'forkstorm'])).toContain('-- [its options] [PROCESSES]\n');
  });

  it.each([
    ['run needs a program, such as: faultline run hello'],
    ["no program and no file is called 'helo'; did you mean hello?", 'helo'],
    [
      `no program and no file is called 'x'; built-in: ${Object.keys(builtinPrograms).join(', ')}`,
      ...['x', '--cpus', '1'],
    ],
    ["'./none.mjs' does not exist", './none.mjs'],
    ["'none.ts' does not exist", 'none.ts'],
    ["'test' is a directory", 'test'],
    ["'LICENSE' is no module: give a file that ends in .js .mjs .ts .mts", 'LICENSE'],
    ["--cpus must be an integer from 1 to 32, got '0'", 'hello', '--cpus', '0'],
    ["--cpus must be an integer from 1 to 32, got '33'", 'hello', '--cpus=33'],
    ["--cpus must be an integer from 1 to 32, got '2.5'", 'hello', '--cpus', '2.5'],
    ["--cpus must be an integer from 1 to 32, got '-1'", 'hello', '--cpus=-1'],
    ['--cpus needs a value: --cpus N', 'hello', '--cpus'],
    [`--memory must be a size from 1MiB to 4GiB, ${units}, got '3'`, 'hello', '--memory', '3'],
    [
      `--memory must be a size from 1MiB to 4GiB, ${units}, got '5GiB'`,
      ...['hello', '--memory', '5GiB'],
    ],
    ["--seed must be an integer from 0 to 4294967295, got 'x'", 'hello', '--seed', 'x'],
    ["--timeout must be seconds, more than 0 to 86400, got '0'", 'hello', '--timeout', '0'],
    ["--faults must be local or remote, got 'lokal'", 'hello', '--faults', 'lokal'],
    ["no protocol is called 'rcv'; did you mean rcu?", 'hello', '--protocol', 'rcv'],
    ["'./p.ts' does not exist", 'hello', '--protocol', './p.ts'],
    ["--file must look like NAME=PATH, got 'x'", 'hello', '--file', 'x'],
    ["'/nowhere/x' does not exist", 'hello', '--file', 'x=/nowhere/x'],
    ['unknown option --cpu; did you mean --cpus?', 'hello', '--cpu', '1'],
    ['unknown option --frobnicate; see faultline run --help', 'hello', '--frobnicate'],
    ['unknown option --constructor; see faultline run --help', 'hello', '--constructor'],
    ['--json takes no value', 'hello', '--json=1'],
    ['arguments of the program go after --: faultline run x.js -- …', 'x.js', 'y'],
    ["hello takes no argument 'x'; see faultline run hello --help", 'hello', 'x'],
    ["hello takes no argument 'x'; see faultline run hello --help", 'hello', '--', 'x'],
    ['hello takes no --processes; see faultline run hello --help', 'hello', '--processes', '2'],
    ["--processes must be an integer from 1 to 64, got '0'", 'grind', '--processes', '0'],
    ["--rounds must be an integer from 1 to 1000000, got ''", 'grind', '--', '--rounds', ''],
    ["processes must be an integer from 1 to 1000000, got '0'", 'forkstorm', '--', '0'],
    ["forkstorm takes no argument '2'; see faultline run forkstorm --help", 'forkstorm', '1', '2'],
    ['unknown option --round; did you mean --rounds?', 'grind', '--', '--round', '3'],
    ["'/nowhere/x' does not exist", 'wordcount', '--', '/nowhere/x'],
    ["'test' is a directory", 'wordcount', '--', 'test'],
    ["wordcount reads one file; 'b' is one too many", 'wordcount', '--', 'a', 'b'],
  ])('%s', (message, ...args) => {
    expect(complaint(...args)).toBe(message);
  });
});

describe('sizes', () => {
  it('reads bytes and binary units, and writes them back', () => {
    const parse = (size: string): number => parseSizeBytes('--memory', size, 1, 2 ** 40);
    expect(['1', '4096B', '1.5KiB', '64m', '64 MiB', '2G'].map(parse)).toEqual([
      1, 4096, 1536, 67108864, 67108864, 2147483648,
    ]);
    for (const size of ['', 'MiB', '1.5', '1e6', '0x10', '-1', '1TB', 'NaN', 'Infinity']) {
      expect(() => parse(size), size).toThrow(UsageError);
    }
    expect([1, 1536, 2 ** 20, 3 * 2 ** 30].map(formatBytes)).toEqual([
      '1B',
      '1536B',
      '1MiB',
      '3GiB',
    ]);
  });
});
