/** The table of floors as text for the terminal. */
import { describeMachine, describeSpread } from '../lab/bench/describe.ts';
import type { Change, FloorDocument, RowResult } from '../lab/bench/floors/floor-results.ts';
import type { Spread } from '../lab/bench/statistics.ts';
import { formatTable } from './text-table.ts';

export function formatFloors(document: FloorDocument): string {
  const header = ['row', '', 'figure', 'floor', '', 'ratio', 'min–max', 'target', ''];
  const table = formatTable(header, document.rows.map(cellsOf), 'llrrlrrrl');
  const skipped = document.skipped.map(({ name, why }) => `not measured: ${name}: ${why}`);
  const { violations } = document;
  const verdict =
    violations.length === 0
      ? 'audit: clean'
      : `audit: ${violations.length} violations\n${violations.join('\n')}`;
  const legend =
    `Medians of ${document.options.repeat} repetitions. The ratio is that of each repetition's ` +
    'figure and floor.';
  const parts = [describeMachine(document).join('\n'), table, skipped.join('\n'), legend, verdict];
  return parts.filter((part) => part !== '').join('\n\n');
}

function cellsOf(row: RowResult): string[] {
  const sign = row.better === 'less' ? '≤' : '≥';
  return [
    row.name,
    row.what,
    `${digits(row.value.median)} ${row.unit}`,
    digits(row.floorValue.median),
    row.floor,
    row.ratio.median.toFixed(2),
    describeSpread(row.ratio, 2),
    row.target === null ? '' : `${sign} ${row.target}`,
    row.isReached ? '' : 'missed',
  ];
}

/** Three digits that mean something. */
function digits(value: number): string {
  return value.toFixed(Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2);
}

/** What changed since an earlier document. */
export function formatChanges(changes: readonly Change[]): string {
  const range = (ratio: Spread): string =>
    `${ratio.median.toFixed(2)} (${describeSpread(ratio, 2)})`;
  const rows = changes.map(({ name, before, after, factor, verdict }) => [
    name,
    range(before),
    range(after),
    `×${factor.toFixed(2)}`,
    verdict === 'noise' ? '' : verdict,
  ]);
  const title = 'Ratios before and after; better or worse only where the ranges do not touch';
  return `${title}\n${formatTable(['row', 'before', 'after', '', ''], rows, 'lrrrl')}`;
}
