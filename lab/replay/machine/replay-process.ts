/** A recorded process or thread, and the simulated one that stands for it. */
import { processOf } from '../../../kernel/processes/pid-table.ts';
import * as PROCESS from '../../../shared/layout/process.ts';
import { peek } from '../../../shared/atomics.ts';
import type { Pid, ProcessBlock, SpaceBlock } from '../../../shared/units.ts';
import type { ReplayMachine } from './replay-machine.ts';
import type { ReplaySpace } from './replay-space.ts';

/** What a descriptor stands for. */
export interface OpenFile {
  readonly path: string;
  /** As of open(2). */
  readonly flags: number;
}

/** Descriptors of one table that are kept; a recording may be wrong. */
const DESCRIPTORS_MAX: number = 2 ** 16;

export class DescriptorTable {
  readonly #files: Map<number, OpenFile>;

  constructor(files: Iterable<readonly [number, OpenFile]> = []) {
    this.#files = new Map(files);
  }

  copy(): DescriptorTable {
    return new DescriptorTable(this.#files);
  }

  get(fd: number): OpenFile | undefined {
    return this.#files.get(fd);
  }

  set(fd: number, file: OpenFile): void {
    if (fd >= 0 && this.#files.size < DESCRIPTORS_MAX) this.#files.set(fd, file);
  }

  delete(fd: number): void {
    this.#files.delete(fd);
  }
}

export class ReplayProcess {
  /** As the recording calls it. */
  recorded: number;
  readonly pid: Pid;
  readonly proc: ProcessBlock;
  /** What it runs, for the report. */
  name: string;
  space: ReplaySpace;
  readonly descriptors: DescriptorTable;
  /** Pid of the process that it is a thread of, in the machine. */
  readonly tgid: Pid;
  readonly #machine: ReplayMachine;

  constructor(
    machine: ReplayMachine,
    parts: Pick<ReplayProcess, 'recorded' | 'pid' | 'name' | 'space' | 'descriptors' | 'tgid'>,
  ) {
    this.#machine = machine;
    this.recorded = parts.recorded;
    this.pid = parts.pid;
    this.name = parts.name;
    this.space = parts.space;
    this.descriptors = parts.descriptors;
    this.tgid = parts.tgid;
    this.proc = processOf(machine.machine, parts.pid);
  }

  /** Its address space's block; another one after exec. */
  get block(): SpaceBlock {
    return peek(this.#machine.cpu.words, this.proc + PROCESS.SPACE);
  }
}
