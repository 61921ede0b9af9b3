/**
 * Explorations as a user asks for them: scenarios, protocols and mutants by name or by path. Builds
 * what is needed once and finds, minimises and retells failures.
 */
import { isAbsolute, resolve } from 'node:path';
import type { LockingProtocol } from '../../kernel/machine/locking-protocol.ts';
import { buildModel } from './build/build-model.ts';
import type { Model } from './build/build-model.ts';
import { Executor } from './engine/executor.ts';
import { explore } from './engine/explore.ts';
import type { Exploration, Search } from './engine/explore.ts';
import { minimise } from './engine/minimise.ts';
import { formatSchedule, segmentsOf } from './engine/schedule.ts';
import type { Segment } from './engine/schedule.ts';
import { Subject } from './engine/subject.ts';
import type { Scenario } from './model/kit.ts';
import { MUTANTS } from './mutants.ts';
import type { Mutant } from './mutants.ts';

/** The protocol of a scenario that shares nothing that protocols lock. */
const PROTOCOL_DEFAULT = 'rcu';

export interface Experiment {
  /** Name, or path of a module that exports a scenario as default. */
  readonly scenario: string;
  /** Name, or path of a module that exports a protocol as default. */
  readonly protocol: string;
  readonly mutant: string | null;
}

export interface Report {
  readonly experiment: Experiment;
  readonly exploration: Exploration;
  /** Of the minimised failure. */
  readonly schedule: string | null;
}

export class Laboratory {
  readonly #models = new Map<string, Promise<Model>>();

  /** Names of the scenarios that ship, and what they are about. */
  async scenarios(): Promise<readonly Scenario[]> {
    return (await this.#model(null, [])).module.SCENARIOS;
  }

  async protocols(): Promise<readonly string[]> {
    return Object.keys((await this.#model(null, [])).module.PROTOCOLS);
  }

  mutant(name: string): Mutant | null {
    return MUTANTS.find((mutant) => mutant.name === name) ?? null;
  }

  /** The executor of an experiment. Throws an Error that says which part there is none of. */
  async executor(experiment: Experiment): Promise<Executor> {
    const { mutant } = experiment;
    const paths = [experiment.scenario, experiment.protocol].filter(isPath).map((p) => resolve(p));
    const clean = await this.#subject(await this.#model(null, paths), experiment, paths);
    if (mutant === null) return new Executor(clean);
    const changed = await this.#subject(await this.#model(mutant, paths), experiment, paths);
    return new Executor(changed, clean);
  }

  /** Explores, and leaves a failure as it was found. */
  async search(
    experiment: Experiment,
    search: Search,
  ): Promise<{ executor: Executor; exploration: Exploration }> {
    const executor = await this.executor(experiment);
    return { executor, exploration: explore(executor, search, () => performance.now()) };
  }

  /** Explores; a failure is minimised. */
  async explore(experiment: Experiment, search: Search): Promise<Report> {
    const { executor, exploration } = await this.search(experiment, search);
    if (exploration.finding === null) return { experiment, exploration, schedule: null };
    const finding = minimise(executor, exploration.finding);
    const schedule = scheduleOf(experiment, segmentsOf(finding.schedule));
    return { experiment, exploration: { ...exploration, finding }, schedule };
  }

  async #subject(model: Model, experiment: Experiment, paths: readonly string[]): Promise<Subject> {
    const scenario = isPath(experiment.scenario)
      ? (exported(model, paths, experiment.scenario) as Scenario)
      : model.module.SCENARIOS.find(({ name }) => name === experiment.scenario);
    if (scenario === undefined) throw new Error(`there is no scenario '${experiment.scenario}'`);
    const built = model.module.PROTOCOLS as Readonly<Record<string, LockingProtocol>>;
    const protocol = isPath(experiment.protocol)
      ? (exported(model, paths, experiment.protocol) as LockingProtocol)
      : built[experiment.protocol];
    if (protocol === undefined) throw new Error(`there is no protocol '${experiment.protocol}'`);
    return new Subject(model, scenario, protocol);
  }

  #model(mutantName: string | null, userModules: readonly string[]): Promise<Model> {
    const key = JSON.stringify([mutantName, userModules]);
    let model = this.#models.get(key);
    if (model === undefined) {
      const mutant = mutantName === null ? null : this.mutant(mutantName);
      if (mutantName !== null && mutant === null) {
        throw new Error(`there is no mutant '${mutantName}'`);
      }
      model = buildModel({ patches: mutant?.patches ?? [], userModules });
      this.#models.set(key, model);
    }
    return model;
  }
}

/** The text that replays an execution of the experiment. */
function scheduleOf(experiment: Experiment, segments: readonly Segment[]): string {
  return formatSchedule({ ...experiment, segments });
}

export function isPath(name: string): boolean {
  return isAbsolute(name) || /[\\/]|\.[cm]?[jt]s$/.test(name);
}

/** Protocols under which a scenario is worth exploring. */
export function protocolsFor(scenario: Scenario, all: readonly string[]): readonly string[] {
  return scenario.perProtocol === false ? [PROTOCOL_DEFAULT] : all;
}

function exported(model: Model, paths: readonly string[], path: string): unknown {
  const value = model.userModules[paths.indexOf(resolve(path))]?.['default'];
  if (value === undefined) throw new Error(`'${path}' has no default export`);
  return value;
}
