/**
 * Goal: real programs' recordings come out on the machine as they did on Linux. Method: replay the
 * bundled recordings, which `faultline record` has made, and falsify them in one place.
 */
import { gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { bundledBytes, replayed, sourceOf } from '../support/recordings.ts';

/** Memory calls, processes whose areas are compared, addresses that Linux chose. */
const RECORDINGS = {
  'pipeline.strace.gz': { compared: 209, mapsCompared: 8, choices: 113 },
  'python.strace.gz': { compared: 124, mapsCompared: 3, choices: 38 },
  'node.strace.gz': { compared: 7839, mapsCompared: 1, choices: 36 },
  'gcc.strace.gz': { compared: 263, mapsCompared: 5, choices: 72 },
  'sort.strace.gz': { compared: 38, mapsCompared: 1, choices: 18 },
} as const;

const names = Object.keys(RECORDINGS) as (keyof typeof RECORDINGS)[];
const textOf = (file: string): string => gunzipSync(bundledBytes(file)).toString();

describe.each(names)('%s', (file) => {
  const expected = RECORDINGS[file];

  it('has the recorded results, areas and addresses', async () => {
    // In a checked machine the large one takes seconds.
    const options = { native: true, checked: file !== 'node.strace.gz' };
    const report = await replayed(sourceOf(bundledBytes(file)), options);
    expect(report.differences).toEqual([]);
    expect(report.violations).toEqual([]);
    expect(report).toMatchObject({
      ...expected,
      equal: expected.compared,
      mapsEqual: expected.mapsCompared,
      choicesEqual: expected.choices,
      inferredPages: 0,
      format: 'strace',
    });
    expect(report.frames.used).toBeLessThan(report.frames.usedPeak + 1);
  });
});

describe('of the small ones', () => {
  it('the result is the same in pieces of any size', async () => {
    const text = textOf('python.strace.gz');
    for (const bytes of [1, 7, 4096]) {
      const report = await replayed(sourceOf(text, bytes));
      expect(report).toMatchObject({ compared: 124, equal: 124, mapsEqual: 3 });
    }
  });

  it('every falsified result is found in its line', async () => {
    const lines = textOf('sort.strace.gz').split('\n');
    // Where the heap begins is what the first brk says.
    const firstBreak = lines.findIndex((line) => line.includes(' brk(NULL)'));
    const calls = lines.flatMap((line, at) =>
      /\b(?:mprotect|munmap|brk|madvise)\(.*\) += (?:0|0x[0-9a-f]+)$/.test(line) &&
      at !== firstBreak
        ? [at]
        : [],
    );
    expect(calls.length).toBeGreaterThan(10);
    for (const at of calls) {
      const line = lines[at] as string;
      const false_ = line.includes(' brk(')
        ? line.replace(/= (0x[0-9a-f]+)000$/, '= $1800')
        : line.replace(/= 0$/, '= -1 EACCES (Permission denied)');
      const text = lines.with(at, false_).join('\n');
      const { differences } = await replayed(sourceOf(text));
      expect(differences.map((one) => one.line)).toContain(at + 1);
    }
  });

  it('a falsified area is found', async () => {
    const text = textOf('sort.strace.gz');
    const at = text.indexOf('#maps', text.indexOf('#maps') + 1);
    const falsified = text.slice(0, at) + text.slice(at).replace(' rw-p ', ' r--p ');
    const report = await replayed(sourceOf(falsified));
    expect(report).toMatchObject({ mapsCompared: 1, mapsEqual: 0, differencesTotal: 2 });
    const [first, second] = report.differences;
    expect(`${first?.recorded} ${second?.here}`).toMatch(/ r--p .* rw-p /);
  });

  it('--touch touches what reads and writes show, and the areas stay equal', async () => {
    const untouched = await replayed(sourceOf(bundledBytes('sort.strace.gz')));
    const touched = await replayed(sourceOf(bundledBytes('sort.strace.gz')), { touch: true });
    expect(untouched.faults).toMatchObject({ minor: 0, major: 0 });
    expect(touched.faults.minor).toBeGreaterThan(100);
    expect(touched).toMatchObject({ mapsEqual: 1, differences: [], violations: [] });
    expect(touched.processes[0]?.residentPagesPeak).toBeGreaterThan(100);
  });

  it('--touch in too little memory ends without a crash', async () => {
    const options = { touch: true, memoryBytes: 2 ** 20 };
    const report = await replayed(sourceOf(bundledBytes('sort.strace.gz')), options);
    expect(report.violations).toEqual([]);
  });

  it('--stop-at ends there, with the processes that live then', async () => {
    const report = await replayed(sourceOf(bundledBytes('gcc.strace.gz')), { stopAt: 100 });
    expect(report).toMatchObject({ stoppedAt: 100, lines: 100, differences: [], violations: [] });
    expect(report.mapsCompared).toBe(0);
    expect(report.processes.length).toBeGreaterThan(0);
  });

  it('--maps has the recorded addresses', async () => {
    const report = await replayed(sourceOf(bundledBytes('sort.strace.gz')), { maps: true });
    const [first] = textOf('sort.strace.gz').match(/^#m \S+ r--p 00000000/m) ?? [];
    expect(report.maps[0]?.text).toContain(first?.slice(3));
  });

  it('a compressed file that is cut off is replayed so far, and told', async () => {
    const bytes = bundledBytes('python.strace.gz');
    const report = await replayed(sourceOf(bytes.subarray(0, bytes.length >> 1)));
    expect(report.differences).toEqual([]);
    expect(report.compared).toBeGreaterThan(20);
    expect(report.notReplayed.map(({ reason }) => reason).join()).toContain('the file is cut off');
  });

  it('the same without numbers, times and paths, as written by hand', async () => {
    // One process, so that strace would print no number.
    const text = textOf('sort.strace.gz')
      .split('\n')
      .filter((line) => !line.startsWith('#') && !/(?:resumed|unfinished)/.test(line))
      .filter((line) => / (?:mmap|mprotect|munmap|brk|execve)\(/.test(line))
      .map((line) => line.replace(/^\d+ +[\d.]+ /, '').replace(/(\d)<[^>]*>/g, '$1'))
      .join('\n');
    const report = await replayed(sourceOf(gzipSync(text)));
    expect(report.differences).toEqual([]);
    expect(report.compared).toBeGreaterThan(30);
    expect(report.inferredPages).toBeGreaterThan(0);
  });
});

describe('primes.lackey.gz', () => {
  it('touches the pages that were recorded, in the recorded areas', async () => {
    const report = await replayed(sourceOf(bundledBytes('primes.lackey.gz')));
    expect(report).toMatchObject({
      format: 'lackey',
      accesses: { instructions: 402_039, loads: 26_516, stores: 51_576, modifies: 25 },
      notReplayed: [],
      inferredPages: 0,
      violations: [],
    });
    const accesses = textOf('primes.lackey.gz').matchAll(/^(?:I {2}| [LSM] )(\w+),(\d+)$/gm);
    const pages = new Set<number>();
    for (const [, address = '', size] of accesses) {
      const first = parseInt(address, 16);
      pages.add(Math.floor(first / 4096)).add(Math.floor((first + Number(size) - 1) / 4096));
    }
    // One page of zeroes is only read: it has no frame of its own.
    expect(report.processes[0]?.residentPages).toBe(pages.size - 1);
  });
});
