/**
 * Which explorations a mutant is worth: the likeliest scenarios that execute its place, with at
 * most one preemption; then a few under the other protocols; then some of these with two.
 */
import { MUTANTS } from '../mutants.ts';
import type { Budget, Covered, Place, Visit } from './judge.ts';
import type { MutantInfo } from './schemata-build.ts';

/** Explorations of each kind for one mutant, at most. */
const FIRST_MAX = 48;
const OTHERS_MAX = 8;
const DEEP_MAX = 6;
const ASIDE_MAX = 6;

const NONE: Budget = { bound: 0, executionsMax: 64, stepsMax: 100_000 };
const FIRST: readonly Budget[] = [NONE, { bound: 1, executionsMax: 150, stepsMax: 50_000 }];
const DEEP: readonly Budget[] = [NONE, { bound: 2, executionsMax: 600, stepsMax: 120_000 }];

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
      (a, b) => sizeOf(a) - sizeOf(b) || (nameOf(a) < nameOf(b) ? -1 : 1),
    );
    for (const covered of ordered) {
      for (const place of covered.contested) this.#note(place, { covered, how: CONTESTED });
      for (const place of covered.alone) this.#note(place, { covered, how: ALONE });
      for (const place of covered.aside) this.#note(place, { covered, how: ASIDE });
    }
  }

  /**
   * The visits for a mutant, in order; none when nothing executes it. `killers`, of mutants like
   * it, come first; they are visited only if they are among its visits anyway.
   */
  of({ place, path }: Pick<MutantInfo, 'place' | 'path'>, killers: readonly Place[]): Visit[] {
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
    const first = [
      ...unlessAside(main).slice(0, FIRST_MAX * this.#effort),
      ...main.filter(isAside).slice(0, ASIDE_MAX),
    ];
    const beside = others.flatMap((list) => unlessAside(list).slice(0, OTHERS_MAX * this.#effort));
    const deep = [
      unlessAside(main),
      ...others.map((list) => unlessAside(list).slice(0, 1)),
    ].flatMap((list) => list.slice(0, DEEP_MAX * this.#effort));
    return [
      ...killersFirst(this.#visits(first, FIRST), killers),
      ...killersFirst(this.#visits(beside, FIRST), killers),
      ...this.#visits(deep, DEEP),
    ];
  }

  #note(place: number, candidate: Candidate): void {
    const list = this.#byPlace.get(place);
    if (list === undefined) this.#byPlace.set(place, [candidate]);
    else list.push(candidate);
  }

  #visits(candidates: readonly Candidate[], usual: readonly Budget[]): Visit[] {
    const bounds = usual.map(({ bound, executionsMax, stepsMax }) => ({
      bound,
      executionsMax: executionsMax * this.#effort,
      stepsMax: stepsMax * this.#effort,
    }));
    return candidates.map(({ covered: { scenario, protocol } }) => ({
      ...{ scenario, protocol, bounds },
    }));
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

function unlessAside(candidates: readonly Candidate[]): Candidate[] {
  return candidates.filter((candidate) => !isAside(candidate));
}

function killersFirst(visits: readonly Visit[], killers: readonly Place[]): Visit[] {
  const names = killers.map(nameOf);
  const rank = (visit: Visit): number => {
    const at = names.indexOf(nameOf(visit));
    return at < 0 ? names.length : at;
  };
  return [...visits].sort((a, b) => rank(a) - rank(b));
}

function nameOf({ scenario, protocol }: Place): string {
  return `${scenario} ${protocol}`;
}

function sizeOf({ alone, contested }: Covered): number {
  return alone.length + contested.length;
}
