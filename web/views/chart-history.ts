/** What the charts show: the machine's counters, read four times a second and kept for a minute. */
import { SYSCALL_NAMES, cpuCounters, frameUsage, readHistogram } from '../../kernel/index.ts';
import type { Machine } from '../../kernel/index.ts';
import type { Session } from '../core/session.ts';
import { processRows, spacesOf } from '../read/processes.ts';

const KEPT = 240;

export interface Chart {
  readonly title: string;
  readonly series: readonly string[];
  readonly unit: string;
}

/** In the order of `values`. */
export const CHARTS: readonly Chart[] = [
  { title: 'Page faults a second', series: ['minor', 'major'], unit: '/s' },
  { title: 'Pages', series: ['resident', 'free frames'], unit: '' },
  { title: 'TLB misses a second', series: ['misses'], unit: '/s' },
  { title: 'Shootdowns and swap a second', series: ['shootdowns', 'swapped out'], unit: '/s' },
  { title: 'Slowest system call, in µs', series: ['median', '99th percentile'], unit: 'µs' },
];

/** What is counted since boot; rates are differences of these. */
interface Counts {
  readonly timeMs: number;
  readonly minor: number;
  readonly major: number;
  readonly misses: number;
  readonly shootdowns: number;
  readonly swapOuts: number;
}

function slowest(machine: Machine): readonly [number, number] {
  let half = 0;
  let most = 0;
  SYSCALL_NAMES.forEach((_name, index) => {
    const { count, p50Ns, p99Ns } = readHistogram(machine, index);
    if (count === 0 || p99Ns <= most * 1000) return;
    half = p50Ns / 1000;
    most = p99Ns / 1000;
  });
  return [half, most];
}

export class ChartHistory {
  #session: Session | null = null;
  #startMs = 0;
  #before: Counts | null = null;
  /** Misses of processes that have ended are forgotten by the machine: the sum must not fall. */
  #missesMax = 0;
  readonly #times: number[] = [];
  readonly #values: number[][][] = CHARTS.map(({ series }) => series.map(() => []));

  attach(session: Session | null): void {
    this.#session = session;
    this.#startMs = performance.now();
    this.#before = null;
    this.#missesMax = 0;
    this.#times.length = 0;
    for (const values of this.#values.flat()) values.length = 0;
  }

  /** Times in seconds, then the values of each series. */
  data(chart: number): [number[], ...number[][]] {
    return [this.#times, ...(this.#values[chart] ?? [])];
  }

  sample(): void {
    const session = this.#session;
    if (session === null) return;
    const { machine } = session;
    const processes = processRows(machine);
    const counters = cpuCounters(machine);
    const misses = processes.reduce((sum, { tlbMisses }) => sum + tlbMisses, 0);
    this.#missesMax = Math.max(this.#missesMax, misses);
    const now: Counts = {
      timeMs: performance.now(),
      minor: counters['faultsMinor'] ?? 0,
      major: counters['faultsMajor'] ?? 0,
      misses: this.#missesMax,
      shootdowns: counters['shootdowns'] ?? 0,
      swapOuts: counters['swapOuts'] ?? 0,
    };
    const before = this.#before ?? now;
    this.#before = now;
    const seconds = Math.max(0.001, (now.timeMs - before.timeMs) / 1000);
    const rate = (key: keyof Counts): number => Math.max(0, (now[key] - before[key]) / seconds);
    const { total, used } = frameUsage(machine);
    const resident = spacesOf(processes).reduce((sum, row) => sum + row.resident, 0);
    const values = [
      [rate('minor'), rate('major')],
      [resident, total - used],
      [rate('misses')],
      [rate('shootdowns'), rate('swapOuts')],
      [...slowest(machine)],
    ];
    this.#push(this.#times, (now.timeMs - this.#startMs) / 1000);
    values.forEach((chart, i) =>
      chart.forEach((value, n) => this.#push(this.#values[i]?.[n] ?? [], value)),
    );
  }

  #push(list: number[], value: number): void {
    list.push(value);
    if (list.length > KEPT) list.shift();
  }
}
