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

export async function explore(
  executor: Executor,
  search: Search,
  { nowMs, pause, isStopped }: Surroundings,
): Promise<Exploration> {
  const startMs = nowMs();
  let pausedMs = startMs;
  let executions = 0;
  let cut = 0;
  let steps = 0;
  let complete = false;
  let finding: Finding | null = null;
  const strategy = newStrategy(search);
  for (let turn = 1; ; turn++) {
    strategy.begin?.(executor);
    executor.sharing.grew = false;
    if (!executor.execute(strategy)) cut++;
    executions++;
    steps += executor.steps;
    if (executor.failure !== null) {
      const schedule = executor.schedule.slice(0, executor.steps);
      finding = { failure: executor.failure, schedule };
      break;
    }
    if (strategy instanceof DepthFirst) {
      if (executor.sharing.grew) {
        strategy.restart();
        executions = 0;
        cut = 0;
        steps = 0;
      } else if (!strategy.next(executor)) {
        complete = true;
        break;
      }
    }
    if (executions >= search.executionsMax) break;
    if (turn % CLOCK_EVERY !== 0) continue;
    if (nowMs() - startMs >= search.timeMaxMs) break;
    if (nowMs() - pausedMs < PAUSE_EVERY_MS) continue;
    await pause();
    if (isStopped()) break;
    pausedMs = nowMs();
  }
  const points = executor.sharing.count;
  const states = strategy instanceof DepthFirst ? strategy.visited.size : 0;
  const elapsedMs = nowMs() - startMs;
  return { executions, cut, states, steps, elapsedMs, complete, finding, points };
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
