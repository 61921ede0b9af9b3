/**
 * Which explorations a mutant is worth: the likeliest scenarios, pairs and walks that execute
 * its place, first without preemptions, which costs least; then with one; then a few under the
 * other protocols; then some of these with two, and by random schedules.
 */
import { isPairName } from '../model/pairs/index.ts';
import { isWalkName } from '../model/walks/index.ts';
import { MUTANTS } from '../mutants.ts';
import type { Budget, Covered, Place, Visit } from './judge.ts';
import type { MutantInfo } from './schemata-build.ts';

/** Explorations of each kind for one mutant, at most. */
interface Share {
  readonly written: number;
  readonly pairs: number;
  readonly walks: number;
}
const FIRST_SHARE: Share = { written: 32, pairs: 12, walks: 0 };
const OTHERS_SHARE: Share = { written: 6, pairs: 2, walks: 0 };
const DEEP_SHARE: Share = { written: 5, pairs: 2, walks: 0 };
const DEEP_OTHERS_SHARE: Share = { written: 1, pairs: 1, walks: 0 };
/** Walks are made for code without races. */
const ALONE_SHARE: Share = { written: 0, pairs: 0, walks: 16 };
const ASIDE_MAX = 6;
/** What killed the last mutants of the same function. */
const KILLERS_MAX = 4;

const exhaustive = { strategy: 'exhaustive' } as const;
/** What is known of an execution's length limits the budgets after it. */
const PROBE: Budget = { ...exhaustive, bound: 0, executionsMax: 2, stepsMax: 100_000 };
const NONE: Budget = { ...exhaustive, bound: 0, executionsMax: 24, stepsMax: 20_000 };
const ONE: Budget = { ...exhaustive, bound: 1, executionsMax: 120, stepsMax: 25_000 };
const TWO: Budget = { ...exhaustive, bound: 2, executionsMax: 400, stepsMax: 60_000 };
const RANDOM: Budget = { strategy: 'pct', bound: 3, executionsMax: 200, stepsMax: 40_000 };

const PROTOCOL_USUAL = 'rcu';

/** How a scenario executes a place: the more CPUs, the likelier a mutant of it shows. */
const CONTESTED = 0;
const ALONE = 1;
const ASIDE = 2;

interface Candidate {
  readonly covered: Covered;
  readonly how: number;
}

/** Coverage by place, and with it the choice of visits. */
export class Visits {
  readonly #byPlace = new Map<number, Candidate[]>();
  readonly #effort: number;

  /** `effort`: how many times as much is spent on a mutant as usual. */
  constructor(coverage: readonly Covered[], effort: number) {
    this.#effort = effort;
    // Those most about a place first: the ones that execute fewest others.
    const ordered = [...coverage].sort(
      (a, b) => a.size - b.size || (nameOf(a) < nameOf(b) ? -1 : 1),
    );
    for (const covered of ordered) {
      for (const place of covered.contested) this.#note(place, { covered, how: CONTESTED });
      for (const place of covered.alone) this.#note(place, { covered, how: ALONE });
      for (const place of covered.aside) this.#note(place, { covered, how: ASIDE });
    }
  }

  /**
   * The visits for a mutant, in order; none when nothing executes it. First comes where it was seen
   * `earlier`, in another kernel; then the `killers` of mutants like it that execute its place.
   */
  of(
    { place, path }: Pick<MutantInfo, 'place' | 'path'>,
    killers: readonly Place[],
    earlier: Place | null = null,
  ): Visit[] {
    const hints = hintsOf(path);
    const rank = ({ covered, how }: Candidate): number =>
      hints.has(covered.scenario) && how !== ASIDE ? -1 : how;
    const all = [...(this.#byPlace.get(place) ?? [])].sort((a, b) => rank(a) - rank(b));
    const main = all.filter(({ covered }) => covered.protocol === PROTOCOL_USUAL);
    const others = protocolsOf(all)
      .filter((protocol) => protocol !== PROTOCOL_USUAL)
      .map((protocol) => all.filter(({ covered }) => covered.protocol === protocol));
    // Code of one protocol only: that one is its usual one.
    if (main.length === 0) main.push(...(others.shift() ?? []));
    const first = this.#share(main, FIRST_SHARE);
    const aside = main.filter(isAside).slice(0, ASIDE_MAX);
    const beside = others.flatMap((list) => this.#share(list, OTHERS_SHARE));
    const deep = [
      ...this.#share(main, DEEP_SHARE),
      ...others.flatMap((list) => this.#share(list, DEEP_OTHERS_SHARE)),
    ];
    const known = killers.flatMap((killer) => {
      return all.find(({ covered }) => nameOf(covered) === nameOf(killer)) ?? [];
    });
    return [
      ...this.#visits(earlier === null ? [] : [earlier], [NONE, ONE, TWO, RANDOM]),
      ...this.#visits(placesOf(known.slice(0, KILLERS_MAX)), [NONE, ONE]),
      ...this.#visits(placesOf([...first, ...aside]), [NONE]),
      ...this.#visits(placesOf(this.#share(main, ALONE_SHARE)), [NONE]),
      ...this.#visits(placesOf([...first, ...aside]), [PROBE, ONE]),
      ...this.#visits(placesOf(beside), [NONE, ONE]),
      ...this.#visits(placesOf(deep), [PROBE, TWO]),
      ...this.#visits(placesOf(deep), [PROBE, RANDOM]),
    ];
  }

  /** The likeliest ones, not those that execute the place aside. */
  #share(candidates: readonly Candidate[], { written, pairs, walks }: Share): Candidate[] {
    const able = candidates.filter((candidate) => !isAside(candidate));
    return [
      ...able.filter(isWritten).slice(0, written * this.#effort),
      ...able.filter(isOfPair).slice(0, pairs * this.#effort),
      ...able.filter(isWalk).slice(0, walks * this.#effort),
    ];
  }

  #note(place: number, candidate: Candidate): void {
    const list = this.#byPlace.get(place);
    if (list === undefined) this.#byPlace.set(place, [candidate]);
    else list.push(candidate);
  }

  #visits(places: readonly Place[], usual: readonly Budget[]): Visit[] {
    const bounds = usual.map((budget) => ({
      ...budget,
      executionsMax: budget.executionsMax * this.#effort,
      stepsMax: budget.stepsMax * this.#effort,
    }));
    return places.map(({ scenario, protocol }) => ({ scenario, protocol, bounds }));
  }
}

/** Scenarios in which seeded bugs of this file are found. */
function hintsOf(path: string): ReadonlySet<string> {
  const its = MUTANTS.filter(({ patches }) => patches.some((patch) => patch.path === path));
  return new Set(its.map(({ scenario }) => scenario));
}

function protocolsOf(candidates: readonly Candidate[]): string[] {
  return [...new Set(candidates.map(({ covered }) => covered.protocol))].sort();
}

function isAside({ how }: Candidate): boolean {
  return how === ASIDE;
}

function isWritten(candidate: Candidate): boolean {
  return !isOfPair(candidate) && !isWalk(candidate);
}

function isWalk({ covered }: Candidate): boolean {
  return isWalkName(covered.scenario);
}

function isOfPair({ covered }: Candidate): boolean {
  return isPairName(covered.scenario);
}

function placesOf(candidates: readonly Candidate[]): Place[] {
  return candidates.map(({ covered }) => covered);
}

function nameOf({ scenario, protocol }: Place): string {
  return `${scenario} ${protocol}`;
}
