/*
 * Goal: every benchmark leaves a clean machine and reports figures that agree with what it did, in
 * every format. Method: tiny runs of the built command. No test looks at how long anything took.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { PROTOCOL_NAMES } from '../../kernel/locking/protocols.ts';
import type { BenchDocument } from '../../lab/bench/document.ts';
import { FLOOR_ROWS } from '../../lab/bench/machine/floor-rows.ts';
import { compileHostProgram } from '../../lab/bench/machine/host-program.ts';
import { BENCHMARKS } from '../../lab/bench/protocols/benchmarks.ts';
import { REQUESTS } from '../../lab/bench/protocols/offsets.ts';
import { protocolRows } from '../../lab/bench/row.ts';
import type { ProtocolRow } from '../../lab/bench/row.ts';
import { chromium, launchChromium } from '../support/needs.ts';
import { faultline } from '../support/command.ts';
import type { CommandOutcome } from '../support/command.ts';

/** The smallest run there is, of everything. */
const tiny = ['--cpus', '1,2', '--runs', '4', '--repeat', '1', '--warm-up', '0', '--no-pin'];
const timeoutMs = 120_000;

const folder = mkdtempSync(join(tmpdir(), 'faultline-bench-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('a tiny run of every benchmark on protocols', () => {
  let outcome: CommandOutcome;
  let document: BenchDocument;

  beforeAll(async () => {
    const suites = ['--suite', 'cortenmm,radixvm,will-it-scale'];
    const sizes = ['--iterations', '2', '--region', '256KiB'];
    const files = ['--csv', join(folder, 'a.csv'), '--html', join(folder, 'a.html'), '--json'];
    outcome = await faultline('bench', ...suites, ...sizes, ...tiny, ...files);
    if (outcome.status === 0) document = JSON.parse(outcome.stdout) as BenchDocument;
  }, timeoutMs);

  it('ends with a clean audit and no leaked frame', () => {
    expect(outcome.stderr).toMatch(/^bench: [^\n]*\n$/);
    expect(outcome.status).toBe(0);
    expect(document.violations).toEqual([]);
  });

  it('has a row for each benchmark, contention, protocol and number of CPUs', () => {
    const points = BENCHMARKS.reduce((sum, { suite }) => sum + (suite === 'cortenmm' ? 2 : 1), 0);
    const rows = protocolRows(document.rows);
    expect(rows).toHaveLength(points * 2 * PROTOCOL_NAMES.length);
    for (const { suite, value, ratio, run } of rows) {
      expect(value.min).toBeGreaterThan(0);
      expect(ratio.median).toBeGreaterThan(0);
      expect(run.throughput.median).toBeGreaterThan(0);
      expect(run.requestNs).toHaveLength(suite === 'cortenmm' ? REQUESTS : 0);
    }
  });

  it('counts what the operations did', () => {
    for (const { suite, name, run } of protocolRows(document.rows)) {
      const { cpus, perOperation, contended: counted, protocol } = run;
      const where = `${name} ${run.contention} ${protocol} ${cpus}`;
      if (suite === 'cortenmm') expect(run.operations, where).toBe(4 * REQUESTS);
      if (['PF', 'mmap-PF', 'local', 'page_fault1'].includes(name)) {
        expect(perOperation.faults, where).toBe(1);
      }
      if (['mmap', 'unmap', 'unmap-virt', 'mmap1'].includes(name)) {
        expect(perOperation.faults, where).toBe(0);
      }
      if (protocol === 'global' && cpus === 2 && name === 'PF') {
        // Each fault takes the space's lock and gives it back.
        const lock = counted?.hottest.find((word) => word.name === 'space AREA_LOCK');
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

  it('writes a CSV with a line for each row', () => {
    const lines = readFileSync(join(folder, 'a.csv'), 'utf8').split('\r\n');
    const [header = '', ...rows] = lines;
    expect(rows.pop()).toBe('');
    expect(rows).toHaveLength(document.rows.length);
    const columns = header.split(',');
    expect(columns).toContain('shared_writes_per_op');
    expect(columns.at(-1)).toBe('request_31_ns');
    for (const row of rows) expect(row.split(',')).toHaveLength(columns.length);
    const at = columns.indexOf('value_median');
    expect(Number(rows[0]?.split(',')[at])).toBeCloseTo(document.rows[0]?.value.median ?? NaN, 0);
  });

  // Throughput, latency and shared writes of ten, then two kinds of each loop.
  const loops = BENCHMARKS.filter(({ suite }) => suite !== 'cortenmm').length;
  const charts = 3 * 10 + 2 * loops;

  it('writes charts and tables that need nothing else', () => {
    const html = readFileSync(join(folder, 'a.html'), 'utf8');
    expect(html.match(/role="img"/g)).toHaveLength(charts);
    expect(html.match(/<tr>/g)?.length).toBeGreaterThan(document.rows.length);
    const [before = '', after = ''] = html.split(/<script>.*<\/script>/s);
    expect(before + after).not.toMatch(/NaN|undefined|Infinity|src=|href=|url\(|@import/);
  });

  it.skipIf(chromium() === null)('draws its charts in Chromium', async () => {
    const browser = await launchChromium();
    try {
      const page = await browser.newPage();
      const problems: string[] = [];
      page.on('pageerror', (error) => problems.push(error.message));
      page.on('request', (request) => {
        if (!request.url().startsWith('file:')) problems.push(request.url());
      });
      await page.goto(`file://${join(folder, 'a.html')}`);
      expect(await page.locator('canvas:visible').count()).toBe(charts);
      expect(await page.locator('tbody tr').count()).toBe(document.rows.length);
      expect(problems).toEqual([]);
    } finally {
      await browser.close();
    }
  });
});

describe("a user's protocol", () => {
  async function rowsOf(file: string): Promise<ProtocolRow[]> {
    const only = ['--benchmark', 'PF', '--contention', 'low', '--json'];
    const outcome = await faultline('bench', '--protocol', `global,${file}`, ...only, ...tiny);
    expect(outcome).toMatchObject({
      status: 0,
      stderr: expect.stringMatching(/^bench: [^\n]*\n$/) as string,
    });
    return protocolRows((JSON.parse(outcome.stdout) as BenchDocument).rows);
  }

  it('is measured and counted as a built-in is', { timeout: timeoutMs }, async () => {
    const file = join(folder, 'mine.ts');
    const source = "import { PROTOCOLS } from 'faultline/kernel'; export default PROTOCOLS.global;";
    writeFileSync(file, source);
    const rows = await rowsOf(file);
    // With one CPU nothing but frames in caches differs, and those are not reached by atomics.
    const [builtIn, mine] = rows.map(({ run }) => run).filter(({ cpus }) => cpus === 1);
    expect(mine?.protocol).toBe('mine.ts');
    expect(mine?.contended?.atomics).toBeGreaterThan(10);
    expect(mine?.contended?.atomics).toBe(builtIn?.contended?.atomics);
  });

  it('is not half counted when it brings its own atomics', { timeout: timeoutMs }, async () => {
    const file = join(folder, 'sources.ts');
    const global = fileURLToPath(new URL('../../kernel/locking/global.ts', import.meta.url));
    writeFileSync(file, `export { globalProtocol as default } from ${JSON.stringify(global)};`);
    const rows = await rowsOf(file);
    expect(rows.map(({ run }) => [run.protocol, run.contended !== null])).toEqual(
      ['global', 'sources.ts', 'global', 'sources.ts'].map((name) => [name, name === 'global']),
    );
  });
});

describe('a short run of the table', () => {
  let outcome: CommandOutcome;
  let document: BenchDocument;

  beforeAll(async () => {
    // As an earlier version wrote it.
    const ratio = { min: 1, median: 2, max: 3 };
    const earlier = join(folder, 'earlier.json');
    writeFileSync(earlier, JSON.stringify({ kind: 'floors', rows: [{ name: 'boot', ratio }] }));
    const files = ['--compare', earlier, '--html', join(folder, 'b.html')];
    outcome = await faultline('bench', '--repeat', '1', '--json', ...files);
    document = JSON.parse(outcome.stdout) as BenchDocument;
  }, timeoutMs);

  it('ends with a clean audit', () => {
    expect(outcome).toMatchObject({
      status: 0,
      stderr: expect.stringMatching(/^bench: [^\n]*\n$/) as string,
    });
    expect(document.violations).toEqual([]);
  });

  it('has every row that the host can measure, with its floor', () => {
    const host = compileHostProgram(null);
    host?.dispose();
    const skipped = document.skipped.map(({ name }) => name);
    for (const row of FLOOR_ROWS) {
      const result = document.rows.find(({ name }) => name === row.name);
      if (result === undefined) {
        expect(skipped, row.name).toContain(row.name);
        expect(row.sources.includes('host') && host !== null, row.name).toBe(false);
        continue;
      }
      expect(result.floorValue.median, row.name).toBeGreaterThan(0);
      expect(Number.isFinite(result.value.median), row.name).toBe(true);
      expect(result.ratio.median, row.name).toBeCloseTo(
        result.value.median / result.floorValue.median,
      );
    }
  });

  it('says what changed since an earlier document', () => {
    expect(document.changes).toMatchObject([{ name: 'boot', before: { median: 2 } }]);
  });

  it('shows every row in the HTML file', () => {
    const html = readFileSync(join(folder, 'b.html'), 'utf8');
    for (const { name } of document.rows) expect(html).toContain(`>${name}</td>`);
  });
});

it("measures the engine's parts of an access", { timeout: timeoutMs }, async () => {
  const names = ['hit-tag', 'hit-tag-64-pages', 'zero-copy'];
  const outcome = await faultline('bench', '--row', names.join(','), '--repeat', '1', '--json');
  expect(outcome).toMatchObject({
    status: 0,
    stderr: expect.stringMatching(/^bench: [^\n]*\n$/) as string,
  });
  const { rows } = JSON.parse(outcome.stdout) as BenchDocument;
  expect(rows.map(({ name }) => name)).toEqual(names);
  for (const { value, floorValue } of rows) {
    expect(Math.min(value.median, floorValue.median)).toBeGreaterThan(0);
  }
});
