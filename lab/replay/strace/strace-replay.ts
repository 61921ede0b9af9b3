/** The second reading of a recording: each line is carried out on the machine, and compared. */
import {
  FAULT_ACCERR,
  FAULT_BUS,
  FAULT_DONE,
  FAULT_MAPERR,
} from '../../../kernel/machine/fault-codes.ts';
import { recordLatency } from '../../../kernel/reports/histogram.ts';
import { errnoName } from '../../../shared/abi/errno.ts';
import { syscallIndex } from '../../../shared/abi/syscall-names.ts';
import type { SyscallName } from '../../../shared/abi/syscall-names.ts';
import { MMAP_MIN_ADDR, TRANSFER_BYTES_MAX } from '../../../shared/limits.ts';
import { vpnOf } from '../../../shared/units.ts';
import { hex } from '../../difftest/maps-text.ts';
import type { MapsLine } from '../../difftest/maps-text.ts';
import { Findings } from '../findings.ts';
import type { Difference } from '../replay-report.ts';
import { cloneFlags } from './clone-flags.ts';
import { MemoryCalls } from '../machine/memory-calls.ts';
import type { Verdict } from '../machine/verdict.ts';
import type { ReplayFiles } from '../machine/replay-files.ts';
import type { ReplayMachine } from '../machine/replay-machine.ts';
import type { ReplayProcess } from '../machine/replay-process.ts';
import { UsageRows } from '../machine/usage-rows.ts';
import { differenceOfMaps, formatAreas, mapsOf } from './compare-maps.ts';
import { followDescriptors } from './follow-descriptors.ts';
import { mapFirstAreas } from './first-areas.ts';
import { FlagValues } from './flag-values.ts';
import { ProcessTree } from './process-tree.ts';
import { parseMark } from './recording-marks.ts';
import type { CallText } from './call-text.ts';
import { fieldIn, supersededBy } from './strace-reader.ts';
import type { StraceSink } from './strace-reader.ts';
import type { Survey } from './survey.ts';
import { MEMORY_CALLS, TOUCHING, isBirth } from './wanted-calls.ts';

export interface StraceReplayOptions {
  readonly native: boolean;
  /** Touch the pages that reads, writes and faults show. */
  readonly touch: boolean;
  /** Keep the areas of each process at its end, as text. */
  readonly maps: boolean;
  /** The areas that the first process should have at its end. */
  readonly checkMaps: readonly MapsLine[] | null;
  /** Milliseconds that only grow. */
  readonly now: () => number;
}

/** The names under which histograms are kept. */
const HISTOGRAMS: ReadonlyMap<string, number> = new Map(
  MEMORY_CALLS.map((name) => [
    name,
    syscallIndex((name === 'pkey_mprotect' ? 'mprotect' : name) as SyscallName),
  ]),
);
const MEMORY: ReadonlySet<string> = new Set(MEMORY_CALLS);
const TOUCHES: ReadonlySet<string> = new Set(TOUCHING);
/** Of texts that are kept. */
const MAPS_MAX = 100;
const NO_ROOM = 'of processes for which the machine has no room';
const FAULT_CODES: Readonly<Record<string, number>> = {
  SEGV_MAPERR: FAULT_MAPERR,
  SEGV_ACCERR: FAULT_ACCERR,
  BUS_ADRERR: FAULT_BUS,
};

/** A block of lines about areas, until a line of another kind. */
interface AreaBlock {
  readonly pid: number;
  readonly when: 'exec' | 'exit';
  readonly line: number;
  readonly areas: MapsLine[];
}

export class StraceReplay implements StraceSink {
  readonly findings: Findings = new Findings();
  readonly usage: UsageRows = new UsageRows();
  readonly memory: MemoryCalls;
  readonly maps: { process: number; text: string }[] = [];
  readonly #machine: ReplayMachine;
  readonly #files: ReplayFiles;
  readonly #tree: ProcessTree;
  readonly #options: StraceReplayOptions;
  readonly #flags = new FlagValues();
  /** Calls that were carried out when they began, with the machine's result. */
  readonly #early = new Map<number, number>();
  #block: AreaBlock | null = null;

  constructor(
    machine: ReplayMachine,
    files: ReplayFiles,
    survey: Survey,
    options: StraceReplayOptions,
  ) {
    this.#machine = machine;
    this.#files = files;
    this.#options = options;
    this.#tree = new ProcessTree(machine, survey);
    this.memory = new MemoryCalls(machine, files, options);
  }

  call(pid: number, name: string, call: CallText, beganAt: number, line: number): void {
    this.#closeBlock();
    const process = this.#tree.of(pid, beganAt);
    if (process === null) this.findings.skip(NO_ROOM, line);
    else if (MEMORY.has(name)) this.#memory(process, name, call, line);
    else if (isBirth(name)) this.#clone(process, name, call, line);
    else if (name === 'execve' || name === 'execveat') this.#exec(process, name, call, line);
    else if (TOUCHES.has(name)) this.#touch(process, name, call);
    else followDescriptors(process.descriptors, name, call, this.#flags);
  }

  /** What frees addresses has done so before it returns: another thread may get them first. */
  begun(pid: number, name: string, call: CallText, line: number): void {
    this.#closeBlock();
    const process = this.#tree.of(pid, line);
    if (process === null) return;
    if (isBirth(name)) this.#tree.beginClone(pid, cloneFlags(name, call, this.#flags));
    if (name !== 'munmap') return;
    const { skipped, got } = this.memory.unmap(process, call);
    if (skipped === '') this.#early.set(pid, got);
  }

  signal(pid: number, text: string, line: number): void {
    this.#closeBlock();
    const process = this.#tree.of(pid, line);
    const code = /si_code=(\w+)/.exec(text)?.[1] ?? '';
    const wanted = FAULT_CODES[code];
    if (process === null || wanted === undefined) return;
    const address = process.space.relocation.place(fieldIn(text, 'si_addr'));
    if (address === null) return;
    const fault = (write: boolean): number =>
      this.#machine.fault(process.block, vpnOf(address), write);
    let got = fault(false);
    if (got === FAULT_DONE) got = fault(true);
    this.#compare(got === wanted, line, process, () => ({
      what: `access of ${hex(fieldIn(text, 'si_addr'))}`,
      recorded: code,
      here: Object.keys(FAULT_CODES).find((name) => FAULT_CODES[name] === got) ?? 'allowed',
    }));
  }

  end(pid: number, text: string, line: number): void {
    this.#closeBlock();
    const heir = supersededBy(text);
    const process = this.#tree.living.get(pid);
    const successor = heir === null ? undefined : this.#tree.living.get(heir);
    if (process !== undefined) this.#end(process, line);
    if (successor !== undefined) {
      this.#tree.rename(successor, pid, process);
    }
  }

  mark(text: string, line: number): void {
    const mark = parseMark(text);
    if (mark.kind === 'area') {
      if (this.#block === null) this.findings.skip('areas of no process', line);
      else this.#block.areas.push(mark.area);
      return;
    }
    this.#closeBlock();
    if (mark.kind === 'maps') this.#block = { ...mark, line, areas: [] };
    if (mark.kind === 'unknown') this.findings.skip('marks that are not understood', line);
  }

  /** After the last line: what is left of the processes. */
  finish(line: number): void {
    this.#closeBlock();
    for (const process of [...this.#tree.living.values()]) this.#end(process, line);
    this.#files.closeAll();
  }

  #memory(process: ReplayProcess, name: string, call: CallText, line: number): void {
    const { now } = this.#options;
    const began = now();
    const early = name === 'munmap' ? this.#early.get(process.recorded) : undefined;
    let verdict: Verdict;
    if (early === undefined) verdict = this.memory.carryOut(process, name, call);
    else {
      this.#early.delete(process.recorded);
      verdict = this.memory.returned(call, early);
    }
    const { skipped, got, wanted, isChoice } = verdict;
    if (skipped !== '') {
      this.findings.skip(`${name}: ${skipped}`, line);
      return;
    }
    recordLatency(this.#machine.machine, HISTOGRAMS.get(name) ?? 0, (now() - began) * 1e6);
    process.space.calls++;
    if (isChoice) {
      this.findings.choices++;
      if (got === wanted) this.findings.choicesEqual++;
    }
    this.#compare(got === wanted, line, process, () => ({
      what: name,
      recorded: describe(process, wanted, call.errno),
      here: describe(process, got, ''),
    }));
  }

  #compare(
    isEqual: boolean,
    line: number,
    process: ReplayProcess,
    describeIt: () => Pick<Difference, 'what' | 'recorded' | 'here'>,
  ): void {
    this.findings.compared++;
    if (isEqual) this.findings.equal++;
    else this.findings.differ({ line, process: process.recorded, ...describeIt() });
  }

  #clone(process: ReplayProcess, name: string, call: CallText, line: number): void {
    const child = call.result;
    if (!(child > 0)) return;
    if (this.#tree.endClone(process, child, cloneFlags(name, call, this.#flags), line)) return;
    this.findings.skip(NO_ROOM, line);
  }

  #exec(process: ReplayProcess, name: string, call: CallText, line: number): void {
    if (call.result !== 0) return;
    const path = call.argument(name === 'execve' ? 0 : 1).slice(1, -1);
    if (process.space.users === 1 && process.space.calls > 0) {
      this.usage.add(this.#machine.cpu, process);
    }
    if (!this.#tree.exec(process, path, line)) this.findings.skip(NO_ROOM, line);
  }

  /** Raw arguments (strace -e raw=read) have the buffer's address. */
  #touch(process: ReplayProcess, name: string, call: CallText): void {
    const done = call.result;
    if (!this.#options.touch || !(done > 0) || !call.argument(0).startsWith('0x')) return;
    const start = process.space.relocation.place(call.number(1));
    if (start === null) return;
    const isWrite = name === 'read' || name === 'pread64';
    const end = vpnOf(start + Math.min(done, TRANSFER_BYTES_MAX) - 1);
    for (let vpn = vpnOf(start); vpn <= end; vpn++) {
      if (this.#machine.fault(process.block, vpn, isWrite) !== FAULT_DONE) break;
    }
  }

  #closeBlock(): void {
    const block = this.#block;
    if (block === null) return;
    this.#block = null;
    const process = this.#tree.of(block.pid, block.line);
    if (process === null) return;
    if (block.when === 'exec') {
      const failed = mapFirstAreas(this.#machine, this.#files, process, block.areas);
      this.findings.skip('areas of execve that could not be mapped', block.line, failed);
    } else this.#compareMaps(process, block.areas, block.line);
  }

  #compareMaps(process: ReplayProcess, recorded: readonly MapsLine[], line: number): void {
    this.findings.mapsCompared++;
    const here = mapsOf(this.#machine, process, this.#files.names);
    const lines = differenceOfMaps(recorded, here);
    if (lines.length === 0) this.findings.mapsEqual++;
    for (const text of lines) {
      const [recordedText, hereText] = text.startsWith('-')
        ? [text.slice(2), 'no such area']
        : ['no such area', text.slice(2)];
      const what = 'an area';
      const difference = { line, process: process.recorded, what };
      this.findings.differ({ ...difference, recorded: recordedText, here: hereText });
    }
  }

  #end(process: ReplayProcess, line: number): void {
    if (process.space.users === 1) {
      const { checkMaps, maps } = this.#options;
      if (checkMaps !== null && process === this.#tree.first) {
        this.#compareMaps(process, checkMaps, line);
      }
      if (maps && this.maps.length < MAPS_MAX) {
        const text = formatAreas(mapsOf(this.#machine, process, this.#files.names));
        this.maps.push({ process: process.recorded, text });
      }
      this.usage.add(this.#machine.cpu, process);
    }
    this.#early.delete(process.recorded);
    this.#tree.end(process);
  }
}

/** An address as the recording has it, a number, or an errno. */
function describe({ space }: ReplayProcess, value: number, errno: string): string {
  if (errno !== '') return errno;
  if (value < 0) return errnoName(-value);
  return value < MMAP_MIN_ADDR ? String(value) : hex(space.relocation.origin(value) ?? value);
}
