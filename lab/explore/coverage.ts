/** How much of the kernel's ordered accesses explorations had in conflict, and with what. */
import type { Site } from './build/transform.ts';
import { sitesOfPair } from './engine/conflicts.ts';
import type { Conflicts } from './engine/conflicts.ts';

/** Accesses that are scheduling points; peek and poke are judged by the race detector. */
const ORDERED: ReadonlySet<string> = new Set([
  ...['load', 'store', 'exchange', 'compareExchange', 'add', 'or', 'and', 'wait', 'notify'],
]);
const KERNEL = 'kernel/';

/** What is known of a place in the kernel's source with an ordered access. */
export interface PlaceCoverage {
  /** file:line. */
  readonly place: string;
  readonly caller: string;
  readonly access: string;
  readonly isExecuted: boolean;
  /** Places with which it was in conflict, sorted. */
  readonly partners: readonly string[];
}

/** What explorations had in conflict, by places, so that those of several builds add up. */
export interface ConflictRecord {
  readonly executed: readonly string[];
  /** Pairs of places, "A B". */
  readonly pairs: readonly string[];
}

/** An exploration's conflicts by place and access. */
export function recordOf(conflicts: Conflicts, sites: readonly Site[]): ConflictRecord {
  const nameOf = (index: number): string => keyOf(sites[index]);
  return {
    executed: [...conflicts.executed].map(nameOf),
    pairs: [...conflicts.pairs].map((pair) => sitesOfPair(pair).map(nameOf).join(' ')),
  };
}

/** Every ordered access of the kernel, in the order of files and lines. */
export function coverageOf(
  records: readonly ConflictRecord[],
  sites: readonly Site[],
): PlaceCoverage[] {
  const executed = new Set(records.flatMap((record) => record.executed));
  const partners = new Map<string, Set<string>>();
  for (const pair of new Set(records.flatMap((record) => record.pairs))) {
    const [one = '', other = ''] = pair.split(' ');
    partnersOf(partners, one).add(other);
    partnersOf(partners, other).add(one);
  }
  const ordered = sites.filter((site) => {
    return site.place.startsWith(KERNEL) && ORDERED.has(site.access);
  });
  const known = new Map(ordered.map((site) => [keyOf(site), site]));
  const all = [...known].map(([key, { place, caller, access }]) => ({
    ...{ place, caller, access },
    isExecuted: executed.has(key),
    partners: [...(partners.get(key) ?? [])].map((other) => other.split('#')[0] ?? '').sort(),
  }));
  return all.sort((one, other) => comparePlaces(one.place, other.place));
}

function partnersOf(partners: Map<string, Set<string>>, key: string): Set<string> {
  const known = partners.get(key) ?? new Set<string>();
  partners.set(key, known);
  return known;
}

/** Two accesses of one line differ by what they are. */
function keyOf(site: Site | undefined): string {
  return site === undefined ? '' : `${site.place}#${site.access}`;
}

function comparePlaces(one: string, other: string): number {
  const [fileOne = '', lineOne = '0'] = one.split(':');
  const [fileOther = '', lineOther = '0'] = other.split(':');
  if (fileOne !== fileOther) return fileOne < fileOther ? -1 : 1;
  return Number(lineOne) - Number(lineOther);
}
