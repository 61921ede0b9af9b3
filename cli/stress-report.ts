/** What `faultline stress` tells: a table and the failures for people, a document for programs. */
import type { StressOptions, StressResult } from '../lab/stress/stress-types.ts';
import { formatCount, formatTable } from './text-table.ts';
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

export function formatStress(runs: readonly StressRun[]): string {
  const header = ['PROTOCOL', 'FAULTS', 'FLUSH', 'CALLS/S', 'ACCESSES/S', 'JUDGED', 'SIGSEGV'];
  header.push('FAULTS RESOLVED', 'SHOOTDOWNS', 'LOCK WAITS', 'FALLBACKS', 'PROCESSES', 'FORKS');
  header.push('SWAP OUT', 'SWAP IN', 'AUDITS');
  const rows = runs.map((run) => [
    ...formatRun(run),
    run.result.failures.length > 0 ? 'FAILED' : '',
  ]);
  return formatTable([...header, ''], rows, 'lllrrrrrrrrrrrrrl');
}

function formatRun({ options, result }: StressRun): string[] {
  const { counts, counters, wallMs, processesRun, audits } = result;
  const perSecond = (count: number): string =>
    wallMs > 0 ? formatCount((count * 1000) / wallMs) : '-';
  const accesses = counts.reads + counts.writes;
  const judged = accesses > 0 ? `${Math.round((100 * counts.judged) / accesses)} %` : '-';
  return [
    options.protocol.replace(/^.*\//, ''),
    options.faults,
    options.shootdown,
    perSecond(counts.mmap + counts.munmap + counts.mprotect),
    perSecond(accesses),
    judged,
    formatCount(counts.faultsExpected + counts.faultsUnjudged),
    formatCount(counters['faultsMinor'] ?? 0),
    formatCount(counters['shootdowns'] ?? 0),
    formatCount(counters['lockWaits'] ?? 0),
    formatCount(counters['lockFallbacks'] ?? 0),
    formatCount(processesRun),
    formatCount(counts.forks),
    formatCount(counters['swapOuts'] ?? 0),
    formatCount(counters['swapIns'] ?? 0),
    formatCount(audits),
  ];
}

/** What was wrong in one run, and how to see it again. */
export function formatFailure(run: StressRun): string {
  const { failures, evidence } = run.result;
  const lines = [...failures.map((failure) => `failure: ${failure}`), ...evidence];
  return [...lines, `again: ${reproduction(run)}`].join('\n  ');
}

/** Everything as one document. */
export function stressDocument(runs: readonly StressRun[]): Readonly<Record<string, unknown>> {
  const isClean = runs.every(({ result }) => result.failures.length === 0);
  return {
    exitStatus: isClean ? 0 : 1,
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
