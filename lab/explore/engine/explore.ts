/** Explores one scenario under one protocol by one strategy, until it is done or has failed. */
import type { Executor } from './executor.ts';
import type { Strategy } from './strategy.ts';
import { DepthFirst } from './depth-first.ts';
import type { Reduction } from './depth-first.ts';
import type { Failure } from './failure.ts';
import { Pct } from './pct.ts';
import { RandomWalk } from './random.ts';

export interface Search {
  readonly strategy: 'exhaustive' | 'pct' | 'random';
  /** Preemptions of the exhaustive search; Infinity for all interleavings. */
  readonly bound: number;
  /** What the exhaustive search need not try (depth-first.ts); 'states'. */
  readonly reduction?: Reduction;
  /** d of PCT. */
  readonly depth: number;
  readonly seed: number;
  readonly executionsMax: number;
  readonly timeMaxMs: number;
}

export interface Finding {
  readonly failure: Failure;
  /** The choices that lead to it, one a step. */
  readonly schedule: Uint8Array;
}

export interface Exploration {
  /** Of an exhaustive search after its last restart. */
  readonly executions: number;
  /** Executions that were not run to their end, because nothing new could follow. */
  readonly cut: number;
  /** States that the search has told apart. */
  readonly states: number;
  readonly steps: number;
  readonly elapsedMs: number;
  /** Everything within the bound was tried. */
  readonly complete: boolean;
  readonly finding: Finding | null;
  /** Words at which CPUs were switched. */
  readonly points: number;
}

/** How often the clock is looked at, in executions. */
const CLOCK_EVERY = 16;
/** How often others on the thread get a turn: what asks for an end, for instance. */
const PAUSE_EVERY_MS = 50;

export interface Surroundings {
  readonly nowMs: () => number;
  /** Lets others on the thread have a turn. */
  readonly pause: () => Promise<void>;
  /** Whether the search is to end without being complete. */
  readonly isStopped: () => boolean;
}

/** A part of a search. */
export interface Part extends Omit<Exploration, 'points'> {
  /** A new scheduling point was learned: what was found out does not count. */
  readonly grew: boolean;
}

/** When a part of a search ends, besides by itself. */
export interface Limits {
  readonly executionsMax: number;
  readonly timeMaxMs: number;
  /** Not before so many executions, whatever the time; those that are fewer are never cut. */
  readonly executionsMin?: number;
}

/** Explores on this thread alone. */
export async function explore(
  executor: Executor,
  search: Search,
  surroundings: Surroundings,
): Promise<Exploration> {
  const startMs = surroundings.nowMs();
  const strategy = newStrategy(search);
  for (;;) {
    const elapsedMs = surroundings.nowMs() - startMs;
    const limits = { ...search, timeMaxMs: search.timeMaxMs - elapsedMs };
    const { grew, ...part } = await explorePart(executor, strategy, limits, surroundings);
    if (!grew || !(strategy instanceof DepthFirst)) {
      const points = executor.sharing.count;
      return { ...part, points, elapsedMs: surroundings.nowMs() - startMs };
    }
    strategy.restart();
  }
}

/** Goes on with a search until it ends, has learned a new point, or a limit is reached. */
export async function explorePart(
  executor: Executor,
  strategy: Strategy,
  { executionsMax, timeMaxMs, executionsMin = 0 }: Limits,
  { nowMs, pause, isStopped }: Surroundings,
): Promise<Part> {
  const startMs = nowMs();
  let pausedMs = startMs;
  const search = strategy instanceof DepthFirst ? strategy : null;
  const sums = { executions: 0, cut: 0, steps: 0 };
  const end = (what: Partial<Part>): Part => ({
    ...{ ...sums, states: search?.visited.size ?? 0, elapsedMs: nowMs() - startMs },
    ...{ complete: false, finding: null, grew: false, ...what },
  });
  while (sums.executions < executionsMax) {
    strategy.begin?.(executor);
    executor.sharing.grew = false;
    if (!executor.execute(strategy)) sums.cut++;
    sums.executions++;
    sums.steps += executor.steps;
    if (executor.failure !== null) {
      const schedule = executor.schedule.slice(0, executor.steps);
      return end({ finding: { failure: executor.failure, schedule } });
    }
    if (search !== null && executor.sharing.grew) return end({ grew: true });
    if (search !== null && !search.next(executor)) return end({ complete: true });
    if (sums.executions % CLOCK_EVERY !== 0) continue;
    if (nowMs() - startMs >= timeMaxMs && sums.executions >= executionsMin) break;
    if (nowMs() - pausedMs < PAUSE_EVERY_MS) continue;
    await pause();
    if (isStopped()) break;
    pausedMs = nowMs();
  }
  return end({});
}

function newStrategy(search: Search): Strategy {
  switch (search.strategy) {
    case 'exhaustive':
      return new DepthFirst(search.bound, search.reduction ?? 'states');
    case 'pct':
      return new Pct(search.seed, search.depth);
    case 'random':
      return new RandomWalk(search.seed);
  }
}
