/**
 * Judges one mutant at a time: explores it in scenarios that execute its place, with few
 * preemptions first, until one fails.
 *
 * Guarantees: what a visit finds depends on the kernel, the mutant, the scenario and the budget
 * alone: the budget counts executions, not time.
 */
import type { LockingProtocol } from '../../../kernel/machine/locking-protocol.ts';
import type { Model } from '../build/build-model.ts';
import { Executor } from '../engine/executor.ts';
import { explore } from '../engine/explore.ts';
import type { Exploration } from '../engine/explore.ts';
import { SequentialOutcomes } from '../engine/sequential.ts';
import { Subject } from '../engine/subject.ts';

/** A scenario under a protocol. */
export interface Place {
  readonly scenario: string;
  readonly protocol: string;
}

/** Places of mutants that a scenario executes under a protocol. */
export interface Covered extends Place {
  /** By one CPU, in operations. */
  readonly alone: readonly number[];
  /** By several CPUs. */
  readonly contested: readonly number[];
  /** In the setup, or in what looks at the final state, only. */
  readonly aside: readonly number[];
  /** How many places its CPUs execute. */
  readonly size: number;
}

export interface Budget {
  readonly strategy: 'exhaustive' | 'pct';
  /** Preemptions of the exhaustive search, bug depth of PCT. */
  readonly bound: number;
  /** At most. */
  readonly executionsMax: number;
  /** About; as executions were long with fewer preemptions. */
  readonly stepsMax: number;
}

/** An exploration in search of a mutant's failure. */
export interface Visit extends Place {
  readonly bounds: readonly Budget[];
}

export interface Sighting extends Place {
  readonly bound: number;
  /** Kind of failure. */
  readonly kind: string;
  readonly message: string;
}

export interface Visited {
  readonly sighting: Sighting | null;
  readonly executions: number;
  readonly steps: number;
}

/** Brings its mutant's count of turns to 0 before each execution. */
class MutantSubject extends Subject {
  override reset(): void {
    this.model.module.runtime.mutation.resetTurns();
    super.reset();
  }
}

export class Judge {
  readonly #model: Model;
  readonly #reference: Model;
  readonly #pause: () => Promise<void>;
  /** Whether it matters which CPU executes what. */
  #isWatched = false;
  /** What whole operations do in the kernel as it is, by scenario and protocol. */
  readonly #outcomes = new Map<string, SequentialOutcomes>();

  /** Two copies of one build: the mutants run in the first. */
  constructor(model: Model, reference: Model, pause: () => Promise<void>) {
    this.#model = model;
    this.#reference = reference;
    this.#pause = pause;
  }

  /** Explores mutant `number` as the visit says. */
  async visit(number: number, visit: Visit): Promise<Visited> {
    const { mutation } = this.#model.module.runtime;
    const total = { executions: 0, steps: 0 };
    mutation.activate(number);
    mutation.resetTurns();
    let bound = 0;
    try {
      const executor = this.#executor(visit);
      for (const budget of visit.bounds) {
        bound = budget.bound;
        const meanSteps = total.steps / Math.max(1, total.executions);
        const executionsMax = Math.min(
          budget.executionsMax,
          Math.ceil(budget.stepsMax / Math.max(1, meanSteps)),
        );
        const exploration = await this.#explore(executor, budget, executionsMax);
        total.executions += exploration.executions;
        total.steps += exploration.steps;
        const { finding } = exploration;
        if (finding === null) continue;
        const { kind, message } = finding.failure;
        return { ...total, sighting: { ...placeOf(visit), bound, kind, message } };
      }
    } catch (error) {
      // In the setup, which runs alone, or in what looks at a final state.
      const { message } = error as Error;
      return { ...total, sighting: { ...placeOf(visit), bound, kind: 'panic', message } };
    } finally {
      mutation.activate(0);
    }
    return { ...total, sighting: null };
  }

  /** Places that the kernel as it is executes in a scenario, within these budgets. */
  async coverage(place: Place, bounds: readonly Budget[]): Promise<Covered> {
    const { mutation } = this.#model.module.runtime;
    const { reached, SETUP } = mutation;
    reached.fill(0);
    this.#isWatched = true;
    const { sighting } = await this.visit(0, { ...place, bounds });
    this.#isWatched = false;
    if (sighting !== null) {
      const { scenario, protocol, message } = sighting;
      throw new Error(`${scenario} under ${protocol} fails without a mutant: ${message}`);
    }
    const covered = { alone: [] as number[], contested: [] as number[], aside: [] as number[] };
    reached.forEach((who, i) => {
      const cpus = who & ~SETUP;
      if (cpus !== 0) covered[(cpus & (cpus - 1)) !== 0 ? 'contested' : 'alone'].push(i);
      else if (who !== 0) covered.aside.push(i);
    });
    const size = covered.alone.length + covered.contested.length;
    return { ...placeOf(place), ...covered, size };
  }

  #executor({ scenario, protocol }: Place): Executor {
    const key = `${scenario} ${protocol}`;
    let outcomes = this.#outcomes.get(key);
    if (outcomes === undefined) {
      outcomes = new SequentialOutcomes(subjectOf(this.#reference, scenario, protocol));
      // Coverage visits each of thousands of pairs once.
      if (!this.#isWatched) this.#outcomes.set(key, outcomes);
    }
    const model = this.#isWatched ? watched(this.#model) : this.#model;
    return new Executor(subjectOf(model, scenario, protocol), outcomes);
  }

  #explore(executor: Executor, budget: Budget, executionsMax: number): Promise<Exploration> {
    const { strategy, bound } = budget;
    return explore(
      executor,
      { ...{ strategy, bound, depth: bound, executionsMax }, seed: 1, timeMaxMs: Infinity },
      { nowMs: () => performance.now(), pause: this.#pause, isStopped: () => false },
    );
  }
}

/** The model, told of the CPU that goes on. */
function watched(model: Model): Model {
  const { runtime } = model.module;
  const { facade, mutation } = runtime;
  const setCurrent: typeof facade.setCurrent = (task, by) => {
    mutation.run(task?.id ?? null);
    facade.setCurrent(task, by);
  };
  const heard = { ...runtime, facade: { ...facade, setCurrent } };
  return { ...model, module: { ...model.module, runtime: heard } };
}

function subjectOf(model: Model, scenarioName: string, protocolName: string): Subject {
  const { SCENARIOS, PROTOCOLS, generatedNamed } = model.module;
  const written = SCENARIOS.find(({ name }) => name === scenarioName);
  const scenario = written ?? generatedNamed(scenarioName);
  if (scenario === undefined) throw new Error(`no scenario is called '${scenarioName}'`);
  const protocols: Readonly<Record<string, LockingProtocol>> = PROTOCOLS;
  return new MutantSubject(model, scenario, protocols[protocolName] as LockingProtocol);
}

function placeOf({ scenario, protocol }: Place): Place {
  return { scenario, protocol };
}
