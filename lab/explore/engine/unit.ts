/**
 * A unit of work: parts of the tree of schedules of one exploration, searched for a while. What is
 * left comes back, so that others can take some of it: on threads, or out of a queue.
 *
 * Guarantees: units that begin with the same knowledge, and whose parts make up the tree, together
 * try what one search of the tree tries. A unit that learns a new scheduling point says so: then
 * all of them begin again with what is known by now.
 */
import { DepthFirst } from './depth-first.ts';
import type { Path } from './depth-first.ts';
import type { Executor } from './executor.ts';
import { explorePart } from './explore.ts';
import type { Limits, Part, Search, Surroundings } from './explore.ts';
import { adopt, knowledgeOf } from './knowledge.ts';
import type { Knowledge } from './knowledge.ts';
import { SharedVisited } from './shared-visited.ts';
import { Visited } from './visited.ts';

export interface Unit {
  readonly paths: readonly Path[];
  readonly knowledge: Knowledge;
  readonly limits: Limits;
  /** States that others have reached or will reach; null: the unit is on its own. */
  readonly visited: SharedArrayBuffer | null;
  /** No other unit is under way: a new scheduling point is dealt with here. */
  readonly isAlone: boolean;
}

export interface UnitResult extends Part {
  readonly knowledge: Knowledge;
  /** Scheduling points. */
  readonly points: number;
  /** What is left; nothing after a failure. */
  readonly rest: readonly Path[];
}

export async function exploreUnit(
  executor: Executor,
  { bound, reduction = 'states' }: Search,
  { paths, knowledge, limits, visited, isAlone }: Unit,
  surroundings: Surroundings,
): Promise<UnitResult> {
  const states = visited === null ? new Visited() : new SharedVisited(visited);
  const strategy = new DepthFirst(bound, reduction, paths, states);
  adopt(executor, knowledge);
  for (;;) {
    const part = await explorePart(executor, strategy, limits, surroundings);
    if (part.grew && isAlone) {
      strategy.restart();
      continue;
    }
    const isOver = part.complete || part.grew || part.finding !== null;
    return {
      ...part,
      knowledge: knowledgeOf(executor),
      points: executor.sharing.count,
      rest: isOver ? [] : strategy.rest(),
    };
  }
}
