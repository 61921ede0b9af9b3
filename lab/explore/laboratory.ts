/**
 * Explorations as a user asks for them: scenarios, protocols and mutants by name or by path. Builds
 * what is needed once, finds and minimises failures, and retells them.
 */
import type { LockingProtocol } from '../../kernel/machine/locking-protocol.ts';
import { missingProtocolMethod } from '../../workers/boot/protocol-methods.ts';
import { buildModel } from './build/build-model.ts';
import type { Model } from './build/build-model.ts';
import { coverageOf, recordOf } from './coverage.ts';
import type { PlaceCoverage } from './coverage.ts';
import { Conflicts } from './engine/conflicts.ts';
import { Executor } from './engine/executor.ts';
import { explore } from './engine/explore.ts';
import type { Exploration, Surroundings } from './engine/explore.ts';
import { parseSchedule } from './engine/schedule.ts';
import { Subject } from './engine/subject.ts';
import { exploreUnit } from './engine/unit.ts';
import type { Unit } from './engine/unit.ts';
import { inOrder, isFailureOfKernel, isPath } from './experiment.ts';
import type { Experiment, Job, Report, UnitReport } from './experiment.ts';
import { minimised, panickedAlone, panickedUnit } from './findings.ts';
import type { Explorer, Host } from './host.ts';
import type { Scenario } from './model/kit.ts';
import { mutantNamed } from './mutants.ts';
import { isSystematic, withMutant } from './mutate/one-mutant.ts';
import { PROTOCOLS, SCENARIOS, generatedNamed, pairNames } from './model/index.ts';
import { UnknownNameError, namesOf, planJobs, requireMutant } from './plan.ts';
import type { Catalogue, Request } from './plan.ts';
import { exploreSideBySide } from './side-by-side.ts';
import type { Story } from './story/story.ts';
import { tell } from './story/tell.ts';

/** A failure, replayed and told. */
export interface Retelling {
  readonly experiment: Experiment;
  readonly story: Story;
}

/** A schedule that cannot be replayed. */
export class ScheduleError extends Error {
  override readonly name = 'ScheduleError';
}

/** A module of the user that is not what it was named as. */
export class UserModuleError extends Error {
  override readonly name = 'UserModuleError';
}

export class Laboratory {
  readonly #host: Host;
  readonly #onBuild: () => void;
  readonly #models = new Map<string, Promise<Model>>();
  /** Explorers on threads of their own, at work now. */
  readonly #explorers = new Set<Explorer>();
  #isStopped = false;
  #last: { readonly key: string; readonly executor: Executor } | null = null;

  /** `onBuild` is called before the first model is built, which takes seconds. */
  constructor(host: Host, onBuild: () => void = () => {}) {
    this.#host = host;
    this.#onBuild = onBuild;
  }

  /** Ends what is being explored soon, as not complete, and explores nothing more. */
  stop(): void {
    this.#isStopped = true;
    for (const explorer of this.#explorers) explorer.stop();
  }

  get isStopped(): boolean {
    return this.#isStopped;
  }

  /** The scenarios and protocols that ship, and the names of generated scenarios. */
  catalogue(): Catalogue {
    return { scenarios: SCENARIOS, pairs: pairNames(), protocols: Object.keys(PROTOCOLS) };
  }

  /** The explorations that a request means, in order. Rejects with an UnknownNameError. */
  async plan(request: Request): Promise<Job[]> {
    if (request.mutant !== null) await requireMutant(this.#host, request.mutant);
    return planJobs(request, this.catalogue());
  }

  /**
   * Carries out the jobs on up to `threads` threads. A failure of the kernel itself ends it unless
   * `keepsGoing`; those of mutants do not. `heard` receives each report as its exploration ends;
   * the result has them in the order of the jobs.
   */
  async exploreAll(
    jobs: readonly Job[],
    threads: number,
    heard: (report: Report) => void,
    keepsGoing = false,
  ): Promise<Report[]> {
    const reports: Report[] = [];
    for await (const report of this.#reports(jobs, threads)) {
      reports.push(report);
      heard(report);
      if (isFailureOfKernel(report) && !keepsGoing) break;
    }
    return inOrder(jobs, reports);
  }

  /** What the reports' explorations had in conflict, of all that the kernel has. */
  async coverage(reports: readonly Report[]): Promise<PlaceCoverage[]> {
    const { sites } = await this.#model(null, []);
    const records = reports.flatMap(({ conflicts }) => conflicts ?? []);
    return coverageOf(records, sites);
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
    if (exploration.finding === null) {
      const { conflicts, subject } = executor;
      const record = conflicts === null ? null : recordOf(conflicts, subject.model.sites);
      const report = { experiment, exploration, schedule: null, excuses };
      return record === null ? report : { ...report, conflicts: record };
    }
    const { finding, schedule } = minimised(executor, experiment, exploration.finding);
    return { experiment, exploration: { ...exploration, finding }, schedule, excuses };
  }

  /** Carries out a part of an exploration; a failure is minimised. */
  async exploreUnit(job: Job, unit: Unit): Promise<UnitReport> {
    const { experiment, search } = job;
    let executor;
    try {
      executor = await this.#executorAgain(experiment);
    } catch (error) {
      if ((error as Error).name !== 'KernelPanic') throw error;
      return panickedUnit(experiment, error as Error);
    }
    executor.conflicts = job.wantsConflicts === true ? new Conflicts() : null;
    const result = await exploreUnit(executor, search, unit, this.#surroundings());
    const excuses = [...executor.oracles.excuses()];
    if (result.finding !== null) {
      const { finding, schedule } = minimised(executor, experiment, result.finding);
      return { result: { ...result, finding }, schedule, excuses };
    }
    const { conflicts, subject } = executor;
    const report = { result, schedule: null, excuses };
    return conflicts === null
      ? report
      : { ...report, conflicts: recordOf(conflicts, subject.model.sites) };
  }

  /** Explores, and leaves a failure as it was found. */
  async search({
    experiment,
    search,
    wantsConflicts = false,
  }: Job): Promise<{ executor: Executor; exploration: Exploration }> {
    const executor = await this.executor(experiment);
    if (wantsConflicts) executor.conflicts = new Conflicts();
    return { executor, exploration: await explore(executor, search, this.#surroundings()) };
  }

  #surroundings(): Surroundings {
    const { nowMs, pause } = this.#host;
    return { nowMs, pause, isStopped: () => this.#isStopped };
  }

  /** The executor of the last unit, if that was of the same experiment. */
  async #executorAgain(experiment: Experiment): Promise<Executor> {
    const key = JSON.stringify(experiment);
    if (this.#last?.key !== key) {
      const executor = await this.executor(experiment);
      this.#last = { key, executor };
    }
    return this.#last.executor;
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
    const told = tell(executor, segments);
    const { scenario, protocol } = experiment;
    if (told === null) {
      throw new ScheduleError(`the schedule does not fit '${scenario}' as it is under ${protocol}`);
    }
    const mutant = experiment.mutant === null ? null : mutantNamed(experiment.mutant);
    const bug = mutant === null ? (experiment.mutant ?? '') : `${mutant.name}: ${mutant.about}`;
    return { experiment, story: { ...told, title: `${scenario} under ${protocol}`, bug } };
  }

  /** The executor of an experiment. Throws an UnknownNameError for what does not exist. */
  async executor(experiment: Experiment): Promise<Executor> {
    const { scenario, protocol, mutant } = experiment;
    // Subjects of one model share its memory.
    this.#last = null;
    this.#requireNames(experiment);
    if (mutant !== null) await requireMutant(this.#host, mutant);
    const paths = [scenario, protocol].filter(isPath).map((p) => this.#host.absolutePath(p));
    const clean = this.#subject(await this.#model(null, paths), experiment, paths);
    if (mutant === null) return new Executor(clean);
    const changed = this.#subject(await this.#model(mutant, paths), experiment, paths);
    return new Executor(changed, clean);
  }

  async *#reports(jobs: readonly Job[], threads: number): AsyncGenerator<Report> {
    if (threads > 1 && (jobs.length > 1 || jobs[0]?.search.strategy === 'exhaustive')) {
      this.#onBuild();
      const start = (): Explorer => {
        const explorer = this.#host.startExplorer();
        this.#explorers.add(explorer);
        return explorer;
      };
      yield* exploreSideBySide(this.#unlessStopped(jobs), {
        start,
        count: threads,
        nowMs: this.#host.nowMs,
        isStopped: () => this.#isStopped,
      });
      this.#explorers.clear();
    } else for (const job of this.#unlessStopped(jobs)) yield this.explore(job);
  }

  *#unlessStopped(jobs: readonly Job[]): Generator<Job> {
    for (const job of jobs) {
      if (this.#isStopped) return;
      yield job;
    }
  }

  #subject(model: Model, experiment: Experiment, paths: readonly string[]): Subject {
    const { SCENARIOS, PROTOCOLS, generatedNamed } = model.module;
    const scenario = isPath(experiment.scenario)
      ? (this.#exported(model, paths, experiment.scenario) as Scenario)
      : (SCENARIOS.find(({ name }) => name === experiment.scenario) ??
        generatedNamed(experiment.scenario));
    const protocol = isPath(experiment.protocol)
      ? (this.#exported(model, paths, experiment.protocol) as LockingProtocol)
      : (PROTOCOLS as Readonly<Record<string, LockingProtocol>>)[experiment.protocol];
    this.#requireParts(experiment, scenario, protocol);
    return new Subject(model, scenario as Scenario, protocol as LockingProtocol);
  }

  /** Before a model is built, which takes seconds. Throws an UnknownNameError. */
  #requireNames({ scenario, protocol }: Experiment): void {
    const { scenarios, protocols } = this.catalogue();
    const known = { scenario: namesOf(scenarios), protocol: protocols };
    for (const [what, name] of Object.entries({ scenario, protocol })) {
      const candidates = known[what as keyof typeof known];
      if (isPath(name) || candidates.includes(name)) continue;
      if (what === 'scenario' && generatedNamed(name) !== undefined) continue;
      throw new UnknownNameError(what, name, candidates);
    }
  }

  /** The user's modules are what they were named as. Throws a UserModuleError. */
  #requireParts(experiment: Experiment, scenario: unknown, protocol: unknown): void {
    const missing = missingProtocolMethod(protocol);
    if (missing !== null) {
      throw new UserModuleError(`'${experiment.protocol}' has no method ${missing}`);
    }
    const { cpus, setup } = scenario as Partial<Scenario>;
    if (Array.isArray(cpus) && typeof setup === 'function') return;
    throw new UserModuleError(`'${experiment.scenario}' is no scenario: it needs cpus and setup`);
  }

  /** The default export of a user's module. */
  #exported(model: Model, paths: readonly string[], path: string): unknown {
    const index = paths.indexOf(this.#host.absolutePath(path));
    const value = model.userModules[index]?.['default'];
    if (value === undefined) throw new UserModuleError(`'${path}' has no default export`);
    return value;
  }

  #model(mutantName: string | null, userModules: readonly string[]): Promise<Model> {
    const key = JSON.stringify([mutantName, userModules]);
    let model = this.#models.get(key);
    if (model === undefined) {
      if (this.#models.size === 0) this.#onBuild();
      const isDerived = mutantName !== null && isSystematic(mutantName);
      const toolchain = isDerived ? withMutant(this.#host, mutantName) : this.#host;
      const mutant = mutantName === null ? null : mutantNamed(mutantName);
      model = buildModel(toolchain, { patches: mutant?.patches ?? [], userModules });
      this.#models.set(key, model);
    }
    return model;
  }
}
