/**
 * All mutants, or those asked for, judged on several threads.
 *
 * Guarantees: a verdict does not depend on the number of threads, on time, or on what was judged
 * before; verdicts known from an earlier run are taken over.
 */
import { EQUIVALENTS } from './equivalents.ts';
import type { Covered, Place, Sighting } from './judge.ts';
import type { MutationHost, Mutator, Prepared } from './mutator.ts';
import type { MutantInfo } from './schemata-build.ts';
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

export interface Listener {
  /** Verdicts of an earlier run that still hold, by mutant. */
  known(prepared: Prepared, wanted: number): ReadonlyMap<string, Verdict>;
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
    const known = new Map(listener.known(prepared, wanted.length));
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
      await judgeFunction(member, group, visits, found, request, listener);
    });
    return wanted.flatMap(({ id }) => found.get(id) ?? []);
  } finally {
    await crew.end();
  }
}

/** Which places each scenario executes, from the last run with this build if there was one. */
async function coverage(
  host: MutationHost,
  crew: Crew,
  { kernel, scenarios, places }: Prepared,
  { isStopped }: CampaignRequest,
  listener: Listener,
): Promise<Covered[]> {
  const name = `coverage-${kernel}-${scenarios}`;
  const remembered = host.recall(name);
  if (remembered !== null) return JSON.parse(remembered) as Covered[];
  const covered: Covered[] = [];
  await crew.each(places, async (member, place) => {
    if (isStopped()) return;
    covered.push(await member.mutator.coverage(place));
    listener.covering(covered.length, places.length);
  });
  if (!isStopped()) host.remember(name, JSON.stringify(covered));
  return covered;
}

/** The mutants of one function, one after the other: what killed one comes first for the next. */
async function judgeFunction(
  member: Member,
  mutants: readonly MutantInfo[],
  visits: Visits,
  found: Map<string, Verdict>,
  { isStopped }: CampaignRequest,
  listener: Listener,
): Promise<void> {
  const killers: Place[] = [];
  for (const mutant of mutants) {
    if (isStopped()) return;
    const known = found.get(mutant.id);
    const verdict = known ?? (await judge(member, mutant, visits, killers, isStopped));
    if (verdict === null) return;
    found.set(mutant.id, verdict);
    if (known === undefined) listener.judged(verdict);
    if (verdict.by !== null) killers.unshift(verdict.by);
  }
}

/** null: stopped before it was decided. */
async function judge(
  member: Member,
  mutant: MutantInfo,
  visits: Visits,
  killers: readonly Place[],
  isStopped: () => boolean,
): Promise<Verdict | null> {
  const chosen = visits.of(mutant, killers);
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
