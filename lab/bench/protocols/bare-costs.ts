/** What bare operations of the host take, measured by the threads of the same run. */
import { spreadOf } from '../statistics.ts';
import type { Spread } from '../statistics.ts';
import { measureInTurns } from '../turns.ts';
import type { Work } from './batch.ts';
import type { ThreadGroup } from './thread-group.ts';

const ITERATIONS = 200_000;
const REPETITIONS = 5;

export interface BareCosts {
  /** One look at the clock, which each request's latency includes. */
  readonly clockNs: number;
  readonly exchanges: readonly BareExchange[];
}

export interface BareExchange {
  readonly cpus: number;
  /** Nanoseconds of a load and compare-exchange on a word of the thread's own. */
  readonly privateNs: Spread;
  /** The same on one word that all threads exchange. */
  readonly sharedNs: Spread;
}

/** Nanoseconds of one iteration on each of `threads` threads. */
async function bareNs(group: ThreadGroup, threads: number, work: Work): Promise<Spread> {
  const measure = async (): Promise<number> => {
    const noSpace = { begin: () => 0, end: () => {} };
    const reports = await group.run({ threads, runs: 1, work }, noSpace);
    const elapsedNs = reports.reduce((sum, report) => sum + report.elapsedNs, 0);
    return elapsedNs / (threads * ITERATIONS);
  };
  const repetitions = await measureInTurns([{ name: work.kind, measure }], { repeat: REPETITIONS });
  return spreadOf(repetitions.flat());
}

/** The clock, and a load and a compare-exchange for each number of threads. */
export async function measureBareCosts(
  group: ThreadGroup,
  cpus: readonly number[],
): Promise<BareCosts> {
  const clock = await bareNs(group, 1, { kind: 'clock', iterations: ITERATIONS });
  const exchanges: BareExchange[] = [];
  for (const threads of cpus) {
    const exchange = (word: 'own' | 'shared'): Promise<Spread> =>
      bareNs(group, threads, { kind: 'exchange', word, iterations: ITERATIONS });
    const privateNs = await exchange('own');
    exchanges.push({ cpus: threads, privateNs, sharedNs: await exchange('shared') });
  }
  return { clockNs: clock.median, exchanges };
}
