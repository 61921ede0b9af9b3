/** What the host itself needs, measured in the same run: the floor under every figure. */
import type { Crew } from './crew.ts';
import type { Floor } from './results.ts';
import { spreadOf } from './statistics.ts';
import type { Contention } from './benchmarks.ts';

const LOOP_ITERATIONS = 200_000;
const REPETITIONS = 5;

/** Nanoseconds of one turn of a floor loop on each of `threads` threads. */
async function floorNs(
  crew: Crew,
  machine: SharedArrayBuffer,
  benchmark: 'exchange' | 'clock',
  contention: Contention,
  threads: number,
): Promise<number> {
  const reports = await crew.run(
    {
      machine,
      suite: 'floor',
      benchmark,
      contention,
      threads,
      runs: 1,
      iterations: LOOP_ITERATIONS,
      doubled: false,
      regionBytes: 0,
      fd: -1,
      seed: 0,
    },
    { begin: () => 0, end: () => {} },
  );
  const elapsedNs = reports.reduce((sum, report) => sum + report.elapsedNs, 0);
  return elapsedNs / (threads * LOOP_ITERATIONS);
}

async function repeated(measure: () => Promise<number>): Promise<number[]> {
  await measure();
  const values: number[] = [];
  for (let i = 0; i < REPETITIONS; i++) values.push(await measure());
  return values;
}

/** A load and a compare-exchange, for each number of threads. */
export async function measureFloors(
  crew: Crew,
  machine: SharedArrayBuffer,
  cpus: readonly number[],
): Promise<Floor[]> {
  const floors: Floor[] = [];
  for (const threads of cpus) {
    const measure = async (contention: Contention): Promise<number[]> =>
      repeated(() => floorNs(crew, machine, 'exchange', contention, threads));
    const privateNs = spreadOf(await measure('low'));
    floors.push({ cpus: threads, privateNs, sharedNs: spreadOf(await measure('high')) });
  }
  return floors;
}

/** One look at the clock, in nanoseconds. */
export async function measureClockNs(crew: Crew, machine: SharedArrayBuffer): Promise<number> {
  return spreadOf(await repeated(() => floorNs(crew, machine, 'clock', 'low', 1))).median;
}
