/** Replays a recording of a real program on a simulated machine. Runs in Node and in a page. */
import type { LockingProtocolName } from '../../kernel/locking/protocols.ts';
import type { MapsLine } from '../difftest/maps-text.ts';
import { replayAccesses } from './accesses/access-replay.ts';
import { machineReport } from './machine-report.ts';
import { ReplayFiles } from './machine/replay-files.ts';
import type { FileSizes } from './machine/replay-files.ts';
import { ReplayMachine } from './machine/replay-machine.ts';
import { frameRow } from './machine/usage-rows.ts';
import type { ReplayReport } from './replay-report.ts';
import { survey } from './strace/survey.ts';
import { StraceReader } from './strace/strace-reader.ts';
import { StraceReplay } from './strace/strace-replay.ts';
import { WANTED } from './strace/wanted-calls.ts';
import { readUntil } from './text/read-until.ts';
import type { TextSource } from './text/open-text.ts';
import { recognise } from './text/recognise.ts';

export interface ReplayOptions {
  /** Simulated memory. */
  readonly memoryBytes: number;
  readonly protocol: LockingProtocolName;
  readonly checked: boolean;
  /** The machine chooses addresses itself, and the choice is compared. */
  readonly native: boolean;
  /** Touch the pages that reads, writes and faults show. */
  readonly touch: boolean;
  /** Keep the areas of each process at its end. */
  readonly maps: boolean;
  /** The areas that the first process should have at its end. */
  readonly checkMaps: readonly MapsLine[] | null;
  /** The last line that is replayed; Infinity for all. */
  readonly stopAt: number;
  /** Sizes of files that the recording does not tell. */
  readonly sizeOf: FileSizes;
  /** Milliseconds that only grow. */
  readonly now: () => number;
  /** Ends the replay early. */
  readonly signal: AbortSignal;
  /** Told after each piece of the file: how many lines have been replayed. */
  readonly onProgress: (lines: number) => void;
}

/** A TraceError for what is no recording. */
export async function replay(source: TextSource, options: ReplayOptions): Promise<ReplayReport> {
  const format = await recognise(source);
  const machine = new ReplayMachine(options);
  if (format !== 'strace') return replayAccesses(source, format, machine, options);
  const began = options.now();
  const known = await survey(source);
  const sizeOf: FileSizes = (path) => known.files.get(path) ?? options.sizeOf(path);
  const files = new ReplayFiles(machine.cpu, sizeOf);
  const run = new StraceReplay(machine, files, known, options);
  const reader = new StraceReader(run, WANTED);
  const { read, stoppedAt } = await readUntil(source, reader.read, options);
  const frames = frameRow(machine.cpu);
  run.finish(read.lines);
  const { findings } = run;
  findings.skip(
    'lines that are not of strace, or not complete',
    reader.bad.first,
    reader.bad.count,
  );
  findings.skipUnread(read);
  for (const [name, count] of reader.others) findings.skip(`${name}: not about memory`, 0, count);
  return {
    ...{ file: source.name, format, ...known.marks, lines: read.lines, calls: reader.calls },
    ...findings.fields(),
    inferredPages: run.memory.inferredPages,
    accesses: {},
    processes: run.usage.rows(),
    processesTotal: run.usage.total,
    maps: run.maps,
    frames,
    ...{ stoppedAt, milliseconds: options.now() - began },
    ...machineReport(machine),
  };
}
