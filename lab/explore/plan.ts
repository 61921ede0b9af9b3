/** From a request to the explorations that it means. */
import type { Search } from './engine/explore.ts';
import type { Job } from './experiment.ts';
import { isPath } from './experiment.ts';
import type { Scenario } from './model/kit.ts';
import { MUTANTS, mutantNamed } from './mutants.ts';

/** The protocol of a scenario that shares nothing that protocols lock. */
const PROTOCOL_DEFAULT = 'rcu';

export interface Request {
  /** Names or paths; empty for all, or with a mutant for the one in which it shows. */
  readonly scenarios: readonly string[];
  /** Names or paths; empty for all. A mutant without a scenario brings its own. */
  readonly protocols: readonly string[];
  readonly mutant: string | null;
  readonly search: Omit<Search, 'bound'> & {
    /** null: the usual one for the scenario's number of CPUs. */
    readonly bound: number | null;
  };
}

/** What a request can name. */
export interface Catalogue {
  readonly scenarios: readonly Scenario[];
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

/** The explorations of a request, in order. Throws an UnknownNameError. */
export function planJobs(request: Request, catalogue: Catalogue): Job[] {
  const { mutant: mutantName, search } = request;
  const mutant = mutantName === null ? null : mutantNamed(mutantName);
  if (mutantName !== null && mutant === null) {
    throw new UnknownNameError('mutant', mutantName, namesOf(MUTANTS));
  }
  let { scenarios, protocols } = request;
  if (scenarios.length === 0) {
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
    if (known === undefined && !isPath(scenario)) {
      throw new UnknownNameError('scenario', scenario, namesOf(catalogue.scenarios));
    }
    const bound = search.bound ?? boundDefault(known?.cpus.length ?? 2);
    const fitting = known === undefined ? protocols : protocolsFor(known, protocols);
    return fitting.map((protocol) => ({
      experiment: { scenario, protocol, mutant: mutantName },
      search: { ...search, bound },
    }));
  });
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
