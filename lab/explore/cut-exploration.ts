/**
 * One exhaustive exploration in units of work that several explorers carry out (engine/unit.ts).
 *
 * Guarantees: complete exactly when one search of the tree would be. Without reductions, and where
 * nothing is split, the numbers are those of one search, too. Not guaranteed with states compared:
 * how many executions there are, which depends on who reaches a state first; and which failure of
 * several is found.
 */
import { WHOLE } from './engine/depth-first.ts';
import type { Path } from './engine/depth-first.ts';
import type { Exploration } from './engine/explore.ts';
import { NOTHING_KNOWN, merge } from './engine/knowledge.ts';
import type { Knowledge } from './engine/knowledge.ts';
import { SharedVisited } from './engine/shared-visited.ts';
import type { Unit } from './engine/unit.ts';
import type { Job, Report, UnitReport } from './experiment.ts';

/** How long an explorer keeps what others may wait for. */
const TURN_MS = 200;
/** An exploration of fewer executions is not cut. */
const EXECUTIONS_MIN = 2000;

type Sums = Pick<Exploration, 'executions' | 'cut' | 'states' | 'steps'>;
const NO_SUMS: Sums = { executions: 0, cut: 0, states: 0, steps: 0 };

export class CutExploration {
  readonly job: Job;
  readonly #nowMs: () => number;
  readonly #startMs: number;
  #knowledge: Knowledge = NOTHING_KNOWN;
  #visited: SharedArrayBuffer = SharedVisited.newBuffer();
  /** What nobody has begun. */
  #waiting: (readonly Path[])[] = [[WHOLE]];
  #underWay = 0;
  #sums = NO_SUMS;
  #points = 0;
  /** All of it begins again: a scheduling point was learned. */
  #isOutdated = false;
  /** By a limit or by the user. */
  #isStopped = false;
  #finding: UnitReport | null = null;
  readonly #excuses = new Set<string>();
  readonly #conflicts = { executed: new Set<string>(), pairs: new Set<string>() };

  constructor(job: Job, nowMs: () => number) {
    this.job = job;
    this.#nowMs = nowMs;
    this.#startMs = nowMs();
  }

  /** Whether there is nothing more to do or to wait for. */
  get isOver(): boolean {
    return this.#underWay === 0 && this.#waiting.length === 0;
  }

  /** A unit to be carried out now; null when nothing waits. */
  take(): Unit | null {
    const paths = this.#waiting.pop();
    if (paths === undefined) return null;
    const { search } = this.job;
    const timeLeftMs = search.timeMaxMs - (this.#nowMs() - this.#startMs);
    const limits = {
      executionsMax: search.executionsMax - this.#sums.executions,
      timeMaxMs: Math.min(TURN_MS, timeLeftMs),
      executionsMin: timeLeftMs > TURN_MS ? EXECUTIONS_MIN : 0,
    };
    const isAlone = this.#sums.executions === 0 && this.#underWay === 0;
    this.#underWay++;
    return { paths, knowledge: this.#knowledge, limits, visited: this.#visited, isAlone };
  }

  /** What a unit has given. `hands`: explorers with nothing to do. `isStopped`: by the user. */
  add(report: UnitReport, hands: number, isStopped: boolean): void {
    const { result } = report;
    this.#underWay--;
    for (const place of report.excuses) this.#excuses.add(place);
    for (const one of report.conflicts?.executed ?? []) this.#conflicts.executed.add(one);
    for (const one of report.conflicts?.pairs ?? []) this.#conflicts.pairs.add(one);
    const { isNew, ...knowledge } = merge(this.#knowledge, result.knowledge);
    // Whoever was alone has begun again by itself.
    const isFirst = this.#sums === NO_SUMS && this.#underWay === 0;
    this.#isOutdated ||= (isNew && !isFirst) || result.grew;
    this.#knowledge = knowledge;
    this.#points = result.points;
    this.#sums = {
      executions: this.#sums.executions + result.executions,
      cut: this.#sums.cut + result.cut,
      states: this.#sums.states + result.states,
      steps: this.#sums.steps + result.steps,
    };
    if (result.finding !== null) this.#finding ??= report;
    const { search } = this.job;
    this.#isStopped ||= isStopped || this.#sums.executions >= search.executionsMax;
    this.#isStopped ||= this.#nowMs() - this.#startMs >= search.timeMaxMs;
    if (result.rest.length > 0) this.#waiting.push(...divided(result.rest, hands + 1));
    if (this.#finding !== null || this.#isStopped || this.#isOutdated) this.#waiting = [];
    if (this.isOver && this.#isOutdated && this.#finding === null && !this.#isStopped) {
      this.#beginAgain();
    }
  }

  #beginAgain(): void {
    this.#isOutdated = false;
    this.#visited = SharedVisited.newBuffer();
    this.#sums = NO_SUMS;
    this.#waiting = [[WHOLE]];
  }

  /** When it is over. */
  report(): Report {
    const { experiment, wantsConflicts } = this.job;
    const { executed, pairs } = this.#conflicts;
    const finding = this.#finding;
    const exploration = {
      ...this.#sums,
      points: this.#points,
      elapsedMs: this.#nowMs() - this.#startMs,
      complete: finding === null && !this.#isStopped,
      finding: finding?.result.finding ?? null,
    };
    const report = { experiment, exploration, excuses: [...this.#excuses] };
    const schedule = finding?.schedule ?? null;
    if (wantsConflicts !== true || finding !== null) return { ...report, schedule };
    return { ...report, schedule, conflicts: { executed: [...executed], pairs: [...pairs] } };
  }
}

/** Deals the parts out, so that each hand gets large and small ones. */
function divided(paths: readonly Path[], hands: number): (readonly Path[])[] {
  return Array.from({ length: hands }, (_, hand) => {
    return paths.filter((_path, i) => i % hands === hand);
  }).filter((some) => some.length > 0);
}
