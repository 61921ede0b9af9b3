/*
 * Goal: the benchmarks put their requests exactly where the published ones do, count what threads
 * share, tell a change from noise, and refuse a command line that means nothing. Method: formulas
 * against figures computed from the originals; documents made up for the comparison.
 */
import { describe, expect, it } from 'vitest';

import { parseBench } from '../../cli/bench-request.ts';
import type { BenchRequest } from '../../cli/bench-request.ts';
import { UsageError } from '../../cli/usage-error.ts';
import { PROTOCOL_NAMES } from '../../kernel/locking/protocols.ts';
import { compareDocuments } from '../../lab/bench/document.ts';
import { parseCpuList } from '../../lab/bench/host.ts';
import { rowOf } from '../../lab/bench/machine/machine-row.ts';
import { BENCHMARKS, placementOf } from '../../lab/bench/protocols/benchmarks.ts';
import { contended } from '../../lab/bench/protocols/contention.ts';
import * as counting from '../../lab/bench/protocols/counting-atomics.ts';
import {
  REQUESTS,
  nextRandom,
  requestOffsets,
  shuffle,
  shuffleSeed,
} from '../../lab/bench/protocols/offsets.ts';
import type { Placement } from '../../lab/bench/protocols/offsets.ts';
import { resultOf } from '../../lab/bench/row.ts';
import type { Row, RowResult } from '../../lab/bench/row.ts';
import { spreadOf } from '../../lab/bench/statistics.ts';
import { LISTED } from '../../lab/bench/suites.ts';
import { measureInTurns } from '../../lab/bench/turns.ts';
import * as atomics from '../../shared/atomics.ts';

const place = (requestPages: number, padPages: number) => ({ requestPages, padPages });

interface LeafSharing {
  /** Leaf tables that any thread uses. */
  readonly leaves: number;
  /** Of these, the ones that more than one thread uses. */
  readonly shared: number;
}

/** How many leaf tables of `leafPages` entries the threads share, the base being aligned to one. */
function leafSharing(
  place: Placement,
  threads: number,
  shuffled: boolean,
  leafPages: number,
): LeafSharing {
  const users = new Map<number, Set<number>>();
  requestOffsets(place, threads, shuffled).forEach((offset, index) => {
    const thread = Math.floor(index / REQUESTS);
    for (let page = offset; page < offset + place.requestPages; page++) {
      const leaf = Math.floor(page / leafPages);
      const seen = users.get(leaf) ?? new Set();
      users.set(leaf, seen.add(thread));
    }
  });
  const shared = [...users.values()].filter((threadsOfLeaf) => threadsOfLeaf.size > 1);
  return { leaves: users.size, shared: shared.length };
}

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

/** A row whose figure and floor are those of each repetition. */
const plain: Row<readonly [number, number]> = {
  ...{ suite: 'floors', name: 'fault', what: '', floor: '', unit: 'ns', target: 2, better: 'less' },
  value: ([value]) => value,
  floorOf: ([, floor]) => floor,
};

describe('a row', () => {
  it('divides within each repetition', () => {
    const result = resultOf(plain, [
      [10, 10],
      [30, 10],
      [80, 20],
    ]);
    expect(result.value).toEqual({ min: 10, median: 30, max: 80 });
    expect(result.floorValue).toEqual({ min: 10, median: 10, max: 20 });
    expect(result.ratio).toEqual({ min: 1, median: 3, max: 4 });
    expect(result.isReached).toBe(false);
  });

  it('does not compile with a figure that its sources do not measure', () => {
    const head = { suite: 'floors', name: '', what: '', floor: '', target: null } as const;
    const row = rowOf(head, {
      sources: ['hits'],
      // @ts-expect-error There is no such access.
      value: ({ hits }) => Number(hits.loadSequental),
      // @ts-expect-error This source is not named.
      floorOf: (figures) => Number(figures.local),
    });
    expect(row).toMatchObject({ unit: 'ns', better: 'less' });
  });

  it('has a name of its own', () => {
    expect(new Set(LISTED.map(({ name }) => name)).size).toBe(LISTED.length);
  });

  it('comes from sources that take turns, without the repetition that warms up', async () => {
    const turns: string[] = [];
    const source = (name: string) => ({
      name,
      measure: (repetition: number): string => {
        turns.push(`${name}${repetition}`);
        return `${name}${repetition}`;
      },
    });
    const orders = [
      [0, 1],
      [1, 0],
      [1, 0],
    ];
    const nextOrder = (): number[] => orders.shift() ?? [];
    const figures = await measureInTurns([source('a'), source('b')], { repeat: 2, nextOrder });
    expect(turns).toEqual(['a0', 'b0', 'b1', 'a1', 'b2', 'a2']);
    expect(figures).toEqual([
      ['a1', 'b1'],
      ['a2', 'b2'],
    ]);
  });
});

/** A document of one row with these ratios: smallest, median, largest. */
function documentOf(better: 'less' | 'more', ratios: readonly [number, number, number]) {
  const [min, median, max] = ratios;
  const rows = [{ ...plain, better, ratio: { min, median, max }, run: null }];
  return { rows: rows as unknown as RowResult[] };
}

describe('the comparison of two documents', () => {
  it.each([
    ['less', [1, 2, 3], [0.5, 0.6, 0.9], 'better'],
    ['less', [1, 2, 3], [3.5, 4, 5], 'worse'],
    ['less', [1, 2, 3], [0.5, 0.6, 1], 'noise'],
    ['more', [1, 2, 3], [3.5, 4, 5], 'better'],
    ['more', [1, 2, 3], [0.1, 0.2, 0.3], 'worse'],
  ] as const)('%s is better: %j then %j is %s', (better, before, after, verdict) => {
    const changes = compareDocuments(documentOf(better, before), documentOf(better, after));
    expect(changes).toHaveLength(1);
    expect(changes[0]).toMatchObject({ name: 'fault', verdict });
    expect(changes[0]?.factor).toBeCloseTo(after[1] / before[1]);
  });
});

describe('the command line of bench', () => {
  const parse = (...args: string[]): BenchRequest => {
    const request = parseBench(args);
    if (typeof request === 'string') throw new Error(request);
    return request;
  };

  it('has the documented defaults', () => {
    const request = parse('--protocol', PROTOCOL_NAMES.join(','));
    expect(request.protocols).toEqual(PROTOCOL_NAMES);
    expect(request.options).toMatchObject({
      contentions: ['low', 'high'],
      repeat: 5,
      regionBytes: 128 * 2 ** 20,
      doubledStrides: false,
      seed: 1,
    });
    expect(parse().options).toMatchObject({ repeat: 7, pin: true, benchmarks: [] });
  });

  it.each([
    [['floors'], []],
    [['floors'], ['--json', '--repeat', '3', '--csv', 'f.csv']],
    [['floors'], ['--suite', 'floors', '--row', 'fault']],
    [['floors'], ['--row', 'fault,load-random']],
    [['radixvm'], ['--suite=radixvm']],
    [['cortenmm'], ['--benchmark', 'PF']],
    [['cortenmm'], ['--protocol=rcu']],
    [['cortenmm'], ['--no-count']],
    [
      ['floors', 'radixvm'],
      ['--benchmark', 'fault', '--row', 'local'],
    ],
    [
      ['cortenmm', 'floors'],
      ['--suite', 'cortenmm,floors'],
    ],
  ])('means %j by %j', (suites, args) => {
    expect(parse(...args).options.suites).toEqual(suites);
  });

  it.each([
    ["no suite is called 'corten'; did you mean cortenmm?", '--suite', 'corten'],
    [
      "no benchmark is called 'local'; known: mmap, mmap-PF, PF, unmap-virt, unmap",
      ...['--suite', 'cortenmm', '--benchmark', 'local'],
    ],
    ["no row is called 'faults'; did you mean fault?", '--row', 'faults'],
    ['unknown option --rows; did you mean --row?', '--rows', 'fault'],
    ["--cpus must be an integer from 1 to 31, got '32'", '--cpus', '1,32'],
    ["no protocol is called 'rcv'; did you mean rcu?", '--protocol', 'rcu,rcv'],
    ["'./none.ts' does not exist", '--protocol', './none.ts'],
    ["bench takes options only, not 'x'; see faultline bench --help", 'x'],
    ['--repeat must be an integer from 1 to 1000000', '--repeat', '0'],
    ['--compare ./none.json: ENOENT', '--compare', './none.json'],
    ['--compare package.json: is no document', '--compare', 'package.json'],
    [
      '--cpus is for the suites cortenmm, radixvm, will-it-scale',
      ...['--suite', 'floors', '--cpus', '1'],
    ],
    [
      '31 CPUs with a region and a file each exceed 4GiB; choose a smaller --region',
      ...['--suite', 'will-it-scale', '--cpus', '31'],
    ],
  ])('%s', (message, ...args) => {
    expect(() => parse(...args)).toThrow(UsageError);
    expect(() => parse(...args)).toThrow(message);
  });
});
