/** A document as tables of text, which the terminal and the HTML file show alike. */
import type { BenchDocument, Change } from '../document.ts';
import { groupRows, protocolRows } from '../row.ts';
import type { ProtocolRow, RowResult } from '../row.ts';
import type { Spread } from '../statistics.ts';
import { countCpus, describeHottest, describeSpread } from './describe.ts';

export interface ReportTable {
  /** Empty for the only table of its kind. */
  readonly title: string;
  readonly header: readonly string[];
  /** A letter a column: l or r. */
  readonly alignment: string;
  readonly rows: readonly (readonly string[])[];
  /** Lines under the table. */
  readonly notes: readonly string[];
}

/** A column's head, which way its cells are aligned, and what stands in them. */
type Column<T> = readonly [head: string, align: 'l' | 'r', cell: (of: T) => string];

function tableOf<T>(
  title: string,
  columns: readonly Column<T>[],
  all: readonly T[],
  notes: readonly string[] = [],
): ReportTable {
  return {
    title,
    header: columns.map(([head]) => head),
    alignment: columns.map(([, align]) => align).join(''),
    rows: all.map((one) => columns.map(([, , cell]) => cell(one))),
    notes,
  };
}

const rowColumns: readonly Column<RowResult>[] = [
  ['row', 'l', ({ name }) => name],
  ['', 'l', ({ what }) => what],
  ['figure', 'r', ({ value, unit }) => `${threeDigits(value.median)} ${unit}`],
  ['floor', 'r', ({ floorValue }) => threeDigits(floorValue.median)],
  ['', 'l', ({ floor }) => floor],
  ['ratio', 'r', ({ ratio }) => ratio.median.toFixed(2)],
  ['min–max', 'r', ({ ratio }) => describeSpread(ratio, 2)],
  [
    'target',
    'r',
    ({ better, target }) => (target === null ? '' : `${better === 'less' ? '≤' : '≥'} ${target}`),
  ],
  ['', 'l', ({ isReached }) => (isReached ? '' : 'missed')],
];

const runColumns: readonly Column<ProtocolRow>[] = [
  ['protocol', 'l', ({ run }) => run.protocol],
  ['CPUs', 'r', ({ run }) => String(run.cpus)],
  ['ns/op', 'r', ({ value }) => value.median.toFixed(0)],
  ['min–max', 'r', ({ value }) => describeSpread(value)],
  ['ops/us', 'r', ({ run }) => run.throughput.median.toFixed(3)],
  ['×CAS', 'r', ({ ratio }) => ratio.median.toFixed(0)],
  ['waits', 'r', ({ run }) => rate(run.perOperation.lockWaits)],
  ['retries', 'r', ({ run }) => rate(run.perOperation.faultRetries)],
  ['fallb.', 'r', ({ run }) => rate(run.perOperation.lockFallbacks)],
  ['losses', 'r', ({ run }) => rate(run.perOperation.raceLosses)],
  ['IPIs', 'r', ({ run }) => rate(run.perOperation.shootdownTargets)],
  ['shared', 'r', ({ run }) => rate(run.contended?.sharedWrites)],
  ['lines', 'r', ({ run }) => rate(run.contended?.sharedLineWrites)],
  ['failed', 'r', ({ run }) => rate(run.contended?.failedExchanges)],
];

/** A table for each suite of single rows, one for each benchmark and contention of the others. */
export function tablesOf({ rows, options }: BenchDocument): ReportTable[] {
  const single = options.suites.flatMap((suite) => {
    const own = rows.filter((row) => row.suite === suite && row.run === null);
    return own.length === 0 ? [] : [tableOf(suite, rowColumns, own)];
  });
  const groups = groupRows(protocolRows(rows), ({ suite, name, run: { contention } }) =>
    contention === 'none' ? `${suite} ${name}` : `${suite} ${name}, ${contention} contention`,
  );
  const most = Math.max(...options.cpus);
  const published = [...groups].map(([title, all]) =>
    tableOf(title, runColumns, all, hottestNotes(all, most)),
  );
  return [...single, ...published];
}

function hottestNotes(all: readonly ProtocolRow[], most: number): string[] {
  const words = all.flatMap(({ run: { protocol, cpus, contended } }) => {
    const text = describeHottest(contended, 6);
    return cpus === most && text !== '' ? [`  ${protocol.padEnd(7)} ${text}`] : [];
  });
  return words.length === 0 ? [] : [`most written shared words, ${countCpus(most)}:`, ...words];
}

/** What is not in the tables, and what their columns mean, as far as the document has them. */
export function notesOf({ rows, options, skipped }: BenchDocument): string[] {
  const missing = skipped.map(({ name, why }) => `not measured: ${name}: ${why}`);
  const notes = missing.length === 0 ? [] : [missing.join('\n')];
  if (rows.some(({ run }) => run === null)) {
    notes.push(
      `Medians of ${options.repeat} repetitions. The ratio is that of each repetition's ` +
        'figure and floor.',
    );
  }
  if (rows.some(({ run }) => run !== null)) {
    notes.push(
      'ns/op: median of the repetitions · ×CAS: against a bare compare-exchange of this run\n' +
        'per operation: waits for locks, fault retries, fallbacks of vma, lost races for an\n' +
        'entry, IPIs (CPUs that a shootdown waited for), shared: writes to words that two CPUs\n' +
        'touched, lines: the same for cache lines, failed: compare-exchanges that found another\n' +
        'value.',
    );
  }
  return notes;
}

/** What changed since an earlier document. */
export function changesTable(changes: readonly Change[]): ReportTable {
  const range = (ratio: Spread): string =>
    `${ratio.median.toFixed(2)} (${describeSpread(ratio, 2)})`;
  const columns: readonly Column<Change>[] = [
    ['row', 'l', ({ name }) => name],
    ['before', 'r', ({ before }) => range(before)],
    ['after', 'r', ({ after }) => range(after)],
    ['', 'r', ({ factor }) => `×${factor.toFixed(2)}`],
    ['', 'l', ({ verdict }) => (verdict === 'noise' ? '' : verdict)],
  ];
  const title = 'Ratios before and after; better or worse only where the ranges do not touch';
  return tableOf(title, columns, changes);
}

function threeDigits(value: number): string {
  return value.toFixed(Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2);
}

/** A count for each operation: '–' when it was not measured, '.' for none at all. */
function rate(value: number | undefined): string {
  if (value === undefined) return '–';
  if (value === 0) return '.';
  return value < 0.005 ? '<.01' : value.toFixed(value < 10 ? 2 : 0);
}
