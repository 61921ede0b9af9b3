/**
 * Which of the systematic mutants in a build runs (lab/explore/mutate/schemata.ts), which of their
 * places have been executed, and a bound on loops that no access to shared memory can end.
 */

/** Number of the mutant that runs; 0: the kernel as it is. */
export let active = 0;
/** By place, who has executed it: a bit for each CPU, and SETUP. */
export const reached: Uint16Array = new Uint16Array(2 ** 16);
/** The bit of what runs alone. */
export const SETUP: number = 1 << 15;
/** The bit of what runs now. */
export let runner: number = SETUP;

/** Turns of loops in one execution; the longest right one has some ten thousand. */
const TURNS_MAX = 1_000_000;
let turns = 0;

export function activate(mutant: number): void {
  active = mutant;
}

/** CPU `id` goes on; null: what runs alone. */
export function run(id: number | null): void {
  runner = id === null ? SETUP : 1 << id;
}

/** Before each execution. */
export function resetTurns(): void {
  turns = 0;
}

/** In each turn of each loop. */
export function turn(): void {
  if (++turns > TURNS_MAX) throw new EndlessLoop();
}

class EndlessLoop extends Error {
  override readonly name = 'KernelPanic';

  constructor() {
    super(`endless: a loop has not ended after ${TURNS_MAX} turns`);
  }
}
