/**
 * Which scenarios, pairs and walks execute the places of mutants. Measured once for a kernel and
 * its scenarios; of the thousands of generated ones, a few are kept for each place.
 */
import { isPairName } from '../model/pairs/index.ts';
import type { Budget, Covered } from './judge.ts';

/** Most places are reached by the first executions; some after a preemption only. */
export const WRITTEN_BUDGETS: readonly Budget[] = [
  { strategy: 'exhaustive', bound: 0, executionsMax: 16, stepsMax: 20_000 },
  { strategy: 'exhaustive', bound: 1, executionsMax: 50, stepsMax: 20_000 },
];
/** Both orders of two CPUs, and some more where one of them waits. */
export const GENERATED_BUDGETS: readonly Budget[] = [
  { strategy: 'exhaustive', bound: 0, executionsMax: 4, stepsMax: 20_000 },
];

/** Pairs, and walks, for a place under one protocol: the cheapest, and some of the others. */
const CHEAPEST = 10;
const OTHERS = 14;

const HOWS = ['contested', 'alone'] as const;
type How = (typeof HOWS)[number];

/** The same coverage with fewer scenarios for each place: those that several CPUs execute first. */
export function thinned(generated: readonly Covered[]): Covered[] {
  const lists = new Map<string, { covered: Covered; how: How }[]>();
  const cheapestFirst = [...generated].sort((a, b) => a.size - b.size || compareNames(a, b));
  for (const how of HOWS) {
    for (const covered of cheapestFirst) {
      for (const place of covered[how]) {
        const kind = isPairName(covered.scenario) ? 'pair' : 'walk';
        const key = `${kind} ${covered.protocol} ${place}`;
        const list = lists.get(key);
        if (list === undefined) lists.set(key, [{ covered, how }]);
        else list.push({ covered, how });
      }
    }
  }
  const kept = new Map<Covered, Record<How, number[]>>();
  for (const [key, list] of lists) {
    const place = Number(key.split(' ')[2]);
    for (const { covered, how } of chosen(list)) {
      const its = kept.get(covered) ?? { contested: [], alone: [] };
      its[how].push(place);
      kept.set(covered, its);
    }
  }
  return [...kept].map(([covered, its]) => ({ ...covered, ...its, aside: [] }));
}

/** The first ones, and some evenly spread over the rest, so that not all are of one kind. */
function chosen<Item>(list: readonly Item[]): Item[] {
  const rest = list.slice(CHEAPEST);
  const step = Math.max(1, rest.length / OTHERS);
  const spread: Item[] = [];
  for (let at = 0; at < rest.length; at += step) spread.push(rest[Math.floor(at)] as Item);
  return [...list.slice(0, CHEAPEST), ...spread];
}

function compareNames(a: Covered, b: Covered): number {
  return `${a.scenario} ${a.protocol}` < `${b.scenario} ${b.protocol}` ? -1 : 1;
}
