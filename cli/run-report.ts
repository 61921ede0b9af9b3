/** The report of a run for people: from a finished document to text. */
import type { RunDocument } from './run-document.ts';
import { counted } from './counted.ts';
import { formatProcesses } from './process-table.ts';
import { TERMS_LINE, formatCount, formatMicroseconds, formatTable } from './text-table.ts';
import { formatBytes } from './usage-error.ts';

/** A share of the time: above it, the machine spends more time waiting for memory than working. */
const THRASHING_SHARE = 0.5;
/** Errors of programs whose stacks are shown. */
const STACKS_MAX = 5;

export interface ReportOptions {
  /** A row for every process. */
  readonly all: boolean;
}

export function formatReport(document: RunDocument, { all }: ReportOptions): string {
  const parts = [
    formatProcesses(document.processes, { all, forgotten: document.machine.processesForgotten }),
    formatErrors(document),
    formatMachine(document),
    formatSyscalls(document),
    formatAudit(document),
    document.dmesg === undefined ? '' : ['dmesg', ...document.dmesg].join('\n  '),
    TERMS_LINE,
  ];
  return parts.filter((part) => part !== '').join('\n\n');
}

/** The stacks of what programs threw, the first few. */
function formatErrors({ processes }: RunDocument): string {
  const failed = processes.flatMap(({ pid, name, status }) =>
    status?.signal !== undefined && status.stack !== undefined
      ? [[`error    of process ${pid}, ${name}`, ...status.stack.split('\n')].join('\n  ')]
      : [],
  );
  const more = failed.length - STACKS_MAX;
  if (more > 0) failed.splice(STACKS_MAX, more, `and ${more} more errors: see --json`);
  return failed.join('\n');
}

function formatMachine({ machine, processes, wallMs, host }: RunDocument): string {
  const { cpus, memoryBytes, protocol, shootdown, faults } = machine;
  const size = formatBytes(memoryBytes);
  // Then every time in the report includes waiting for a core.
  const isBusy = host.load > host.cores;
  const busy = isBusy ? `; the host is busy (load ${host.load.toFixed(0)})` : '';
  const extra = new Set(processes.map(({ cpu }) => cpu).filter((cpu) => cpu > cpus)).size;
  const dedicated = extra === 0 ? '' : ` and ${extra} extra`;
  const frames = `${formatCount(machine.framesUsedPeak)} of ${formatCount(machine.framesTotal)}`;
  const tables = `${formatCount(machine.tableFramesPeak)} of them`;
  const modes = `${protocol} locking, ${shootdown} shootdown, ${faults} faults`;
  return [
    `machine  ${counted(cpus, 'CPUs')}${dedicated}, ${size}, ${modes}`,
    `time     ${formatMicroseconds(wallMs * 1000)} from boot to the program's end${busy}`,
    `frames   ${frames} used at peak; page tables: ${tables} at their peak`,
    `         ${formatCount(machine.framesUsed)} used now; page tables: ${machine.tableFrames}`,
    ...formatGroups(processes),
    ...formatSwap(machine, wallMs),
    ...formatInjected(machine),
  ].join('\n');
}

function formatInjected({ injected }: RunDocument['machine']): string[] {
  const kinds = Object.entries(injected).map(
    ([kind, { seen, failed }]) => `${kind} ${formatCount(failed)} of ${formatCount(seen)}`,
  );
  return kinds.length === 0 ? [] : [`injected ${kinds.join(', ')} failed on purpose`];
}

/** Each limit once, as its last process saw it. */
function formatGroups(processes: RunDocument['processes']): string[] {
  const peaks = new Map<number, number>();
  for (const { memoryGroup } of processes) {
    if (memoryGroup === null) continue;
    const { limitPages, residentPagesPeak } = memoryGroup;
    peaks.set(limitPages, Math.max(peaks.get(limitPages) ?? 0, residentPagesPeak));
  }
  return [...peaks].map(([limit, peak]) => {
    return `limit    ${formatBytes(limit * 4096)}, ${counted(peak, 'pages')} resident at peak`;
  });
}

/** Nothing when memory sufficed. */
function formatSwap(machine: RunDocument['machine'], wallMs: number): string[] {
  const { counters, swapPages, memoryWaitMs } = machine;
  const of = (name: string): number => counters[name] ?? 0;
  const [outs, ins, reclaimed] = [of('swapOuts'), of('swapIns'), of('pagesReclaimed')];
  const [unwritten, lost] = [of('swapWriteErrors'), of('swapReadErrors')];
  if (outs + ins + reclaimed === 0) return [];
  const errors = unwritten === 0 ? '' : `; ${formatCount(unwritten)} failed and stayed in memory`;
  const losses = lost === 0 ? '' : `; ${formatCount(lost)} could not be read back`;
  const kills = of('oomKills') === 0 ? '' : `; ${counted(of('oomKills'), 'processes')} killed`;
  const store = formatBytes(swapPages * 4096) + errors + losses;
  const scanned = formatCount(of('pagesScanned'));
  const share = memoryWaitMs / wallMs;
  const waited = `${(100 * share).toFixed(share < 0.1 ? 1 : 0)} %`;
  const isThrashing = share > THRASHING_SHARE ? ': thrashing' : '';
  return [
    `swap     ${counted(outs, 'pages')} out, ${formatCount(ins)} in; store ${store}`,
    `reclaim  ${counted(reclaimed, 'frames')} freed of ${scanned} looked at${kills}`,
    `pressure ${waited} of the time somebody waited for memory${isThrashing}`,
  ];
}

function formatSyscalls({ syscalls }: RunDocument): string {
  const rows = syscalls
    .filter(({ count }) => count > 0)
    .map(({ name, count, p50Us, p99Us }) => [
      name,
      formatCount(count),
      formatMicroseconds(p50Us),
      formatMicroseconds(p99Us),
    ]);
  return rows.length === 0 ? '' : formatTable(['SYSCALL', 'COUNT', 'P50', 'P99'], rows, 'lrrr');
}

function formatAudit({ audit }: RunDocument): string {
  const checked = Object.entries(audit.checked)
    .filter(([, count]) => count > 0)
    .map(([what, count]) => counted(count, inWords(what)))
    .join(', ');
  const scope = checked === '' ? '' : ` (${checked})`;
  const verdict = audit.clean ? 'clean' : counted(audit.violations.length, 'violations');
  return [`audit    ${verdict}${scope}`, ...audit.violations, ...audit.notes].join('\n  ');
}

/** framesInUse as 'frames in use', tlbs as 'TLBs'. */
function inWords(name: string): string {
  const words = name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
  return words.replace('tlbs', 'TLBs');
}
