/** Rows as comma-separated values, RFC 4180: one header line, one line for each row. */
import type { BenchDocument } from '../document.ts';
import { REQUESTS } from '../protocols/offsets.ts';
import type { RowResult } from '../row.ts';

/** Column names, which carry units, and how each is filled; null leaves a cell empty. */
const columns: readonly (readonly [string, (row: RowResult) => string | number | null])[] = [
  ['suite', ({ suite }) => suite],
  ['benchmark', ({ name }) => name],
  ['contention', ({ run }) => run?.contention ?? null],
  ['protocol', ({ run }) => run?.protocol ?? null],
  ['cpus', ({ run }) => run?.cpus ?? null],
  ['operations', ({ run }) => run?.operations ?? null],
  ['unit', ({ unit }) => unit],
  ['value_min', ({ value }) => value.min],
  ['value_median', ({ value }) => value.median],
  ['value_max', ({ value }) => value.max],
  ['floor_median', ({ floorValue }) => floorValue.median],
  ['ratio_min', ({ ratio }) => ratio.min],
  ['ratio_median', ({ ratio }) => ratio.median],
  ['ratio_max', ({ ratio }) => ratio.max],
  ['target', ({ target }) => target],
  ['ops_per_us_min', ({ run }) => run?.throughput.min ?? null],
  ['ops_per_us_median', ({ run }) => run?.throughput.median ?? null],
  ['ops_per_us_max', ({ run }) => run?.throughput.max ?? null],
  ['lock_waits_per_op', ({ run }) => run?.perOperation.lockWaits ?? null],
  ['fault_retries_per_op', ({ run }) => run?.perOperation.faultRetries ?? null],
  ['lock_fallbacks_per_op', ({ run }) => run?.perOperation.lockFallbacks ?? null],
  ['race_losses_per_op', ({ run }) => run?.perOperation.raceLosses ?? null],
  ['shootdowns_per_op', ({ run }) => run?.perOperation.shootdowns ?? null],
  ['ipis_per_op', ({ run }) => run?.perOperation.shootdownTargets ?? null],
  ['faults_per_op', ({ run }) => run?.perOperation.faults ?? null],
  ['shared_writes_per_op', ({ run }) => run?.contended?.sharedWrites ?? null],
  ['shared_line_writes_per_op', ({ run }) => run?.contended?.sharedLineWrites ?? null],
  ['writes_per_op', ({ run }) => run?.contended?.writes ?? null],
  ['atomics_per_op', ({ run }) => run?.contended?.atomics ?? null],
  ['failed_exchanges_per_op', ({ run }) => run?.contended?.failedExchanges ?? null],
];

const requests = Array.from({ length: REQUESTS }, (_, request) => request);

export function formatCsv({ rows }: BenchDocument): string {
  const names = columns.map(([name]) => name);
  const header = [...names, ...requests.map((request) => `request_${request}_ns`)];
  const lines = rows.map((row) => [
    ...columns.map(([, value]) => cell(value(row))),
    ...requests.map((request) => cell(row.run?.requestNs[request] ?? null)),
  ]);
  return [header, ...lines].map((cells) => `${cells.join(',')}\r\n`).join('');
}

function cell(value: string | number | null): string {
  if (value === null) return '';
  // Seven significant digits are more than any clock here gives.
  if (typeof value === 'number') return String(Number(value.toPrecision(7)));
  return /[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
}
