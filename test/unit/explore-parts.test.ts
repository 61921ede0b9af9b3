/**
 * Goal: the parts of the explorer that choose and that tell do so without an executor.
 * Method: a toy execution of two CPUs that take three steps each on one word.
 */
import { describe, expect, it } from 'vitest';
import { DepthFirst } from '../../lab/explore/engine/depth-first.ts';
import type { Choices } from '../../lab/explore/engine/execution.ts';
import { Pct } from '../../lab/explore/engine/pct.ts';
import { RandomWalk } from '../../lab/explore/engine/random.ts';
import { Replay } from '../../lab/explore/engine/schedule.ts';
import { ABANDON } from '../../lab/explore/engine/strategy.ts';
import type { Strategy } from '../../lab/explore/engine/strategy.ts';
import * as T from '../../lab/explore/runtime/task.ts';

const STEPS = 3;

/** Who took each step, as in '001011'; null when the strategy gave up. */
function run(strategy: Strategy, at: readonly number[] = [1, 1]): string | null {
  const tasks = at.map((word, id) => {
    return Object.assign(new T.Task(id), { at: word, kind: T.ADD, status: T.READY });
  });
  const choices = choicesOf(tasks);
  const left = at.map(() => STEPS);
  strategy.begin?.(choices);
  let order = '';
  let current = -1;
  for (;;) {
    const enabled = left.reduce((set, steps, id) => (steps > 0 ? set | (1 << id) : set), 0);
    if (enabled === 0) return order;
    current = strategy.choose(choices, current, enabled);
    if (current === ABANDON) return null;
    order += current;
    left[current]!--;
    if (left[current] === 0) tasks[current]!.status = T.DONE;
  }
}

function choicesOf(tasks: readonly T.Task[]): Choices {
  return { tasks, hasOld: () => false, isJudged: false, hashState: () => ({ low: 0, high: 0 }) };
}

/** The whole executions of an exhaustive search. */
function ordersOf(bound: number, at?: readonly number[]): string[] {
  const strategy = new DepthFirst(bound, bound === Infinity ? 'sleep' : 'none');
  const orders: string[] = [];
  do {
    const order = run(strategy, at);
    if (order !== null) orders.push(order);
  } while (strategy.next(choicesOf([])));
  return orders;
}

describe('strategies', () => {
  it('go through all orders of dependent steps once: 6 over 3', () => {
    const orders = ordersOf(Infinity);
    expect(orders).toHaveLength(20);
    expect(new Set(orders).size).toBe(20);
  });

  it('keep to the bound on preemptions', () => {
    expect(ordersOf(0)).toEqual(['000111', '111000']);
    expect(ordersOf(1)).toContain('001110');
    expect(ordersOf(1)).not.toContain('010101');
  });

  it('try one order of independent steps', () => {
    expect(ordersOf(Infinity, [1, 2])).toEqual(['000111']);
  });

  it('give the same orders for the same seed', () => {
    for (const of of [(seed: number) => new Pct(seed, 3), (seed: number) => new RandomWalk(seed)]) {
      const orders = [1, 2, 3, 4, 5, 6, 7, 8].map((seed) => run(of(seed)));
      expect([1, 2, 3, 4, 5, 6, 7, 8].map((seed) => run(of(seed)))).toEqual(orders);
      expect(new Set(orders).size).toBeGreaterThan(1);
    }
  });

  it('replay a schedule, and go on without preemptions at its end', () => {
    const segment = (cpu: number, steps: number) => ({ cpu, steps, old: false });
    expect(run(new Replay([segment(1, 2), segment(0, 1)]))).toBe('110001');
  });
});
