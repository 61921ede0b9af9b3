/**
 * Explorations as a user asks for them: scenarios, protocols and mutants by name or by path. Builds
 * what is needed once, finds and minimises failures, and retells them.
 */
import type { LockingProtocol } from '../../kernel/machine/locking-protocol.ts';
import { missingProtocolMethod } from '../../workers/boot/protocol-methods.ts';
import { buildModel } from './build/build-model.ts';
import type { Model } from './build/build-model.ts';
import { Executor } from './engine/executor.ts';
import { explore } from './engine/explore.ts';
import type { Exploration } from './engine/explore.ts';
import { minimise } from './engine/minimise.ts';
import { formatSchedule, parseSchedule, segmentsOf } from './engine/schedule.ts';
import { tell } from './engine/story.ts';
import type { Story } from './engine/story.ts';
import { Subject } from './engine/subject.ts';
import { isPath } from './experiment.ts';
import type { Experiment, Job, Report } from './experiment.ts';
import type { Host } from './host.ts';
import type { Scenario } from './model/kit.ts';
import { MUTANTS, mutantNamed } from './mutants.ts';
import { UnknownNameError, planJobs } from './plan.ts';
import type { Catalogue, Request } from './plan.ts';
import { exploreSideBySide } from './side-by-side.ts';

/** A failure, replayed and told. */
export interface Retelling {
  readonly experiment: Experiment;
  readonly story: Story;
}

/** A schedule that cannot be replayed. */
export class ScheduleError extends Error {
  override readonly name = 'ScheduleError';
}

export class Laboratory {
  readonly #host: Host;
  readonly #models = new Map<string, Promise<Model>>();

  constructor(host: Host) {
    this.#host = host;
  }

  /** The scenarios and protocols that ship. */
  async catalogue(): Promise<Catalogue> {
    const { SCENARIOS, PROTOCOLS } = (await this.#model(null, [])).module;
    return { scenarios: SCENARIOS, protocols: Object.keys(PROTOCOLS) };
  }

  /** The explorations that a request means, in order. Throws an UnknownNameError. */
  async plan(request: Request): Promise<Job[]> {
    return planJobs(request, await this.catalogue());
  }

  /**
   * Carries out the jobs on up to `threads` threads. A failure of the kernel itself ends it; those
   * of mutants do not. `heard` receives each report as its exploration ends; the result has them in
   * the order of the jobs.
   */
  async exploreAll(
    jobs: readonly Job[],
    threads: number,
    heard: (report: Report) => void,
  ): Promise<Report[]> {
    const reports: Report[] = [];
    for await (const report of this.#reports(jobs, threads)) {
      reports.push(report);
      heard(report);
      if (report.exploration.finding !== null && report.experiment.mutant === null) break;
    }
    const placeOf = ({ experiment: { scenario, protocol } }: Report): number =>
      jobs.findIndex(({ experiment }) => {
        return experiment.scenario === scenario && experiment.protocol === protocol;
      });
    return reports.sort((one, other) => placeOf(one) - placeOf(other));
  }

  /** Explores; a failure is minimised. */
  async explore(job: Job): Promise<Report> {
    const { experiment } = job;
    let searched;
    try {
      searched = await this.search(job);
    } catch (error) {
      if ((error as Error).name !== 'KernelPanic') throw error;
      return panickedAlone(experiment, error as Error);
    }
    const { executor, exploration } = searched;
    const excuses = [...executor.oracles.excuses()];
    if (exploration.finding === null) return { experiment, exploration, schedule: null, excuses };
    const finding = minimise(executor, exploration.finding);
    const schedule = formatSchedule({ ...experiment, segments: segmentsOf(finding.schedule) });
    return { experiment, exploration: { ...exploration, finding }, schedule, excuses };
  }

  /** Explores, and leaves a failure as it was found. */
  async search({
    experiment,
    search,
  }: Job): Promise<{ executor: Executor; exploration: Exploration }> {
    const executor = await this.executor(experiment);
    return { executor, exploration: explore(executor, search, this.#host.nowMs) };
  }

  /**
   * Replays a schedule that a report has, and tells what happens. Throws a ScheduleError when it is
   * none, or does not fit what it names; an UnknownNameError when that does not exist.
   */
  async retell(schedule: string): Promise<Retelling> {
    const parsed = parseSchedule(schedule);
    if (parsed === null) throw new ScheduleError(`'${schedule}' is no schedule`);
    const { segments, ...experiment } = parsed;
    const executor = await this.executor(experiment);
    const story = tell(executor, segments);
    if (story === null) {
      throw new ScheduleError(
        `the schedule does not fit '${experiment.scenario}' as it is under ${experiment.protocol}`,
      );
    }
    const mutant = experiment.mutant === null ? null : mutantNamed(experiment.mutant);
    if (mutant === null) return { experiment, story };
    const about = [...story.about, `seeded bug ${mutant.name}: ${mutant.about}`];
    return { experiment, story: { ...story, about } };
  }

  /** The executor of an experiment. Throws an UnknownNameError for what does not exist. */
  async executor(experiment: Experiment): Promise<Executor> {
    const { scenario, protocol, mutant } = experiment;
    const paths = [scenario, protocol].filter(isPath).map((p) => this.#host.absolutePath(p));
    const clean = this.#subject(await this.#model(null, paths), experiment, paths);
    if (mutant === null) return new Executor(clean);
    const changed = this.#subject(await this.#model(mutant, paths), experiment, paths);
    return new Executor(changed, clean);
  }

  async *#reports(jobs: readonly Job[], threads: number): AsyncGenerator<Report> {
    if (threads > 1 && jobs.length > 1) {
      yield* exploreSideBySide(this.#host.startExplorer, jobs, threads);
    } else for (const job of jobs) yield this.explore(job);
  }

  #subject(model: Model, experiment: Experiment, paths: readonly string[]): Subject {
    const { SCENARIOS, PROTOCOLS } = model.module;
    const scenario = isPath(experiment.scenario)
      ? (this.#exported(model, paths, experiment.scenario) as Scenario)
      : SCENARIOS.find(({ name }) => name === experiment.scenario);
    if (scenario === undefined) {
      throw new UnknownNameError(
        'scenario',
        experiment.scenario,
        SCENARIOS.map(({ name }) => name),
      );
    }
    const protocol = isPath(experiment.protocol)
      ? (this.#exported(model, paths, experiment.protocol) as LockingProtocol)
      : (PROTOCOLS as Readonly<Record<string, LockingProtocol>>)[experiment.protocol];
    if (protocol === undefined) {
      throw new UnknownNameError('protocol', experiment.protocol, Object.keys(PROTOCOLS));
    }
    const missing = missingProtocolMethod(protocol);
    if (missing !== null) throw new Error(`'${experiment.protocol}' has no method ${missing}`);
    if (!Array.isArray(scenario.cpus) || typeof scenario.setup !== 'function') {
      throw new Error(`'${experiment.scenario}' is no scenario: it needs cpus and setup`);
    }
    return new Subject(model, scenario, protocol);
  }

  /** The default export of a user's module. */
  #exported(model: Model, paths: readonly string[], path: string): unknown {
    const index = paths.indexOf(this.#host.absolutePath(path));
    const value = model.userModules[index]?.['default'];
    if (value === undefined) throw new Error(`'${path}' has no default export`);
    return value;
  }

  #model(mutantName: string | null, userModules: readonly string[]): Promise<Model> {
    const key = JSON.stringify([mutantName, userModules]);
    let model = this.#models.get(key);
    if (model === undefined) {
      const mutant = mutantName === null ? null : mutantNamed(mutantName);
      if (mutantName !== null && mutant === null) {
        throw new UnknownNameError(
          'mutant',
          mutantName,
          MUTANTS.map(({ name }) => name),
        );
      }
      model = buildModel(this.#host, { patches: mutant?.patches ?? [], userModules });
      this.#models.set(key, model);
    }
    return model;
  }
}

/** The report of a scenario whose setup, which runs alone, panics: there is nothing to replay. */
function panickedAlone(experiment: Experiment, { message }: Error): Report {
  const failure = { kind: 'panic', message: `in the scenario's setup: ${message}` } as const;
  const exploration: Exploration = {
    ...{ executions: 0, steps: 0, elapsedMs: 0, points: 0, complete: false },
    finding: { failure, schedule: new Uint8Array(0) },
  };
  return { experiment, exploration, schedule: null, excuses: [] };
}
