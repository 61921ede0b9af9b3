/**
 * Which ordered accesses of the kernel's source an exploration had in conflict: two CPUs use one
 * word, and one of them writes. Such words are scheduling points, so both orders are explored.
 */
import { WRITES } from '../runtime/task.ts';
import type { Task } from '../runtime/task.ts';

/** Two sites as one number: by it a pair of more than a million sites would not be told apart. */
const PAIR = 2 ** 20;

/** A word's accesses in one execution: CPU, site and whether it writes, packed. */
type Uses = number[];

export class Conflicts {
  /** Numbers of pairs of sites, the lower one first. */
  readonly pairs: Set<number> = new Set();
  /** Numbers of the sites that were executed. */
  readonly executed: Set<number> = new Set();
  readonly #uses = new Map<number, Uses>();

  /** An execution begins. */
  begin(): void {
    this.#uses.clear();
  }

  /** An access is made. */
  note({ id, at, site, kind }: Task): void {
    this.executed.add(site);
    const writes = WRITES[kind] === 1;
    const use = (site * 2 + (writes ? 1 : 0)) * 32 + id;
    const uses = this.#uses.get(at);
    if (uses === undefined) {
      this.#uses.set(at, [use]);
      return;
    }
    if (uses.includes(use)) return;
    uses.push(use);
    for (const other of uses) {
      if ((other & 31) === id || (!writes && (other & 32) === 0)) continue;
      const partner = Math.floor(other / 64);
      this.pairs.add(Math.min(site, partner) * PAIR + Math.max(site, partner));
    }
  }
}

/** The two sites of a pair. */
export function sitesOfPair(pair: number): readonly [number, number] {
  return [Math.floor(pair / PAIR), pair % PAIR];
}
