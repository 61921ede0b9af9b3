/** Replays traces of accesses: valgrind's lackey, and perf's page faults. */
import { enterKernel } from '../../../kernel/mmu/kernel-entry.ts';
import { leaveUserMode } from '../../../kernel/mmu/user-mode.ts';
import { PAGE_SIZE } from '../../../shared/limits.ts';
import { Findings } from '../findings.ts';
import { ReplayFiles } from '../machine/replay-files.ts';
import type { ReplayMachine } from '../machine/replay-machine.ts';
import { UsageRows, frameRow } from '../machine/usage-rows.ts';
import type { ReplayOptions } from '../replay.ts';
import { machineReport } from '../machine-report.ts';
import type { ReplayReport } from '../replay-report.ts';
import { parseMark } from '../strace/recording-marks.ts';
import { readLines, readPieces } from '../text/lines.ts';
import type { ReadOptions, TextRead } from '../text/lines.ts';
import type { TraceFormat } from '../text/recognise.ts';
import type { TextSource } from '../text/open-text.ts';
import { ACCESS_KINDS, isWrite, perfLines } from './access-lines.ts';
import type { AccessSink, OtherSink } from './access-lines.ts';
import { AccessSpace, beginAccesses } from './access-space.ts';
import { LackeyScanner } from './lackey-scanner.ts';
import { PageSurvey } from './page-survey.ts';

type AccessFormat = Exclude<TraceFormat, 'strace'>;

export async function replayAccesses(
  source: TextSource,
  format: AccessFormat,
  machine: ReplayMachine,
  options: ReplayOptions,
): Promise<ReplayReport> {
  const began = options.now();
  const survey = new PageSurvey(source.name);
  const told = { command: null as string | null, host: null as string | null };
  const sizes = new Map<string, number>();
  const seeOther = (text: string): void => {
    const mark = text.startsWith('#') ? parseMark(text.slice(1)) : null;
    if (mark?.kind === 'area') survey.areas.push(mark.area);
    if (mark?.kind === 'file') sizes.set(mark.path, mark.size);
    if (mark?.kind === 'command') told.command = mark.text;
    if (mark?.kind === 'host') told.host = mark.text;
  };
  await readAccesses(source, format, survey.see, seeOther, {});
  const files = new ReplayFiles(machine.cpu, (path) => sizes.get(path) ?? options.sizeOf(path));
  const spaces = new Map(
    survey.spaces.map((space) => [
      space,
      new AccessSpace(machine, files, space, survey.areasOf(space)),
    ]),
  );
  beginAccesses(machine);
  const run = new AccessRun(spaces, options.stopAt);
  const { signal, onProgress } = options;
  const read = await readAccesses(source, format, run.access, run.skip, {
    isOver: () => signal.aborted || run.isOver,
    onPiece: onProgress,
  });
  leaveUserMode(machine.mode);
  enterKernel(machine.cpu);
  const frames = frameRow(machine.cpu);
  const usage = new UsageRows();
  let inferredPages = 0;
  for (const space of spaces.values()) {
    inferredPages += space.inferredPages;
    run.findings.skip('accesses that the machine refused', 0, space.refused);
    usage.add(machine.cpu, space.process);
    machine.end(space.process.pid);
  }
  files.closeAll();
  run.findings.skipUnread(read);
  return {
    ...{
      file: source.name,
      format,
      ...told,
      lines: Math.min(read.lines, options.stopAt),
      calls: 0,
    },
    ...run.findings.fields(),
    ...{ inferredPages, accesses: run.counts(), maps: [] },
    ...{ processes: usage.rows(), processesTotal: usage.total, frames },
    stoppedAt: signal.aborted || run.isOver ? Math.min(read.lines, options.stopAt) : null,
    ...{ milliseconds: options.now() - began },
    ...machineReport(machine),
  };
}

function readAccesses(
  source: TextSource,
  format: AccessFormat,
  onAccess: AccessSink,
  onOther: OtherSink,
  options: ReadOptions,
): Promise<TextRead> {
  if (format === 'perf') return readLines(source, perfLines(onAccess, onOther), options);
  return readPieces(source, new LackeyScanner(onAccess, onOther), options);
}

class AccessRun {
  readonly findings = new Findings();
  readonly #spaces: ReadonlyMap<number, AccessSpace>;
  readonly #counts = new Float64Array(ACCESS_KINDS.length);
  #last: AccessSpace | null = null;
  #lastSpace = NaN;
  readonly #stopAt: number;
  /** Whether a line has come that is beyond the last one. */
  isOver = false;

  constructor(spaces: ReadonlyMap<number, AccessSpace>, stopAt: number) {
    this.#spaces = spaces;
    this.#stopAt = stopAt;
  }

  readonly access: AccessSink = (space, kind, vpn, offset, size, line) => {
    if (line > this.#stopAt) {
      this.isOver = true;
      return;
    }
    if (space !== this.#lastSpace) {
      this.#last = this.#spaces.get(space) ?? null;
      this.#lastSpace = space;
    }
    const process = this.#last;
    if (process === null) return;
    (this.#counts[kind] as number)++;
    const write = isWrite(kind);
    process.access(vpn, write);
    if (offset + size > PAGE_SIZE) process.access(vpn + 1, write);
  };

  readonly skip = (_text: string, line: number, isBad: boolean): void => {
    if (isBad) this.findings.skip('lines that are no access', line);
  };

  /** By kind; those that did not occur are left out. */
  counts(): Record<string, number> {
    const found = ACCESS_KINDS.map((name, kind) => [name, this.#counts[kind] as number] as const);
    return Object.fromEntries(found.filter(([, count]) => count > 0));
  }
}
