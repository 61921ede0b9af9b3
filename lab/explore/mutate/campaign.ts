/**
 * All mutants, or those asked for, judged on several threads.
 *
 * Guarantees: a verdict does not depend on the number of threads, on time, or on what was judged
 * before; verdicts known from an earlier run are taken over.
 */
import { EQUIVALENTS } from './equivalents.ts';
import type { Covered, Place, Sighting, Visit } from './judge.ts';
import type { MutationHost, Mutator, Prepared } from './mutator.ts';
import type { MutantInfo } from './schemata-build.ts';
import { GENERATED_BUDGETS, WRITTEN_BUDGETS, thinned } from './reach.ts';
import { NO_WORK, verdictOf } from './verdict.ts';
import type { Verdict, Work } from './verdict.ts';
import { Visits } from './visits.ts';

export interface CampaignRequest {
  /** Which mutants are judged. */
  readonly isWanted: (mutant: MutantInfo) => boolean;
  readonly threads: number;
  /** How many times as much is spent on a mutant as usual, from 1. */
  readonly effort: number;
  readonly isStopped: () => boolean;
}

/** What an earlier run has found, by mutant. */
export interface Earlier {
  /** Verdicts that still hold. */
  readonly verdicts: ReadonlyMap<string, Verdict>;
  /** Where a mutant was seen in another kernel: the first place to look at. */
  readonly sightings: ReadonlyMap<string, Place>;
}

export interface Listener {
  known(prepared: Prepared, wanted: number): Earlier;
  /** Coverage is being measured: so many of so many. */
  covering(done: number, all: number): void;
  judged(verdict: Verdict): void;
}

/** Judges what the request wants; in the order of the kernel's files and functions. */
export async function judgeAll(
  host: MutationHost,
  request: CampaignRequest,
  listener: Listener,
): Promise<Verdict[]> {
  const first = host.startMutator();
  const crew = new Crew(host, first, request.threads);
  try {
    const prepared = await first.prepare();
    const wanted = prepared.mutants.filter(request.isWanted);
    const earlier = listener.known(prepared, wanted.length);
    const known = new Map(earlier.verdicts);
    for (const mutant of wanted) {
      if (EQUIVALENTS[mutant.id] === undefined) continue;
      known.set(mutant.id, verdictOf(mutant, 'equivalent', null, NO_WORK));
    }
    const left = wanted.filter(({ id }) => !known.has(id));
    const covered =
      left.length === 0 ? [] : await coverage(host, crew, prepared, request, listener);
    const visits = new Visits(covered, request.effort);
    const found = new Map(known);
    await crew.each(functionsOf(wanted), async (member, group) => {
      const surroundings = { visits, found, sightings: earlier.sightings, listener };
      await judgeFunction(member, group, surroundings, request);
    });
    return wanted.flatMap(({ id }) => found.get(id) ?? []);
  } finally {
    await crew.end();
  }
}

/** Which places each scenario executes: measured, or known from the last such run. */
async function coverage(
  host: MutationHost,
  crew: Crew,
  { kernel, scenarios, places, generated }: Prepared,
  { isStopped }: CampaignRequest,
  listener: Listener,
): Promise<Covered[]> {
  const name = `reach-${kernel}-${scenarios}`;
  const remembered = host.recall(name);
  if (remembered !== null) return JSON.parse(remembered) as Covered[];
  const measured: Covered[] = [];
  const ofGenerated: Covered[] = [];
  const all = [
    ...places.map((place) => ({ place, budgets: WRITTEN_BUDGETS, into: measured })),
    ...generated.map((place) => ({ place, budgets: GENERATED_BUDGETS, into: ofGenerated })),
  ];
  await crew.each(all, async (member, { place, budgets, into }) => {
    if (isStopped()) return;
    into.push(await member.mutator.coverage(place, budgets));
    listener.covering(measured.length + ofGenerated.length, all.length);
  });
  const covered = [...measured, ...thinned(ofGenerated)];
  if (!isStopped()) host.remember(name, JSON.stringify(covered));
  return covered;
}

interface Surroundings extends Pick<Earlier, 'sightings'> {
  readonly visits: Visits;
  readonly found: Map<string, Verdict>;
  readonly listener: Listener;
}

/** The mutants of one function, one after the other: what killed one comes first for the next. */
async function judgeFunction(
  member: Member,
  mutants: readonly MutantInfo[],
  { visits, found, sightings, listener }: Surroundings,
  { isStopped }: CampaignRequest,
): Promise<void> {
  const killers: Place[] = [];
  for (const mutant of mutants) {
    if (isStopped()) return;
    const known = found.get(mutant.id);
    const chosen = visits.of(mutant, killers, sightings.get(mutant.id));
    const verdict = known ?? (await judge(member, mutant, chosen, isStopped));
    if (verdict === null) return;
    found.set(mutant.id, verdict);
    if (known === undefined) listener.judged(verdict);
    const { by } = verdict;
    if (by !== null) killers.unshift(by, ...killers.splice(0).filter((one) => !isSame(one, by)));
  }
}

function isSame(one: Place, other: Place): boolean {
  return one.scenario === other.scenario && one.protocol === other.protocol;
}

/** null: stopped before it was decided. */
async function judge(
  member: Member,
  mutant: MutantInfo,
  chosen: readonly Visit[],
  isStopped: () => boolean,
): Promise<Verdict | null> {
  if (chosen.length === 0) return verdictOf(mutant, 'not executed', null, NO_WORK);
  let work: Work = NO_WORK;
  for (const visit of chosen) {
    if (isStopped()) return null;
    let sighting: Sighting | null;
    try {
      const visited = await member.mutator.visit(mutant.number, visit);
      work = added(work, visited);
      ({ sighting } = visited);
    } catch (error) {
      await member.replace();
      const { scenario, protocol } = visit;
      const { message } = error as Error;
      sighting = { scenario, protocol, bound: 0, kind: 'crash', message };
    }
    if (sighting !== null) return verdictOf(mutant, 'killed', sighting, work);
  }
  return verdictOf(mutant, 'survived', null, work);
}

function added(work: Work, more: { readonly executions: number; readonly steps: number }): Work {
  return {
    visits: work.visits + 1,
    executions: work.executions + more.executions,
    steps: work.steps + more.steps,
  };
}

function functionsOf(mutants: readonly MutantInfo[]): MutantInfo[][] {
  const groups = new Map<string, MutantInfo[]>();
  for (const mutant of mutants) {
    const name = `${mutant.path}:${mutant.functionName}`;
    groups.set(name, [...(groups.get(name) ?? []), mutant]);
  }
  return [...groups.values()];
}

/** A thread of the campaign; another takes its place when it dies. */
interface Member {
  readonly mutator: Mutator;
  replace(): Promise<void>;
}

class Crew {
  readonly #host: MutationHost;
  readonly #threads: number;
  readonly #mutators: Mutator[];

  /** `first` is one of its mutators; the others start when there is work for them. */
  constructor(host: MutationHost, first: Mutator, threads: number) {
    this.#host = host;
    this.#threads = threads;
    this.#mutators = [first];
  }

  /** Does the work for each item, on as many threads as there are. */
  async each<Item>(
    items: readonly Item[],
    work: (member: Member, item: Item) => Promise<void>,
  ): Promise<void> {
    const left = items.values();
    const shift = async (place: number): Promise<void> => {
      for (const item of left) {
        if (this.#mutators[place] === undefined) await this.#start(place);
        await work(this.#member(place), item);
      }
    };
    const threads = Math.max(1, Math.min(this.#threads, items.length));
    await Promise.all(Array.from({ length: threads }, (_, place) => shift(place)));
  }

  async end(): Promise<void> {
    await Promise.all(this.#mutators.map((mutator) => mutator.end()));
  }

  #member(place: number): Member {
    const mutators = this.#mutators;
    return {
      get mutator(): Mutator {
        return mutators[place] as Mutator;
      },
      replace: async () => {
        await (mutators[place] as Mutator).end();
        await this.#start(place);
      },
    };
  }

  async #start(place: number): Promise<void> {
    const mutator = this.#host.startMutator();
    this.#mutators[place] = mutator;
    await mutator.prepare();
  }
}
