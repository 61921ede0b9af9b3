/**
 * Measures the table: in each repetition every source of figures once, one after the other, so that
 * a slow moment of the host hits floor and figure alike. The repetition before the first warms up
 * and is thrown away.
 *
 * Machines live through all repetitions, so that the engine's code and the host's memory stay warm;
 * each is audited at the end.
 */
import { boot } from '../../../workers/index.ts';
import type { BootOptions, MachineHandle } from '../../../workers/index.ts';
import { hostFacts, pinnableCpus } from '../host.ts';
import { pinThread } from '../pin.ts';
import { spreadOf } from '../statistics.ts';
import { areaFigures } from './area-loops.ts';
import type { Figures } from './figures.ts';
import type { FloorDocument, FloorOptions, RowResult } from './floor-results.ts';
import { compileHostProgram } from './host-program.ts';
import type { HostProgram } from './host-program.ts';
import { lifeFigures } from './life-figures.ts';
import { MISSING_ROWS, ROWS } from './rows.ts';
import type { Row, Source } from './rows.ts';

const program: URL = new URL('./floor-program.js', import.meta.url);

/** A machine and what its programs print. */
class Bed {
  readonly machine: MachineHandle;
  readonly #lines: string[];
  readonly #hostCpus: readonly number[];

  constructor(machine: MachineHandle, lines: string[], hostCpus: readonly number[]) {
    this.machine = machine;
    this.#lines = lines;
    this.#hostCpus = hostCpus;
  }

  static async make(options: BootOptions, hostCpus: readonly number[]): Promise<Bed> {
    const lines: string[] = [];
    const onPrint = (line: string): void => void lines.push(line);
    const machine = await boot({ memory: '128MiB', protocol: 'rcu', ...options, onPrint });
    return new Bed(machine, lines, hostCpus);
  }

  /** Runs the program for one group of figures. */
  async figures(group: string): Promise<Figures> {
    const handle = await this.machine.spawn(program, { args: [group, this.#hostCpus] });
    const status = await handle.wait();
    const line = this.#lines.splice(0).at(-1);
    if (!('code' in status) || status.code !== 0 || line === undefined) {
      throw new Error(`the figures '${group}' ended with ${JSON.stringify(status)}`);
    }
    return JSON.parse(line) as Figures;
  }

  /** Violations; ends the machine. */
  async close(): Promise<readonly string[]> {
    const { violations } = await this.machine.audit();
    await this.machine.shutdown();
    return violations;
  }
}

interface Beds {
  readonly single: Bed;
  readonly pager: Bed;
  readonly zeroing: Bed;
  readonly pair: Bed;
}

async function repetition(
  sources: ReadonlySet<Source>,
  beds: Beds,
  host: HostProgram | null,
  onSource: (source: Source) => void,
): Promise<Figures> {
  const measures: Readonly<Record<Source, () => Figures | Promise<Figures>>> = {
    host: () => host?.run() ?? {},
    hits: () => beds.single.figures('hits'),
    bulk: () => beds.single.figures('bulk'),
    local: () => beds.single.figures('local'),
    fork: () => beds.single.figures('fork'),
    zeroed: () => beds.zeroing.figures('zeroed'),
    trap: () => beds.single.figures('trap'),
    comlink: () => beds.single.figures('comlink'),
    remote: () => beds.pager.figures('remote'),
    pair: async () => ({
      ...(await beds.pair.figures('shootdown')),
      ...(await beds.pair.figures('scaling')),
    }),
    areas: areaFigures,
    life: () => lifeFigures(beds.pair.machine, program),
  };
  let all: Figures = {};
  for (const source of sources) {
    onSource(source);
    const { pinned = all['pinned'] ?? 1, ...figures } = await measures[source]();
    all = { ...all, ...figures, pinned: Math.min(pinned, all['pinned'] ?? 1) };
  }
  return all;
}

export async function runFloors(
  options: FloorOptions,
  onProgress: (what: string, done: number) => void,
): Promise<FloorDocument> {
  const startMs = performance.now();
  const host = hostFacts();
  const hostCpus = options.pin ? pinnableCpus() : [];
  const compiled = compileHostProgram(hostCpus.at(-1) ?? null);
  const { rows, skipped } = chosenRows(options, compiled !== null, host.cores);
  const sources = new Set(rows.flatMap((row) => row.sources));
  // From the last: the first is where hosts handle their interrupts. The second is for peers.
  const cpus = [...hostCpus].reverse().slice(0, 2);
  // Their kernel workers are where the floors' peers are.
  pinThread(cpus[1] ?? null);
  const single = await Bed.make({ cpus: 1 }, cpus);
  const pager = await Bed.make({ cpus: 1, faults: 'remote' }, cpus);
  const zeroing = await Bed.make({ cpus: 1, prezero: '16MiB' }, cpus);
  if (hostCpus.length > 0) pinThread(hostCpus);
  const beds: Beds = { single, pager, zeroing, pair: await Bed.make({ cpus: 2 }, cpus) };
  const repetitions: Figures[] = [];
  const violations: string[] = [];
  try {
    for (let number = 0; number <= options.repeat; number++) {
      const figures = await repetition(sources, beds, compiled, (source) =>
        onProgress(number === 0 ? `warming up ${source}` : source, number / (options.repeat + 1)),
      );
      if (number > 0) repetitions.push(figures);
    }
  } finally {
    compiled?.dispose();
    for (const bed of Object.values(beds) as Bed[]) violations.push(...(await bed.close()));
  }
  return {
    kind: 'floors',
    host,
    options,
    pinned: hostCpus.length > 0 && repetitions.every((figures) => figures['pinned'] === 1),
    rows: rows.map((row) => resultOf(row, repetitions)),
    skipped,
    violations,
    wallMs: performance.now() - startMs,
  };
}

function chosenRows(
  options: FloorOptions,
  hasHost: boolean,
  cores: number,
): { rows: Row[]; skipped: { name: string; why: string }[] } {
  const wanted = <Named extends { readonly name: string }>(all: readonly Named[]): Named[] =>
    all.filter(({ name }) => options.rows.length === 0 || options.rows.includes(name));
  const skipped = [...wanted(MISSING_ROWS)];
  const rows = wanted(ROWS).filter(({ name, sources }) => {
    if (sources.includes('host') && !hasHost) {
      skipped.push({ name, why: "no C compiler 'cc' for the host's figure" });
    } else if (sources.includes('pair') && cores < 2) {
      skipped.push({ name, why: 'the host has one core' });
    } else {
      return true;
    }
    return false;
  });
  return { rows, skipped };
}

function resultOf(row: Row, repetitions: readonly Figures[]): RowResult {
  const { name, what, floor, unit, target, better } = row;
  const ratio = spreadOf(repetitions.map((figures) => row.value(figures) / row.floorOf(figures)));
  const { median } = ratio;
  return {
    ...{ name, what, floor, unit, target, better },
    value: spreadOf(repetitions.map((figures) => row.value(figures))),
    floorValue: spreadOf(repetitions.map((figures) => row.floorOf(figures))),
    ratio,
    isReached: target === null || (better === 'less' ? median <= target : median >= target),
  };
}
