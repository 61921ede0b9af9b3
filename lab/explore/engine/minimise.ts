/**
 * Makes a failing schedule simpler: parts of it are left out, one after another, as long as the
 * same kind of failure remains. What is left has few switches between CPUs, and each of them
 * matters.
 */
import type { Executor } from './executor.ts';
import type { Finding } from './explore.ts';
import { Replay, segmentsOf, switchesOf } from './schedule.ts';
import type { Segment } from './schedule.ts';

/** The most replays, so that a long schedule does not delay the report. */
const ATTEMPTS_MAX = 4000;

interface Candidate {
  readonly finding: Finding;
  readonly segments: readonly Segment[];
  readonly cost: number;
}

export function minimise(executor: Executor, finding: Finding): Finding {
  let best = candidate(finding);
  let attempts = 0;
  for (let improved = true; improved && attempts < ATTEMPTS_MAX;) {
    improved = false;
    for (const variant of variantsOf(best.segments)) {
      if (++attempts > ATTEMPTS_MAX) break;
      executor.execute(new Replay(variant));
      if (executor.failure?.kind !== finding.failure.kind) continue;
      const schedule = executor.schedule.slice(0, executor.steps);
      const found = candidate({ failure: executor.failure, schedule });
      if (found.cost >= best.cost) continue;
      best = found;
      improved = true;
      break;
    }
  }
  return best.finding;
}

function candidate(finding: Finding): Candidate {
  const segments = segmentsOf(finding.schedule);
  const olds = segments.filter(({ old }) => old).length;
  // Switches first, then old values, then length.
  const cost = (switchesOf(segments) * 100 + olds) * 1e6 + finding.schedule.length;
  return { finding, segments, cost };
}

/** Simpler schedules to try: a part left out, put later, or run until it blocks. */
function* variantsOf(segments: readonly Segment[]): Generator<readonly Segment[]> {
  for (let i = 0; i < segments.length; i++) {
    yield segments.filter((_, j) => j !== i);
  }
  for (let i = 0; i + 2 < segments.length; i++) {
    const [a, b, c] = segments.slice(i, i + 3) as [Segment, Segment, Segment];
    yield [...segments.slice(0, i), b, a, c, ...segments.slice(i + 3)];
    yield [...segments.slice(0, i), a, c, b, ...segments.slice(i + 3)];
  }
  for (let i = 0; i < segments.length; i++) {
    const segment = segments[i] as Segment;
    yield segments.map((other, j) => (j === i ? { ...segment, steps: 1e6, old: false } : other));
    if (segment.old) yield segments.map((s, j) => (j === i ? { ...segment, old: false } : s));
  }
}
