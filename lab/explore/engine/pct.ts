/**
 * PCT(d): probabilistic concurrency testing (Burckhardt et al., ASPLOS 2010). Each CPU has a random
 * priority; the CPU with the highest priority among those that can run runs; at d - 1 random steps
 * the running CPU's priority falls below all others. Finds a bug of depth d among n CPUs and k
 * steps with probability at least 1 / (n k^(d-1)) in each execution.
 */
import type { Choices } from './execution.ts';
import type { Strategy } from './strategy.ts';
import { Random, withAge } from './random.ts';

export class Pct implements Strategy {
  readonly #random: Random;
  readonly #depth: number;
  /** Scheduling points of the longest execution so far: where the changes are drawn from. */
  #pointsMax = 1;
  #points = 0;
  #priorities: number[] = [];
  #changes: number[] = [];

  constructor(seed: number, depth: number) {
    this.#random = new Random(seed);
    this.#depth = depth;
  }

  /** Before each execution. */
  begin(choices: Choices): void {
    this.#pointsMax = Math.max(this.#pointsMax, this.#points);
    this.#points = 0;
    this.#priorities = choices.tasks.map(() => 0);
    // A random permutation of the priorities d, d + 1, …; the changes give out d - 1, d - 2, ….
    const order = choices.tasks.map((task) => task.id);
    for (let i = order.length - 1; i > 0; i--) {
      const j = this.#random.below(i + 1);
      [order[i], order[j]] = [order[j] as number, order[i] as number];
    }
    order.forEach((id, i) => (this.#priorities[id] = this.#depth + i));
    this.#changes = [];
    for (let i = 1; i < this.#depth; i++) this.#changes.push(this.#random.below(this.#pointsMax));
  }

  choose(choices: Choices, current: number, enabled: number): number {
    for (let i = 0; i < this.#changes.length; i++) {
      if (this.#changes[i] === this.#points && current >= 0) {
        this.#priorities[current] = this.#depth - 1 - i;
      }
    }
    this.#points++;
    let best = -1;
    for (let id = 0; id < this.#priorities.length; id++) {
      if ((enabled & (1 << id)) === 0) continue;
      if (best < 0 || (this.#priorities[id] ?? 0) > (this.#priorities[best] ?? 0)) best = id;
    }
    return withAge(choices, best, this.#random);
  }
}
