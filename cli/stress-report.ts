/** What `faultline stress` tells: lines and failures for people, a document for programs. */
import type { StressOptions, StressResult } from '../lab/stress/stress-types.ts';
import { TERMS_LINE, formatCount } from './text-table.ts';
import { formatBytes } from './usage-error.ts';

/** A machine's run: what it was and what came out. */
export interface StressRun {
  readonly options: StressOptions;
  readonly result: StressResult;
}

/** Words that a shell leaves as they are need no quotes. */
function quote(word: string): string {
  return /^[\w./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/** The command that stresses such a machine again. `protocol` is what the user wrote. */
function reproduction({ options }: StressRun): string {
  const { durationMs, protocol, cpus, seed, processes, threads, forks } = options;
  const given = {
    protocol: quote(protocol),
    faults: options.faults,
    shootdown: options.shootdown,
    seed,
    seconds: Math.ceil(durationMs / 100) / 10,
    cpus,
    memory: formatBytes(options.memoryBytes),
    swap: options.swapBytes === 0 ? 0 : formatBytes(options.swapBytes),
    processes,
    threads,
    forks,
  };
  const words = Object.entries(given).map(([name, value]) => `--${name} ${value}`);
  return `faultline stress ${words.join(' ')}`;
}

/** A block of lines for each machine, and one line that says what it all came to. */
export function formatStress(runs: readonly StressRun[], isInterrupted: boolean): string {
  return [...runs.map(formatRun), TERMS_LINE, verdict(runs, isInterrupted)].join('\n');
}

function formatRun({ options, result }: StressRun): string {
  const { counts, counters, wallMs, processesRun, audits } = result;
  const perSecond = (count: number): string =>
    wallMs > 0 ? formatCount((count * 1000) / wallMs) : '-';
  const accesses = counts.reads + counts.writes;
  const judged = accesses > 0 ? `${Math.round((100 * counts.judged) / accesses)} %` : '-';
  const counter = (name: string): string => formatCount(counters[name] ?? 0);
  const protocol = options.protocol.replace(/^.*\//, '');
  const outcome = result.failures.length > 0 ? 'FAILED' : 'clean';
  return [
    `${protocol}, faults ${options.faults}, shootdown ${options.shootdown}: ${outcome}`,
    `  ${perSecond(callsOf(result))} calls/s, ${perSecond(accesses)} accesses/s, ` +
      `${judged} judged; ` +
      `${formatCount(counts.faultsExpected + counts.faultsUnjudged)} refused as they must be`,
    `  ${counter('faultsMinor')} faults resolved, ${counter('shootdowns')} shootdowns, ` +
      `${counter('lockWaits')} lock waits, ${counter('lockFallbacks')} fallbacks`,
    `  ${formatCount(processesRun)} processes, ${formatCount(counts.forks)} forks, ` +
      `${counter('swapOuts')} pages out, ${counter('swapIns')} in, ${formatCount(audits)} audits`,
  ].join('\n');
}

function callsOf({ counts }: StressResult): number {
  return counts.mmap + counts.munmap + counts.mprotect;
}

function verdict(runs: readonly StressRun[], isInterrupted: boolean): string {
  const sum = (value: (result: StressResult) => number): string =>
    formatCount(runs.reduce((total, { result }) => total + value(result), 0));
  const violations = sum(({ failures }) => failures.length);
  const word = violations === '0' ? (isInterrupted ? 'interrupted' : 'clean') : 'FAILED';
  const accesses = sum(({ counts }) => counts.reads + counts.writes);
  const processes = sum(({ processesRun }) => processesRun);
  return (
    `${word}: ${accesses} accesses, ${sum(callsOf)} calls, ${processes} processes, ` +
    `${sum(({ audits }) => audits)} audits, ${violations} violations`
  );
}

/** What was wrong in one run, and how to see it again. */
export function formatFailure(run: StressRun): string {
  const { failures, evidence } = run.result;
  const lines = [...failures.map((failure) => `failure: ${failure}`), ...evidence];
  return [...lines, `again: ${reproduction(run)}`].join('\n  ');
}

/** Everything as one document. */
export function stressDocument(
  runs: readonly StressRun[],
  exitStatus: number,
): Readonly<Record<string, unknown>> {
  return {
    exitStatus,
    runs: runs.map((run) => {
      const { counts, wallMs } = run.result;
      const rates = Object.entries(counts).map(([name, count]) => [
        name,
        wallMs > 0 ? (count * 1000) / wallMs : 0,
      ]);
      const perSecond = Object.fromEntries(rates) as Readonly<Record<string, number>>;
      return { ...run.options, ...run.result, perSecond, command: reproduction(run) };
    }),
  };
}
