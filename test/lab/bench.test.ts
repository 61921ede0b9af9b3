/*
 * Goal: the benchmarks put their requests exactly where the published ones do, leave a clean
 * machine, and report figures that agree with what they did. Method: the formulas against figures
 * computed from the originals; tiny runs of the built command. No test looks at how long anything
 * took.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { parseBench } from '../../cli/bench-request.ts';
import { UsageError } from '../../cli/usage.ts';
import { PROTOCOL_NAMES } from '../../kernel/locking/protocols.ts';
import { BENCHMARKS, placementOf } from '../../lab/bench/benchmarks.ts';
import { contended } from '../../lab/bench/contention.ts';
import * as counting from '../../lab/bench/counting-atomics.ts';
import { parseCpuList } from '../../lab/bench/host.ts';
import {
  REQUESTS,
  leafSharing,
  nextRandom,
  requestOffsets,
  shuffle,
  shuffleSeed,
} from '../../lab/bench/offsets.ts';
import type { BenchDocument } from '../../lab/bench/results.ts';
import { spreadOf } from '../../lab/bench/statistics.ts';
import * as atomics from '../../shared/atomics.ts';
import { faultline } from '../support/command.ts';
import type { CommandOutcome } from '../support/command.ts';

const place = (requestPages: number, padPages: number) => ({ requestPages, padPages });

describe('the published offsets', () => {
  it('follow i (ppr + pad) + j ppr', () => {
    const offsets = requestOffsets(place(4, 384), 3, false);
    expect(offsets.slice(0, 3)).toEqual([0, 4, 8]);
    expect(offsets[REQUESTS]).toBe(388);
    expect(offsets[2 * REQUESTS + 31]).toBe(2 * 388 + 31 * 4);
  });

  // Leaf tables of 512 entries, as on the machines of the paper, and its 384 threads.
  it.each([
    ['unmap, unmap-virt low', place(1, 736), { leaves: 408, shared: 0 }],
    ['PF low', place(1, 480), { leaves: 360, shared: 48 }],
    ['mmap before the shuffle', place(4, 384), { leaves: 291, shared: 186 }],
  ])('share leaf tables as computed for %s', (_, where, expected) => {
    expect(leafSharing(where, 384, false, 512)).toEqual(expected);
  });

  it('share all leaf tables when shuffled, and none of 1024 entries with doubled strides', () => {
    expect(leafSharing(place(1, 480), 4, true, 512)).toEqual({ leaves: 3, shared: 3 });
    const unmap = BENCHMARKS.find(({ name }) => name === 'unmap');
    if (unmap?.suite !== 'cortenmm') throw new Error('no unmap');
    const published = placementOf(unmap, 'low', false);
    const doubled = placementOf(unmap, 'low', true);
    if (published === null || doubled === null) throw new Error('no placement');
    expect(leafSharing(published, 31, false, 1024).shared).toBeGreaterThan(0);
    expect(leafSharing(doubled, 31, false, 1024).shared).toBe(0);
  });

  it("use rand()'s classic generator with 31 bits, and the seed of the thread count", () => {
    // x * 1103515245 + 12345 modulo 2^31, in exact arithmetic.
    let exact = BigInt(shuffleSeed(384));
    let state = shuffleSeed(384);
    expect(state).toBe(0xdeadbeef - 384);
    for (let i = 0; i < 1000; i++) {
      exact = (exact * 1103515245n + 12345n) & 0x7fffffffn;
      state = nextRandom(state);
      expect(BigInt(state)).toBe(exact);
    }
  });

  it('are shuffled from the end, each index drawn below the one it swaps with', () => {
    const values = [0, 1, 2, 3];
    const expected = [...values];
    let state = 7;
    for (const i of [3, 2, 1]) {
      state = nextRandom(state);
      const j = state % (i + 1);
      [expected[i], expected[j]] = [expected[j] as number, expected[i] as number];
    }
    shuffle(values, 7);
    expect(values).toEqual(expected);
    const all = requestOffsets(place(1, 480), 8, true);
    expect([...all].sort((a, b) => a - b)).toEqual(requestOffsets(place(1, 480), 8, false));
  });
});

describe('the counting pass', () => {
  it('replaces every function of the façade, and behaves as it does', () => {
    expect(Object.keys(counting)).toEqual(expect.arrayContaining(Object.keys(atomics)));
    const words = new Int32Array(new SharedArrayBuffer(256));
    counting.startCounting(words);
    counting.store(words, 1, 5);
    expect(counting.compareExchange(words, 1, 4, 6)).toBe(5);
    expect(counting.compareExchange(words, 1, 5, 6)).toBe(5);
    counting.poke(words, 20, 1);
    expect(counting.peek(words, 1) + counting.peek(words, 2)).toBe(6);
    expect(counting.add(new Int32Array(new SharedArrayBuffer(4)), 0, 1)).toBe(0);
    const counts = counting.stopCounting();
    expect(counts).toEqual({
      words: Int32Array.from([1, 20, 2]),
      writes: Int32Array.from([2, 1, 0]),
      failedExchanges: 1,
      atomics: 3,
    });
  });

  it('tells shared words from private ones, and false sharing', () => {
    const one = (words: number[], writes: number[]) => ({
      words: Int32Array.from(words),
      writes: Int32Array.from(writes),
      failedExchanges: 0,
      atomics: 0,
    });
    // Word 5 is written by one and read by the other; 16 and 17 lie in one line; 40 is private.
    const run = [one([5, 16, 40], [3, 1, 7]), one([5, 17], [0, 2])];
    expect(contended([run], 2, [])).toEqual({
      sharedWrites: 1.5,
      sharedLineWrites: 3,
      writes: 6.5,
      atomics: 0,
      failedExchanges: 0,
      hottest: [],
    });
  });
});

describe('small helpers', () => {
  it('take the median of repetitions', () => {
    expect(spreadOf([5, 1, 3])).toEqual({ min: 1, median: 3, max: 5 });
    expect(spreadOf([4, 1, 3, 2])).toEqual({ min: 1, median: 2.5, max: 4 });
  });

  it('read a list of host CPUs', () => {
    expect(parseCpuList('0-2,5')).toEqual([0, 1, 2, 5]);
    expect(parseCpuList('')).toEqual([]);
  });
});

describe('the command line of bench', () => {
  it('has the documented defaults', () => {
    const request = parseBench([]);
    if (typeof request === 'string') throw new Error(request);
    expect(request.protocols).toEqual(PROTOCOL_NAMES);
    expect(request.options).toMatchObject({
      suites: ['cortenmm'],
      contentions: ['low', 'high'],
      regionBytes: 128 * 2 ** 20,
      doubledStrides: false,
      seed: 1,
    });
  });

  it.each([
    ["no suite is called 'corten'; did you mean cortenmm?", '--suite', 'corten'],
    ["no benchmark is called 'local'; known: mmap, mmap-PF, PF, unmap-virt, unmap", '--benchmark'],
    ["--cpus must be an integer from 1 to 31, got '32'", '--cpus', '1,32'],
    ["no protocol is called 'rcv'; did you mean rcu?", '--protocol', 'rcu,rcv'],
    ["'./none.ts' does not exist", '--protocol', './none.ts'],
    ["bench takes options only, not 'x'; see faultline bench --help", 'x'],
    [
      '31 CPUs with a region and a file each exceed 4GiB; choose a smaller --region',
      ...['--suite', 'will-it-scale', '--cpus', '31'],
    ],
  ])('%s', (message, ...given) => {
    const args = given.length === 1 && given[0] === '--benchmark' ? [...given, 'local'] : given;
    const parse = (): unknown => parseBench(args);
    expect(parse).toThrow(UsageError);
    expect(parse).toThrow(message);
  });
});

/** The smallest run there is, of everything. */
const tiny = ['--cpus', '1,2', '--runs', '4', '--repeat', '1', '--warm-up', '0', '--no-pin'];
const timeoutMs = 120_000;

describe('a tiny run of every benchmark', () => {
  let folder = '';
  let outcome: CommandOutcome;
  let document: BenchDocument;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'faultline-bench-'));
    const suites = ['--suite', 'cortenmm,radixvm,will-it-scale'];
    const sizes = ['--iterations', '2', '--region', '256KiB'];
    const files = ['--csv', join(folder, 'a.csv'), '--html', join(folder, 'a.html'), '--json'];
    outcome = await faultline('bench', ...suites, ...sizes, ...tiny, ...files);
    if (outcome.status === 0) document = JSON.parse(outcome.stdout) as BenchDocument;
  }, timeoutMs);

  afterAll(() => rmSync(folder, { recursive: true }));

  it('ends with a clean audit and no leaked frame', () => {
    expect(outcome.stderr).toBe('');
    expect(outcome.status).toBe(0);
    expect(document.violations).toEqual([]);
  });

  it('has a result for each benchmark, contention, protocol and number of CPUs', () => {
    const cells = BENCHMARKS.reduce((sum, { suite }) => sum + (suite === 'cortenmm' ? 2 : 1), 0);
    expect(document.results).toHaveLength(cells * 2 * PROTOCOL_NAMES.length);
    for (const result of document.results) {
      const { latencyNs, throughput } = result;
      expect(latencyNs.min).toBeGreaterThan(0);
      expect(throughput.median).toBeGreaterThan(0);
      expect(result.requestNs).toHaveLength(result.suite === 'cortenmm' ? REQUESTS : 0);
    }
  });

  it('counts what the operations did', () => {
    for (const result of document.results) {
      const { benchmark, cpus, perOperation, contended: counted, protocol } = result;
      const where = `${benchmark} ${result.contention} ${protocol} ${cpus}`;
      if (result.suite === 'cortenmm') expect(result.operations, where).toBe(4 * REQUESTS);
      if (['PF', 'mmap-PF', 'local', 'page_fault1'].includes(benchmark)) {
        expect(perOperation.faults, where).toBe(1);
      }
      if (['mmap', 'unmap', 'unmap-virt', 'mmap1'].includes(benchmark)) {
        expect(perOperation.faults, where).toBe(0);
      }
      if (protocol === 'global' && cpus === 2 && benchmark === 'PF') {
        // Each fault takes the space's lock and gives it back.
        const lock = counted?.hottest.find(({ name }) => name === 'space SPACE.AREA_LOCK');
        expect(lock?.writes, where).toBeGreaterThanOrEqual(2);
      }
      if (protocol !== 'vma') expect(perOperation.lockFallbacks, where).toBe(0);
      if (cpus === 1) {
        expect(perOperation.lockWaits, where).toBe(0);
        expect(perOperation.shootdownTargets, where).toBe(0);
        expect(counted?.sharedWrites, where).toBe(0);
        expect(counted?.hottest, where).toEqual([]);
      } else {
        // Two CPUs of one space share something under every protocol so far: its counters.
        expect(counted?.sharedWrites, where).toBeGreaterThan(0);
        expect(counted?.sharedWrites, where).toBeLessThanOrEqual(counted?.writes ?? 0);
        expect(counted?.sharedLineWrites, where).toBeGreaterThanOrEqual(counted?.sharedWrites ?? 0);
      }
    }
  });

  it('writes a CSV with a line for each result', () => {
    const lines = readFileSync(join(folder, 'a.csv'), 'utf8').split('\r\n');
    const [header = '', ...rows] = lines;
    expect(rows.pop()).toBe('');
    expect(rows).toHaveLength(document.results.length);
    const columns = header.split(',');
    expect(columns).toContain('shared_writes_per_op');
    expect(columns.at(-1)).toBe('request_31_ns');
    for (const row of rows) expect(row.split(',')).toHaveLength(columns.length);
    const at = columns.indexOf('latency_ns_median');
    expect(Number(rows[0]?.split(',')[at])).toBeCloseTo(
      document.results[0]?.latencyNs.median ?? NaN,
      0,
    );
  });

  it('writes charts that a browser draws without a network', { timeout: timeoutMs }, async () => {
    const executablePath = process.env['CHROMIUM'] ?? '/usr/bin/chromium';
    const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
    try {
      const page = await browser.newPage();
      const problems: string[] = [];
      page.on('pageerror', (error) => problems.push(error.message));
      page.on('request', (request) => {
        if (!request.url().startsWith('file:')) problems.push(request.url());
      });
      await page.goto(`file://${join(folder, 'a.html')}`);
      const places = await page.locator('[data-chart]').count();
      expect(await page.locator('[data-chart] canvas').count()).toBe(places);
      // Throughput, latency and shared writes of ten, then two kinds of each loop.
      const loops = BENCHMARKS.filter(({ suite }) => suite !== 'cortenmm').length;
      expect(places).toBe(3 * 10 + 2 * loops);
      expect(await page.locator('tbody tr').count()).toBe(document.results.length);
      expect(problems).toEqual([]);
    } finally {
      await browser.close();
    }
  });
});

describe("a user's protocol", () => {
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'faultline-bench-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  async function resultsOf(file: string): Promise<BenchDocument['results']> {
    const only = ['--benchmark', 'PF', '--contention', 'low', '--json'];
    const outcome = await faultline('bench', '--protocol', `global,${file}`, ...only, ...tiny);
    expect(outcome).toMatchObject({ status: 0, stderr: '' });
    return (JSON.parse(outcome.stdout) as BenchDocument).results;
  }

  it('is measured and counted as a built-in is', { timeout: timeoutMs }, async () => {
    const file = join(folder, 'mine.ts');
    const source = "import { PROTOCOLS } from 'faultline/kernel'; export default PROTOCOLS.global;";
    writeFileSync(file, source);
    const results = await resultsOf(file);
    // With one CPU nothing but frames in caches differs, and those are not reached by atomics.
    const [builtIn, mine] = results.filter(({ cpus }) => cpus === 1);
    expect(mine?.protocol).toBe('mine.ts');
    expect(mine?.contended?.atomics).toBeGreaterThan(10);
    expect(mine?.contended?.atomics).toBe(builtIn?.contended?.atomics);
  });

  it('is not half counted when it brings its own atomics', { timeout: timeoutMs }, async () => {
    const file = join(folder, 'sources.ts');
    const global = fileURLToPath(new URL('../../kernel/locking/global.ts', import.meta.url));
    writeFileSync(file, `export { globalProtocol as default } from ${JSON.stringify(global)};`);
    const results = await resultsOf(file);
    expect(results.map(({ protocol, contended: counted }) => [protocol, counted !== null])).toEqual(
      ['global', 'sources.ts', 'global', 'sources.ts'].map((name) => [name, name === 'global']),
    );
  });
});
