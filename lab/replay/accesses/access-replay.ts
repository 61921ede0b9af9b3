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
import { readLines } from '../text/lines.ts';
import { readUntil } from '../text/read-until.ts';
import type { TraceFormat } from '../text/recognise.ts';
import type { TextSource } from '../text/open-text.ts';
import { ACCESS_KINDS, isWrite, lackeyLines, perfLines } from './access-lines.ts';
import type { AccessSink } from './access-lines.ts';
import { AccessSpace, beginAccesses } from './access-space.ts';
import { PageSurvey } from './page-survey.ts';

export async function replayAccesses(
  source: TextSource,
  format: Exclude<TraceFormat, 'strace'>,
  machine: ReplayMachine,
  options: ReplayOptions,
): Promise<ReplayReport> {
  const began = options.now();
  const lines = format === 'lackey' ? lackeyLines : perfLines;
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
  await readLines(source, lines(survey.see, seeOther));
  const files = new ReplayFiles(machine.cpu, (path) => sizes.get(path) ?? options.sizeOf(path));
  const spaces = new Map(
    survey.spaces.map((space) => [
      space,
      new AccessSpace(machine, files, space, survey.areasOf(space)),
    ]),
  );
  beginAccesses(machine);
  const run = new AccessRun(spaces);
  const { read, stoppedAt } = await readUntil(source, lines(run.access, run.skip), options);
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
    ...{ file: source.name, format, ...told, lines: read.lines, calls: 0 },
    ...run.findings.fields(),
    ...{ inferredPages, accesses: run.counts(), maps: [] },
    ...{ processes: usage.rows(), processesTotal: usage.total, frames },
    ...{ stoppedAt, milliseconds: options.now() - began },
    ...machineReport(machine),
  };
}

class AccessRun {
  readonly findings = new Findings();
  readonly #spaces: ReadonlyMap<number, AccessSpace>;
  readonly #counts = new Float64Array(ACCESS_KINDS.length);
  #last: AccessSpace | null = null;
  #lastSpace = NaN;

  constructor(spaces: ReadonlyMap<number, AccessSpace>) {
    this.#spaces = spaces;
  }

  readonly access: AccessSink = (space, kind, vpn, offset, size) => {
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
