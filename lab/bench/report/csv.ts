/** Rows as comma-separated values, RFC 4180: one header line, one line for each row. */
import type { BenchDocument } from '../document.ts';
import { REQUESTS } from '../protocols/offsets.ts';
import type { ProtocolRun } from '../protocols/protocol-run.ts';
import type { RowResult } from '../row.ts';
import type { Spread } from '../statistics.ts';

/** A column's name, which carries its unit, and its cells; undefined leaves one empty. */
type Column = readonly [name: string, value: (row: RowResult) => string | number | undefined];

function spread(name: string, of: (row: RowResult) => Spread | undefined): Column[] {
  const parts = ['min', 'median', 'max'] as const;
  return parts.map((part) => [`${name}_${part}`, (row) => of(row)?.[part]]);
}

function count(name: string, of: (run: ProtocolRun) => number | undefined): Column {
  return [`${name}_per_op`, ({ run }) => (run === null ? undefined : of(run))];
}

const requests: readonly number[] = Array.from({ length: REQUESTS }, (_, request) => request);

const columns: readonly Column[] = [
  ['suite', ({ suite }) => suite],
  ['benchmark', ({ name }) => name],
  ['contention', ({ run }) => run?.contention],
  ['protocol', ({ run }) => run?.protocol],
  ['cpus', ({ run }) => run?.cpus],
  ['operations', ({ run }) => run?.operations],
  ['unit', ({ unit }) => unit],
  ...spread('value', ({ value }) => value),
  ['floor_median', ({ floorValue }) => floorValue.median],
  ...spread('ratio', ({ ratio }) => ratio),
  ['target', ({ target }) => target ?? undefined],
  ...spread('ops_per_us', ({ run }) => run?.throughput),
  count('lock_waits', ({ perOperation }) => perOperation.lockWaits),
  count('fault_retries', ({ perOperation }) => perOperation.faultRetries),
  count('lock_fallbacks', ({ perOperation }) => perOperation.lockFallbacks),
  count('race_losses', ({ perOperation }) => perOperation.raceLosses),
  count('shootdowns', ({ perOperation }) => perOperation.shootdowns),
  count('ipis', ({ perOperation }) => perOperation.shootdownTargets),
  count('faults', ({ perOperation }) => perOperation.faults),
  count('shared_writes', ({ contended }) => contended?.sharedWrites),
  count('shared_line_writes', ({ contended }) => contended?.sharedLineWrites),
  count('writes', ({ contended }) => contended?.writes),
  count('atomics', ({ contended }) => contended?.atomics),
  count('failed_exchanges', ({ contended }) => contended?.failedExchanges),
  ...requests.map((at): Column => [`request_${at}_ns`, ({ run }) => run?.requestNs[at]]),
];

export function formatCsv({ rows }: BenchDocument): string {
  const header = columns.map(([name]) => name);
  const lines = rows.map((row) => columns.map(([, value]) => cell(value(row))));
  return [header, ...lines].map((cells) => `${cells.join(',')}\r\n`).join('');
}

function cell(value: string | number | undefined): string {
  if (value === undefined) return '';
  // Seven significant digits are more than any clock here gives.
  if (typeof value === 'number') return String(Number(value.toPrecision(7)));
  return /[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
}
