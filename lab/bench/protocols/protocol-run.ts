/** What a protocol's threads ran and counted in one configuration, beside the time they took. */
import { spreadOf } from '../statistics.ts';
import type { Spread } from '../statistics.ts';
import type { Contention } from './benchmarks.ts';
import type { Contended } from './contention.ts';
import type { Configuration, Repetition } from './repetition.ts';

type CountedName =
  | 'lockWaits'
  | 'faultRetries'
  | 'lockFallbacks'
  | 'raceLosses'
  | 'shootdowns'
  | 'shootdownTargets'
  | 'faults';

export interface ProtocolRun {
  readonly protocol: string;
  readonly contention: Contention;
  readonly cpus: number;
  /** Operations of all repetitions: requests, iterations, or for page_fault* page faults. */
  readonly operations: number;
  /** Operations per microsecond of all CPUs. CortenMM: 1000 / latency × threads, as published. */
  readonly throughput: Spread;
  /** Mean nanoseconds by request index; empty where there is none. */
  readonly requestNs: readonly number[];
  /** Counters of the CPUs, per operation. */
  readonly perOperation: Readonly<Record<CountedName, number>>;
  /** From the counting pass; null when it was left out. */
  readonly contended: Contended | null;
}

export function protocolRun(
  { contention, threads }: Configuration,
  protocol: string,
  repetitions: readonly Repetition[],
  contended: Contended | null,
): ProtocolRun {
  const operations = repetitions.reduce((sum, one) => sum + one.operations, 0);
  const each = (name: keyof Repetition['counters']): number =>
    repetitions.reduce((sum, one) => sum + one.counters[name], 0) / operations;
  return {
    protocol,
    contention,
    cpus: threads,
    operations,
    throughput: spreadOf(repetitions.map((one) => one.throughput)),
    requestNs: (repetitions[0]?.requestNs ?? []).map(
      (_, request) => spreadOf(repetitions.map((one) => one.requestNs[request] ?? NaN)).median,
    ),
    perOperation: {
      lockWaits: each('lockWaits'),
      faultRetries: each('faultRetries'),
      lockFallbacks: each('lockFallbacks'),
      raceLosses: each('raceLosses'),
      shootdowns: each('shootdowns'),
      shootdownTargets: each('shootdownTargets'),
      faults: each('faultsMinor'),
    },
    contended,
  };
}
