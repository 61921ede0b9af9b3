/** Results as comma-separated values, RFC 4180: one header line, one line for each result. */
import { REQUESTS } from './offsets.ts';
import type { BenchDocument, BenchResult } from './results.ts';

/** Column names, which carry units, and how each is filled. */
const columns: readonly (readonly [string, (result: BenchResult) => string | number | null])[] = [
  ['suite', ({ suite }) => suite],
  ['benchmark', ({ benchmark }) => benchmark],
  ['contention', ({ contention }) => contention],
  ['protocol', ({ protocol }) => protocol],
  ['cpus', ({ cpus }) => cpus],
  ['operations', ({ operations }) => operations],
  ['latency_ns_min', ({ latencyNs }) => latencyNs.min],
  ['latency_ns_median', ({ latencyNs }) => latencyNs.median],
  ['latency_ns_max', ({ latencyNs }) => latencyNs.max],
  ['ops_per_us_min', ({ throughput }) => throughput.min],
  ['ops_per_us_median', ({ throughput }) => throughput.median],
  ['ops_per_us_max', ({ throughput }) => throughput.max],
  ['floor_ratio', ({ floorRatio }) => floorRatio],
  ['lock_waits_per_op', ({ perOperation }) => perOperation.lockWaits],
  ['fault_retries_per_op', ({ perOperation }) => perOperation.faultRetries],
  ['lock_fallbacks_per_op', ({ perOperation }) => perOperation.lockFallbacks],
  ['race_losses_per_op', ({ perOperation }) => perOperation.raceLosses],
  ['shootdowns_per_op', ({ perOperation }) => perOperation.shootdowns],
  ['ipis_per_op', ({ perOperation }) => perOperation.shootdownTargets],
  ['faults_per_op', ({ perOperation }) => perOperation.faults],
  ['shared_writes_per_op', ({ contended }) => contended?.sharedWrites ?? null],
  ['shared_line_writes_per_op', ({ contended }) => contended?.sharedLineWrites ?? null],
  ['writes_per_op', ({ contended }) => contended?.writes ?? null],
  ['atomics_per_op', ({ contended }) => contended?.atomics ?? null],
  ['failed_exchanges_per_op', ({ contended }) => contended?.failedExchanges ?? null],
];

const requests = Array.from({ length: REQUESTS }, (_, request) => request);

export function formatCsv({ results }: BenchDocument): string {
  const names = columns.map(([name]) => name);
  const header = [...names, ...requests.map((request) => `request_${request}_ns`)];
  const lines = results.map((result) => [
    ...columns.map(([, value]) => cell(value(result))),
    ...requests.map((request) => cell(result.requestNs[request] ?? null)),
  ]);
  return [header, ...lines].map((cells) => `${cells.join(',')}\r\n`).join('');
}

function cell(value: string | number | null): string {
  if (value === null) return '';
  // Seven significant digits are more than any clock here gives.
  if (typeof value === 'number') return String(Number(value.toPrecision(7)));
  return /[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
}
