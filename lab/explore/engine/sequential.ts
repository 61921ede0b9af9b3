/**
 * The sequential model is the kernel itself: every order of whole operations is run once, alone,
 * and the outcome of a concurrent execution must be that of one of these orders, in which no
 * operation comes after one that began after it had returned. The flush policy `lazy` lets a
 * program read old memory after munmap has returned: there any order is accepted that keeps the
 * order of each CPU.
 */
import type { Cpu } from '../../../kernel/machine/cpu.ts';
import type { Operation, Scenario } from '../model/kit.ts';
import type { Progress } from './progress.ts';
import { describeResults } from './describe-result.ts';
import { observedOf, viewOf } from './final-state.ts';
import type { Subject } from './subject.ts';

/** The CPU of each operation, in the order in which they run. */
type Order = readonly number[];

/** What whole operations, one after another, return and leave behind. */
interface Outcome {
  readonly results: Results;
  /** What programs and the scenario see at the end. */
  readonly observed: string;
  /** The orders that end so. */
  readonly orders: Order[];
}

/** Results by CPU, of the operations that it has done. */
type Results = readonly (readonly number[])[];

export class SequentialOutcomes {
  readonly #cpus: Scenario['cpus'];
  readonly #outcomes = new Map<string, Outcome>();
  readonly #counts: readonly number[];
  readonly #keepsTime: boolean;
  #orderCount = 0;
  /** What was looked at last: most executions end as the one before. */
  #last: Omit<Outcome, 'orders'> = { results: [], observed: '' };
  #lastOutcome: Outcome | undefined;

  constructor(subject: Subject) {
    this.#cpus = subject.scenario.cpus;
    this.#counts = subject.scenario.cpus.map((list) => list.length);
    this.#keepsTime = subject.scenario.flushPolicy !== 'lazy';
    for (const order of mergesOf(this.#counts)) this.#add(subject, order);
    subject.reset();
  }

  #add(subject: Subject, order: Order): void {
    const outcome = runInOrder(subject, order);
    if (outcome === null) return;
    this.#orderCount++;
    const key = keyOf(outcome.results, this.#counts, outcome.observed);
    const known = this.#outcomes.get(key);
    if (known === undefined) this.#outcomes.set(key, outcome);
    else known.orders.push(order);
  }

  #isLast({ results, done }: Progress, observed: string): boolean {
    const last = this.#last;
    const counts = this.#counts;
    if (last.results.length === 0 || last.observed !== observed) return false;
    for (let cpu = 0; cpu < counts.length; cpu++) {
      if ((done[cpu] as number) < (counts[cpu] as number)) return false;
      const now = results[cpu] as readonly number[];
      const then = last.results[cpu] as readonly number[];
      for (let i = 0; i < (counts[cpu] as number); i++) if (now[i] !== then[i]) return false;
    }
    return true;
  }

  #look({ results, done }: Progress, observed: string): void {
    const copy = results.map((list, cpu) =>
      list.slice(0, Math.min(done[cpu] ?? 0, this.#counts[cpu] ?? 0)),
    );
    this.#last = { results: copy, observed };
    this.#lastOutcome = this.#outcomes.get(keyOf(copy, this.#counts, observed));
  }

  /** What is wrong with the results of the execution that just ended, or null. */
  problem(progress: Progress, observed: string): string | null {
    if (!this.#isLast(progress, observed)) this.#look(progress, observed);
    const outcome = this.#lastOutcome;
    if (outcome === undefined) return this.#impossible();
    const { orders, results } = outcome;
    // When every order gives these results there is nothing to compare.
    if (!this.#keepsTime || orders.length === this.#orderCount) return null;
    if (orders.some((order) => respectsTime(order, progress))) return null;
    const text = describeResults(this.#cpus, results);
    return `${text}: only if an operation came before one that had returned when it began`;
  }

  #impossible(): string {
    const cpus = this.#cpus;
    const { results, observed } = this.#last;
    const possible = [...this.#outcomes.values()];
    const texts = (outcomes: readonly string[]): string => [...new Set(outcomes)].join('; or: ');
    const resultsOf = (one: Outcome): string => describeResults(cpus, one.results);
    const text = describeResults(cpus, results);
    const alike = possible.filter((one) => resultsOf(one) === text);
    if (alike.length > 0) {
      return (
        `${text}, and then (${observed}); ` +
        `one after another they leave (${texts(alike.map((one) => one.observed))})`
      );
    }
    return `${text}; ` + `one after another they give: ${texts(possible.map(resultsOf))}`;
  }
}

function keyOf(results: Results, counts: readonly number[], observed: string): string {
  const lists = results.map((list, cpu) => list.slice(0, counts[cpu]).join(','));
  return `${lists.join(' | ')} ; ${observed}`;
}

/** The outcome of running the operations one after another, or null when one cannot end alone. */
function runInOrder(subject: Subject, order: Order): Outcome | null {
  const { world, scenario, model } = subject;
  const { finish } = model.module;
  const results: number[][] = scenario.cpus.map(() => []);
  subject.reset();
  // No operation may wait for a program that does not run now.
  for (const cpu of world.cpus) subject.direct(() => finish.run(world, cpu));
  for (const id of order) {
    const cpu = world.cpus[id] as Cpu;
    const list = results[id] as number[];
    const operation = (scenario.cpus[id] as readonly Operation[])[list.length] as Operation;
    try {
      list.push(subject.direct(() => operation.run(world, cpu)));
    } catch {
      return null;
    }
    subject.direct(() => finish.run(world, cpu));
  }
  const observed = subject.direct(() => scenario.observe?.(world) ?? '');
  return { results, observed: observedOf(observed, viewOf(subject)), orders: [order] };
}

/** All ways to merge lists of these lengths. */
function mergesOf(counts: readonly number[]): Order[] {
  if (counts.every((count) => count === 0)) return [[]];
  return counts.flatMap((count, cpu) => {
    if (count === 0) return [];
    const rest = counts.map((other, i) => (i === cpu ? other - 1 : other));
    return mergesOf(rest).map((order) => [cpu, ...order]);
  });
}

function respectsTime(order: Order, { began, begun, ended, done }: Progress): boolean {
  const next = began.map(() => 0);
  let latestBegin = -1;
  for (const cpu of order) {
    const index = next[cpu] as number;
    next[cpu] = index + 1;
    // An operation that ended before another began, which the order has put first.
    const hasEnded = index < (done[cpu] as number);
    if (hasEnded && ((ended[cpu] as number[])[index] as number) < latestBegin) return false;
    if (index >= (begun[cpu] as number)) continue;
    latestBegin = Math.max(latestBegin, (began[cpu] as number[])[index] as number);
  }
  return true;
}
