/** What `faultline replay` prints for people. */
import type { Difference, ProcessRow, ReplayReport } from '../lab/replay/replay-report.ts';
import { counted } from './counted.ts';
import { TERMS_LINE, formatCount, formatTable, wrapText } from './text-table.ts';

const COLUMNS = 100;
const SHOWN = 20;
const LABEL = 14;
const NAME_MAX = 28;
const ALL = 2 ** 30;

export interface ReportOptions {
  /** Everything that is kept, not the first of it. */
  readonly all: boolean;
}

export function formatReplay(report: ReplayReport, { all }: ReportOptions): string {
  const shown = all ? ALL : SHOWN;
  const parts = [
    summary(report),
    differences(report, shown),
    report.maps
      .map(({ process, text }) => `areas of ${processName(process)}\n${text}`)
      .join('\n\n'),
    processes(report, shown),
    syscalls(report),
    machine(report),
    TERMS_LINE,
  ];
  return parts.filter((part) => part !== '').join('\n\n');
}

function summary(report: ReplayReport): string {
  const { command, host, lines, format, calls, compared, equal } = report;
  const read = format === 'strace' ? `, ${counted(calls, 'calls')}` : '';
  const rows: [string, string][] = [
    ['recording', `${report.file}: ${format}, ${counted(lines, 'lines')}${read}`],
  ];
  if (command !== null) rows.push(['command', shellWords(command)]);
  if (host !== null) rows.push(['recorded on', host]);
  if (report.stoppedAt !== null) rows.push(['stopped', `after line ${report.stoppedAt}`]);
  if (format === 'strace') {
    rows.push(['results', `${formatCount(equal)} of ${formatCount(compared)} equal`]);
  }
  if (report.choices > 0) {
    const what = `${formatCount(report.choicesEqual)} of ${formatCount(report.choices)}`;
    rows.push(['addresses', `${what} chosen as recorded`]);
  }
  if (report.mapsCompared > 0) {
    const { mapsEqual, mapsCompared } = report;
    const what = `of ${formatCount(mapsCompared)} processes`;
    rows.push(['areas', `${formatCount(mapsEqual)} ${what} equal at the end`]);
  }
  const accesses = Object.entries(report.accesses);
  if (accesses.length > 0) {
    const counts = accesses.map(([kind, count]) => `${formatCount(count)} ${kind}`);
    rows.push(['accesses', counts.join(', ')]);
  }
  if (report.inferredPages > 0) {
    rows.push(['inferred', `${counted(report.inferredPages, 'pages')} that nothing shows mapped`]);
  }
  const left = [...report.notReplayed].sort((a, b) => b.count - a.count);
  for (const [i, { reason, count, firstLine }] of left.entries()) {
    const where = firstLine > 0 ? `, first in line ${firstLine}` : '';
    if (i < SHOWN)
      rows.push([i === 0 ? 'not replayed' : '', `${formatCount(count)} ${reason}${where}`]);
  }
  if (left.length > SHOWN) rows.push(['', `and ${left.length - SHOWN} other kinds`]);
  return rows.map(([label, text]) => labelled(label, text)).join('\n');
}

function labelled(label: string, text: string): string {
  return wrapText(label.padEnd(LABEL) + text, COLUMNS, ' '.repeat(LABEL)).join('\n');
}

/** A command as one would type it. */
function shellWords(json: string): string {
  try {
    const words = JSON.parse(json) as unknown;
    if (!Array.isArray(words)) return json;
    return words
      .map((word) => String(word))
      .map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`))
      .join(' ');
  } catch {
    return json;
  }
}

function differences({ differences: found, differencesTotal }: ReplayReport, max: number): string {
  if (found.length === 0) return '';
  const shown = found.slice(0, max);
  const row = ({ line, process, what, recorded, here }: Difference): string[] => [
    ...[String(line), String(process), what, recorded, here],
  ];
  const header = ['LINE', 'PROCESS', 'DIFFERENCE', 'RECORDED', 'HERE'];
  const table = formatTable(header, shown.map(row), 'rrlll');
  const rest = differencesTotal - shown.length;
  return rest === 0 ? table : `${table}\nand ${counted(rest, 'differences')} more`;
}

function processName(process: number): string {
  return process === 0 ? 'the process' : `process ${process}`;
}

function processes({ processes: rows, processesTotal }: ReplayReport, max: number): string {
  const shown = rows.slice(0, max);
  const header = [
    ...['PROCESS', 'PROGRAM', 'CALLS', 'AREAS', 'RESIDENT', 'PEAK'],
    ...['TABLES', 'MINOR', 'MAJOR'],
  ];
  const row = (one: ProcessRow): string[] => [
    ...[String(one.process), shortened(one.name), formatCount(one.calls), formatCount(one.areas)],
    ...[formatCount(one.residentPages), formatCount(one.residentPagesPeak)],
    ...[formatCount(one.tables), formatCount(one.faultsMinor), formatCount(one.faultsMajor)],
  ];
  const table = formatTable(header, shown.map(row), 'rlrrrrrrr');
  const legend = 'RESIDENT and PEAK in pages, TABLES in frames, MINOR and MAJOR are faults';
  const rest = processesTotal - shown.length;
  const more = rest === 0 ? '' : `\nand ${counted(rest, 'processes')} more, smaller ones`;
  return `${table}${more}\n${legend}`;
}

function shortened(name: string): string {
  return name.length <= NAME_MAX ? name : `…${name.slice(1 - NAME_MAX)}`;
}

function syscalls({ syscalls: latencies }: ReplayReport): string {
  const rows = Object.entries(latencies).map(([name, { count, p50Ns, p99Ns }]) => {
    return [name, formatCount(count), microseconds(p50Ns), microseconds(p99Ns)];
  });
  return rows.length === 0
    ? ''
    : formatTable(['SYSCALL', 'CALLS', 'P50 us', 'P99 us'], rows, 'lrrr');
}

function microseconds(ns: number): string {
  return (ns / 1000).toFixed(1);
}

function machine({ faults, frames, violations, milliseconds, lines }: ReplayReport): string {
  const { total, used, usedPeak, tables, tablesPeak, fragmentedPercent } = frames;
  const counts = Object.entries(faults).map(([kind, count]) => `${formatCount(count)} ${kind}`);
  const rate = milliseconds > 0 ? formatCount((lines * 1000) / milliseconds) : '-';
  const rows: [string, string][] = [
    ['faults', counts.join(', ')],
    [
      'frames',
      `${formatCount(used)} of ${formatCount(total)} used, ${formatCount(usedPeak)} at the peak; ` +
        `${formatCount(tables)} of them page tables, ${formatCount(tablesPeak)} at the peak`,
    ],
    ['fragmentation', `${fragmentedPercent.toFixed(1)} % of free frames in blocks below 4 MiB`],
    ['time', `${(milliseconds / 1000).toFixed(2)} s, ${rate} lines/s`],
    ['audit', violations.length === 0 ? 'clean' : counted(violations.length, 'violations')],
  ];
  return [...rows.map(([label, text]) => labelled(label, text)), ...violations].join('\n');
}
