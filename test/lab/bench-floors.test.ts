/*
 * Goal: the table of `faultline bench` is complete, each figure stands over a floor of the same
 * repetition, and --compare tells a change from noise. Method: documents made up for the
 * comparison; one short run of the built command. No test looks at how long anything took.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { parseFloors } from '../../cli/bench-floors-request.ts';
import { asksForFloors } from '../../cli/bench-request.ts';
import { UsageError } from '../../cli/usage-error.ts';
import { compareDocuments } from '../../lab/bench/floors/floor-results.ts';
import type { FloorDocument } from '../../lab/bench/floors/floor-results.ts';
import { compileHostProgram } from '../../lab/bench/floors/host-program.ts';
import { MISSING_ROWS, ROWS } from '../../lab/bench/floors/rows.ts';
import { faultline } from '../support/command.ts';
import type { CommandOutcome } from '../support/command.ts';

const timeoutMs = 120_000;

/** A document of one row with these ratios: smallest, median, largest. */
function documentOf(better: 'less' | 'more', ratios: [number, number, number]): FloorDocument {
  const [min, median, max] = ratios;
  const one = { min, median, max };
  const row = { name: 'fault', what: '', floor: '', unit: 'ns', target: 1 } as const;
  const rows = [{ ...row, better, value: one, floorValue: one, ratio: one, isReached: true }];
  return { kind: 'floors', rows } as unknown as FloorDocument;
}

describe('the comparison of two documents', () => {
  it.each([
    ['less', [1, 2, 3], [0.5, 0.6, 0.9], 'better'],
    ['less', [1, 2, 3], [3.5, 4, 5], 'worse'],
    ['less', [1, 2, 3], [0.5, 0.6, 1], 'noise'],
    ['more', [1, 2, 3], [3.5, 4, 5], 'better'],
    ['more', [1, 2, 3], [0.1, 0.2, 0.3], 'worse'],
  ] as const)('%s is better: %j then %j is %s', (better, before, after, verdict) => {
    const changes = compareDocuments(
      documentOf(better, [...before]),
      documentOf(better, [...after]),
    );
    expect(changes).toHaveLength(1);
    expect(changes[0]).toMatchObject({ name: 'fault', verdict });
    expect(changes[0]?.factor).toBeCloseTo(after[1] / before[1]);
  });
});

describe('the command line', () => {
  it.each([
    [true, []],
    [true, ['--json', '--repeat', '3']],
    [true, ['--suite', 'floors', '--row', 'fault']],
    [true, ['--suite=floors']],
    [false, ['--suite', 'radixvm']],
    [false, ['--benchmark', 'PF']],
    [false, ['--protocol=rcu']],
    [false, ['--help']],
  ])('means the table: %s for %j', (expected, args) => {
    expect(asksForFloors(args)).toBe(expected);
  });

  it.each([
    ["no row is called 'faults'; did you mean fault?", '--row', 'faults'],
    ['unknown option --rows; did you mean --row?', '--rows', 'fault'],
    ['--repeat must be an integer from 1 to 10000', '--repeat', '0'],
    ['--compare ./none.json: ENOENT', '--compare', './none.json'],
    ['--compare package.json: is no document', '--compare', 'package.json'],
  ])('%s', (message, ...args) => {
    const parse = (): unknown => parseFloors(args);
    expect(parse).toThrow(UsageError);
    expect(parse).toThrow(message);
  });

  it('names each row once', () => {
    const names = [...ROWS, ...MISSING_ROWS].map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
  });
});

describe('a short run', () => {
  const folder = mkdtempSync(join(tmpdir(), 'faultline-bench-'));
  const earlier = join(folder, 'earlier.json');
  let outcome: CommandOutcome;
  let document: FloorDocument & { changes?: unknown[] };

  beforeAll(async () => {
    const before = documentOf('less', [1, 2, 3]);
    writeFileSync(earlier, JSON.stringify(before));
    outcome = await faultline('bench', '--repeat', '1', '--json', '--compare', earlier);
    document = JSON.parse(outcome.stdout) as FloorDocument;
  }, timeoutMs);

  afterAll(() => rmSync(folder, { recursive: true }));

  it('ends with a clean audit', () => {
    expect(outcome).toMatchObject({ status: 0, stderr: '' });
    expect(document.violations).toEqual([]);
  });

  it('has every row that the host can measure, with its floor', () => {
    const host = compileHostProgram(null);
    host?.dispose();
    const skipped = document.skipped.map(({ name }) => name);
    for (const row of ROWS) {
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

  it('says what changed since the earlier document', () => {
    const compared = document.rows.some(({ name }) => name === 'fault') ? 1 : 0;
    expect(document.changes).toHaveLength(compared);
  });
});
