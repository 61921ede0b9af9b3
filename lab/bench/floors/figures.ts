/** Figures of one repetition, by name: nanoseconds an operation unless the name says otherwise. */
export type Figures = Readonly<Record<string, number>>;

/** Runs `round` once for nothing and then `rounds` times; the median of what it returned. */
export function medianOf(rounds: number, round: () => number): number {
  round();
  const values: number[] = [];
  for (let i = 0; i < rounds; i++) values.push(round());
  values.sort((a, b) => a - b);
  return values[rounds >> 1] ?? NaN;
}

/** Nanoseconds of one of `operations` that `work` makes. */
export function nanosecondsEach(operations: number, work: () => void): number {
  const startMs = performance.now();
  work();
  return ((performance.now() - startMs) * 1e6) / operations;
}
