/** A benchmark document as text for the terminal. */
import type { BenchDocument, BenchResult } from '../lab/bench/results.ts';
import { describeHost, describeHottest, describeSpread } from '../lab/bench/describe.ts';
import { formatTable } from './text-table.ts';

const header = [
  ...['protocol', 'CPUs', 'ns/op', 'min–max', 'ops/us', '×CAS'],
  ...['waits', 'retries', 'fallb.', 'losses', 'IPIs', 'shared', 'lines', 'failed'],
];
const alignment = 'lrrrrrrrrrrrrr';

const legend = `ns/op: median of the repetitions${' '}\
· ×CAS: against a bare compare-exchange of this run · per operation: waits for
locks, fault retries, fallbacks of vma, lost races for an entry, IPIs (CPUs that a shootdown waited
for), shared: writes to words that two CPUs touched, lines: the same for cache lines, failed:
compare-exchanges that found another value.`;

export function formatBench(document: BenchDocument): string {
  const most = Math.max(...document.options.cpus);
  const groups = new Map<string, BenchResult[]>();
  for (const result of document.results) {
    const contention = result.contention === 'none' ? '' : `, ${result.contention} contention`;
    const title = `${result.suite} ${result.benchmark}${contention}`;
    groups.set(title, [...(groups.get(title) ?? []), result]);
  }
  const tables = [...groups].map(([title, results]) => {
    const rows = results.map(rowOf);
    const hottest = results.flatMap(({ protocol, cpus, contended }) => {
      const words = describeHottest(contended, 6);
      return cpus === most && words !== '' ? [`  ${protocol.padEnd(7)} ${words}`] : [];
    });
    const listed = hottest.length === 0 ? '' : `\nmost written shared words, ${most} CPUs:\n`;
    return `${title}\n${formatTable(header, rows, alignment)}${listed}${hottest.join('\n')}`;
  });
  const { violations } = document;
  const verdict =
    violations.length === 0
      ? 'audit: clean'
      : `audit: ${violations.length} violations\n${violations.join('\n')}`;
  return [describeHost(document).join('\n'), ...tables, legend, verdict].join('\n\n');
}

function rowOf(result: BenchResult): string[] {
  const { latencyNs, throughput, floorRatio, perOperation, contended } = result;
  return [
    result.protocol,
    String(result.cpus),
    latencyNs.median.toFixed(0),
    describeSpread(latencyNs),
    throughput.median.toFixed(3),
    floorRatio.toFixed(0),
    rate(perOperation.lockWaits),
    rate(perOperation.faultRetries),
    rate(perOperation.lockFallbacks),
    rate(perOperation.raceLosses),
    rate(perOperation.shootdownTargets),
    rate(contended?.sharedWrites),
    rate(contended?.sharedLineWrites),
    rate(contended?.failedExchanges),
  ];
}

/** A count for each operation: '–' when it was not measured, '.' for none at all. */
function rate(value: number | undefined): string {
  if (value === undefined) return '–';
  if (value === 0) return '.';
  return value < 0.005 ? '<.01' : value.toFixed(value < 10 ? 2 : 0);
}
