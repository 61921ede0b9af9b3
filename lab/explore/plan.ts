/** From a request to the explorations that it means. */
import type { Toolchain } from './build/toolchain.ts';
import type { Search } from './engine/explore.ts';
import type { Job } from './experiment.ts';
import { isPath } from './experiment.ts';
import type { Scenario } from './model/kit.ts';
import { MUTANTS, mutantNamed } from './mutants.ts';
import { isSystematic, namesBeside } from './mutate/one-mutant.ts';
import { generatedNamed } from './model/index.ts';

/** The protocol of a scenario that shares nothing that protocols lock. */
export const PROTOCOL_DEFAULT = 'rcu';
/** Default bound on preemptions of generated scenarios: there are thousands. */
const PAIR_BOUND = 2;

export interface Request {
  /** Names or paths; empty for all, or with a mutant for the one in which it shows. */
  readonly scenarios: readonly string[];
  /** Names or paths; empty for all. A mutant without a scenario brings its own. */
  readonly protocols: readonly string[];
  readonly mutant: string | null;
  /** Which generated scenarios to add: those that have all of these words in their names. */
  readonly pairs?: readonly string[] | null;
  /** Whether to record which accesses were in conflict. */
  readonly wantsConflicts?: boolean;
  readonly search: Omit<Search, 'bound'> & {
    /** null: the usual one for the scenario's number of CPUs. */
    readonly bound: number | null;
  };
}

/** What a request can name. */
export interface Catalogue {
  readonly scenarios: readonly Scenario[];
  /** Names of the generated ones (model/pairs). */
  readonly pairs: readonly string[];
  readonly protocols: readonly string[];
}

/** A request names something that does not exist. */
export class UnknownNameError extends Error {
  override readonly name = 'UnknownNameError';
  readonly given: string;
  /** The names that exist. */
  readonly candidates: readonly string[];

  constructor(what: string, given: string, candidates: readonly string[]) {
    super(`no ${what} is called '${given}'`);
    this.given = given;
    this.candidates = candidates;
  }
}

/** Rejects with an UnknownNameError when no mutant, thought out or systematic, has the name. */
export async function requireMutant(toolchain: Toolchain, name: string): Promise<void> {
  const names = isSystematic(name) ? await namesBeside(toolchain, name) : namesOf(MUTANTS);
  if (!names.includes(name)) throw new UnknownNameError('mutant', name, names);
}

/** The explorations of a request whose mutant exists. Throws an UnknownNameError. */
export function planJobs(request: Request, catalogue: Catalogue): Job[] {
  const { mutant: mutantName, search } = request;
  const mutant = mutantName === null ? null : mutantNamed(mutantName);
  let { scenarios, protocols } = request;
  const { pairs = null } = request;
  if (pairs !== null) {
    scenarios = [...scenarios, ...pairsWith(pairs, catalogue.pairs)];
  } else if (scenarios.length === 0) {
    scenarios = mutant === null ? namesOf(catalogue.scenarios) : [mutant.scenario];
    if (mutant !== null) protocols = [mutant.protocol];
  }
  if (protocols.length === 0) protocols = catalogue.protocols;
  for (const name of protocols) {
    if (isPath(name) || catalogue.protocols.includes(name)) continue;
    throw new UnknownNameError('protocol', name, catalogue.protocols);
  }
  return scenarios.flatMap((scenario) => {
    const known = catalogue.scenarios.find(({ name }) => name === scenario);
    if (known === undefined && !isPath(scenario) && generatedNamed(scenario) === undefined) {
      throw new UnknownNameError('scenario', scenario, namesOf(catalogue.scenarios));
    }
    const isPair = known === undefined && !isPath(scenario);
    const usual = isPair ? PAIR_BOUND : boundDefault(known?.cpus.length ?? 2);
    const bound = search.bound ?? usual;
    const fitting = known === undefined ? protocols : protocolsFor(known, protocols);
    return fitting.map((protocol) => ({
      experiment: { scenario, protocol, mutant: mutantName },
      search: { ...search, bound },
      ...(request.wantsConflicts === true && { wantsConflicts: true }),
    }));
  });
}

/** The generated scenarios whose names have all the words. Throws an UnknownNameError. */
function pairsWith(words: readonly string[], names: readonly string[]): string[] {
  const parts = new Set(names.flatMap((name) => name.split('+')));
  for (const word of words) {
    if (!parts.has(word)) throw new UnknownNameError('state or operation', word, [...parts]);
  }
  return names.filter((name) => words.every((word) => name.split('+').includes(word)));
}

/** Protocols under which a scenario is worth exploring. */
export function protocolsFor(scenario: Scenario, all: readonly string[]): readonly string[] {
  return scenario.perProtocol === false ? [PROTOCOL_DEFAULT] : all;
}

/** Default bound on preemptions of an exhaustive search. */
function boundDefault(cpus: number): number {
  return cpus <= 2 ? 3 : 2;
}

export function namesOf(items: readonly { readonly name: string }[]): string[] {
  return items.map(({ name }) => name);
}
