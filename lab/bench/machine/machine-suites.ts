/**
 * The suites whose rows are measured on booted machines. A repetition measures every source once,
 * floors included, and machines live through all repetitions, so that the engine's code and the
 * host's memory stay warm; each is audited at the end.
 */
import type { BenchOptions, Measured, OnProgress } from '../document.ts';
import { hostFacts, pinnableCpus } from '../host.ts';
import { resultOf } from '../row.ts';
import { measureInTurns } from '../turns.ts';
import { ENGINE_ROWS } from './engine-rows.ts';
import { FLOOR_ROWS } from './floor-rows.ts';
import { compileHostProgram } from './host-program.ts';
import type { MachineRow } from './machine-row.ts';
import { sourcesOf } from './sources.ts';
import type { Figures } from './sources.ts';
import { bootTestbeds } from './testbed.ts';
import type { Testbed } from './testbed.ts';

export const MACHINE_ROWS: readonly MachineRow[] = [...FLOOR_ROWS, ...ENGINE_ROWS];

export async function measureOnMachines(
  { suites, benchmarks, pin, repeat }: BenchOptions,
  onProgress: OnProgress,
  signal: AbortSignal,
): Promise<Measured> {
  const hostCpus = pin ? pinnableCpus() : [];
  const host = compileHostProgram(hostCpus.at(-1) ?? null);
  const wanted = MACHINE_ROWS.filter(
    ({ suite, name }) =>
      suites.includes(suite) && (benchmarks.length === 0 || benchmarks.includes(name)),
  );
  const skipped = wanted.flatMap((row) => {
    const why = obstacleOf(row, host !== null);
    return why === null ? [] : [{ name: row.name, why }];
  });
  const rows = wanted.filter((row) => obstacleOf(row, host !== null) === null);
  const testbeds = await bootTestbeds(hostCpus);
  const all = Object.values(testbeds) as Testbed[];
  const violations: string[] = [];
  let repetitions: Partial<Figures>[][];
  try {
    const names = new Set(rows.flatMap((row) => row.sources));
    const onTurn = (source: string, repetition: number): void => {
      const what = repetition === 0 ? `warming up ${source}` : source;
      onProgress(what, repetition / (repeat + 1));
    };
    repetitions = await measureInTurns(sourcesOf(names, testbeds, host), {
      ...{ repeat, onTurn, signal },
    });
  } finally {
    host?.dispose();
    for (const testbed of all) violations.push(...(await testbed.close()));
  }
  const figures = repetitions.map((parts) => Object.assign({}, ...parts) as Figures);
  return {
    rows: (figures.length === 0 ? [] : rows).map(({ sources: _, ...row }) =>
      resultOf(row, figures),
    ),
    skipped,
    violations,
    pinned: all.every(({ pinned }) => pinned),
  };
}

/** Why this host cannot measure a row, or null when it can. */
function obstacleOf({ sources }: MachineRow, hasHost: boolean): string | null {
  if (sources.includes('host') && !hasHost) return "no C compiler 'cc' for the host's figure";
  const needsPair = sources.includes('shootdown') || sources.includes('scaling');
  return needsPair && hostFacts().cores < 2 ? 'the host has one core' : null;
}
