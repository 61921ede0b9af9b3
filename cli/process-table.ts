/** The report's table of processes: at most so many rows and columns, whatever they did. */
import type { ProcessReport } from '../workers/api/machine-api.ts';
import { describeStatus, isSuccess } from './run-document.ts';
import { counted } from './counted.ts';
import { formatCount, formatMicroseconds, formatTable, wrapText } from './text-table.ts';

/** Rows without --all: those of processes that failed come before others. */
export const PROCESS_ROWS_MAX = 16;
const COLUMNS_MAX = 100;
const NAME_MAX = 24;
const INDENT = '     ';

const header = ['PID', 'NAME', 'CPU', 'WALL', 'MINOR\nFAULTS', 'MAJOR\nFAULTS', 'TLB\nHITS'];
header.push('TLB\nMISSES', 'SHOOT-\nDOWNS', 'PEAK\nPAGES', 'STATUS');

/** `forgotten` of the machine's processes are not among them any more. */
export function formatProcesses(
  processes: readonly ProcessReport[],
  { all, forgotten }: { readonly all: boolean; readonly forgotten: number },
): string {
  const shown = all ? processes : chosen(processes);
  const rows = shown.map((process) => [
    String(process.pid),
    shortened(process.name),
    String(process.cpu),
    formatMicroseconds(process.wallMs * 1000),
    formatCount(process.faultsMinor),
    formatCount(process.faultsMajor),
    formatCount(process.tlbHits),
    formatCount(process.tlbMisses),
    formatCount(process.shootdowns),
    formatCount(process.residentPagesPeak),
    describeStatus(process.status),
  ]);
  const lines = formatTable(header, rows, 'rlrrrrrrrrl').split('\n').flatMap(withinColumns);
  const earlier = `${INDENT}and ${counted(forgotten, 'earlier processes')}, which are forgotten`;
  const rest = [...describeRest(processes, shown), ...(forgotten === 0 ? [] : [earlier])];
  return [...lines, ...rest].join('\n');
}

/** The first process, then those that did not succeed, then the others; in order of their pids. */
function chosen(processes: readonly ProcessReport[]): readonly ProcessReport[] {
  const [first, ...others] = processes;
  if (first === undefined) return [];
  const good = others.filter(({ status }) => isSuccess(status));
  const bad = others.filter(({ status }) => !isSuccess(status));
  const kept = new Set([first, ...bad, ...good].slice(0, PROCESS_ROWS_MAX));
  return processes.filter((process) => kept.has(process));
}

function describeRest(
  processes: readonly ProcessReport[],
  shown: readonly ProcessReport[],
): string[] {
  const rest = processes.filter((process) => !shown.includes(process));
  if (rest.length === 0) return [];
  const failed = rest.filter(({ status }) => !isSuccess(status)).length;
  const how = failed === 0 ? 'exit 0 for each' : `${formatCount(failed)} without exit 0`;
  return [`${INDENT}and ${counted(rest.length, 'more processes')}, ${how}; --all shows them`];
}

function shortened(name: string): string {
  return name.length <= NAME_MAX ? name : `${name.slice(0, NAME_MAX - 1)}…`;
}

/** What makes a row too long goes below it: all of the status but the signal. */
function withinColumns(line: string): string[] {
  if (line.length <= COLUMNS_MAX) return [line];
  const [, row = line, rest = ''] = /^(.*?  SIG[A-Z0-9]+):? (.*)$/.exec(line) ?? [];
  const below = rest === '' ? [] : wrapText(INDENT + rest, COLUMNS_MAX, INDENT);
  return [...wrapText(row, COLUMNS_MAX, INDENT), ...below];
}
