/** What the campaign needs from where it runs: Judges on other threads, and a memory. */
import type { Budget, Covered, Place, Visit, Visited } from './judge.ts';
import type { MutantInfo } from './schemata-build.ts';

/** A build with its mutants, and all scenarios under the protocols that they concern. */
export interface Prepared {
  readonly mutants: readonly MutantInfo[];
  readonly places: readonly Place[];
  /** Pairs and walks (model/pairs, model/walks), some pairs under other protocols too. */
  readonly generated: readonly Place[];
  /** Another one for another kernel or other mutants of it. */
  readonly kernel: string;
  /** Another one for other scenarios. */
  readonly scenarios: string;
}

/** A Judge on a thread of its own. */
export interface Mutator {
  /** Builds the model, which takes seconds. */
  prepare(): Promise<Prepared>;
  coverage(place: Place, bounds: readonly Budget[]): Promise<Covered>;
  /** Rejects when the thread dies of it, or does not answer. */
  visit(number: number, visit: Visit): Promise<Visited>;
  end(): Promise<void>;
}

export interface MutationHost {
  readonly startMutator: () => Mutator;
  /** What was written under this name on this machine, or null. */
  readonly recall: (name: string) => string | null;
  readonly remember: (name: string, text: string) => void;
}
