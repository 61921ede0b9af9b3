/** Runs the suites that were asked for, one kind after the other, and makes one document of it. */
import type { BenchDocument, BenchOptions, Measured, OnProgress } from './document.ts';
import { hostFacts } from './host.ts';
import { measureOnMachines } from './machine/machine-suites.ts';
import { measureProtocols } from './protocols/protocol-suites.ts';
import type { Candidate } from './protocols/protocol-suites.ts';
import { isProtocolSuite } from './suites.ts';

/** `candidates` are the protocols that suites on protocols compare; `signal` ends it early. */
export async function runBench(
  options: BenchOptions,
  candidates: readonly Candidate[],
  onProgress: OnProgress,
  signal: AbortSignal,
): Promise<Omit<BenchDocument, 'changes'>> {
  const host = hostFacts();
  const startMs = performance.now();
  const onMachines = options.suites.some((suite) => !isProtocolSuite(suite));
  const machines = onMachines ? await measureOnMachines(options, onProgress, signal) : null;
  const protocols =
    options.suites.some(isProtocolSuite) && !signal.aborted
      ? await measureProtocols(options, candidates, onProgress, signal)
      : null;
  const parts: Measured[] = [machines, protocols].filter((part) => part !== null);
  return {
    host,
    options: {
      ...options,
      protocols: protocols === null ? [] : candidates.map(({ name }) => name),
    },
    pinned: parts.every(({ pinned }) => pinned),
    bare: protocols?.bare ?? null,
    rows: parts.flatMap(({ rows }) => rows),
    skipped: parts.flatMap(({ skipped }) => skipped),
    violations: parts.flatMap(({ violations }) => violations),
    interrupted: signal.aborted,
    wallMs: performance.now() - startMs,
  };
}
