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
import { describeDone } from '../story/describe-result.ts';
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

/** What is seen of an execution. */
type Seen = Omit<Outcome, 'orders'>;

/** What happened, and what may happen. */
export interface Expectations {
  /** '' where only the order matters. */
  readonly happened: string;
  readonly expected: readonly string[];
}

/** Outcomes that are told. */
const EXPECTED_MAX = 4;

/** Results by CPU, of the operations that it has done. */
type Results = readonly (readonly number[])[];

export class SequentialOutcomes {
  readonly #cpus: Scenario['cpus'];
  readonly #outcomes = new Map<string, Outcome>();
  readonly #counts: readonly number[];
  readonly #keepsTime: boolean;
  #orderCount = 0;
  /** What was looked at last: most executions end as the one before. */
  #last: Seen = { results: [], observed: '' };
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
    const { orders } = outcome;
    // When every order gives these results there is nothing to compare.
    if (!this.#keepsTime || orders.length === this.#orderCount) return null;
    if (orders.some((order) => respectsTime(order, progress))) return null;
    const text = this.#describe(this.#last, null, new Set());
    return `${text}: only if an operation came before one that had returned when it began`;
  }

  /**
   * What the operations of an execution returned, and what they may return in an order that keeps
   * to the time; `leaves`: and what they leave behind, as far as that differs.
   */
  expectations(progress: Progress, leaves: boolean): Expectations {
    if (leaves) this.#look(progress, this.#last.observed);
    const allowed = [...this.#outcomes.values()].flatMap((outcome) => {
      const order = outcome.orders.find((one) => !this.#keepsTime || respectsTime(one, progress));
      return order === undefined ? [] : [{ ...outcome, order }];
    });
    const common = leaves ? commonParts([this.#last, ...allowed]) : null;
    const texts = allowed.map((one) => this.#describe(one, one.order, common));
    const expected = [...new Set(texts)];
    const more = expected.length - EXPECTED_MAX;
    return {
      happened: leaves ? this.#describe(this.#last, null, common) : '',
      expected: more > 0 ? [...expected.slice(0, EXPECTED_MAX), `… ${more} more`] : expected,
    };
  }

  #impossible(): string {
    const possible = [...this.#outcomes.values()];
    const common = commonParts([this.#last, ...possible]);
    const texts = possible.map((one) => this.#describe(one, null, common));
    const each = [...new Set(texts)].slice(0, EXPECTED_MAX).join('; or: ');
    return `${this.#describe(this.#last, null, common)}; one after another they give: ${each}`;
  }

  /** 'read page 0 → 7, then …' in an order, or CPU by CPU; and what is left behind. */
  #describe(outcome: Seen, order: Order | null, common: ReadonlySet<string> | null): string {
    const next = this.#counts.map(() => 0);
    const cpus = order ?? this.#counts.flatMap((count, cpu) => Array<number>(count).fill(cpu));
    const done = cpus.map((cpu) => {
      const index = next[cpu]!++;
      const operation = this.#cpus[cpu]?.[index] as Operation;
      return describeDone(operation, outcome.results[cpu]?.[index]);
    });
    const text = order === null ? done.join(', ') : done.join(', then ');
    const left = common === null ? [] : partsOf(outcome.observed).filter((one) => !common.has(one));
    return left.length === 0 ? text : `${text}; this leaves: ${left.join('; ')}`;
  }
}

function partsOf(observed: string): string[] {
  return observed.split('; ');
}

/** What is left behind in all of these. */
function commonParts(all: readonly Seen[]): Set<string> {
  const lists = all.map(({ observed }) => partsOf(observed));
  return new Set(lists[0]?.filter((part) => lists.every((list) => list.includes(part))));
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
