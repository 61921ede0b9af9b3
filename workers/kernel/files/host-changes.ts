/**
 * Host files that change under the machine: truncated, grown or rewritten by somebody else.
 *
 * Guarantees: once a change has been noticed, the machine's file has the host's size, an access to
 * a mapping beyond it is SIGBUS, also to a private copy, and pages are read from the host again; as
 * on Linux. A change is noticed when a page is read from the file, and by open, fstat, read, pread
 * and lseek, unless the last look was less than CHECK_MS ago; and at every tick of TICK_MS.
 * Not guaranteed: anything for a file opened for writing, whose contents are the machine's until
 * they are written back.
 */
import { changedObject, objectSize } from '../../../kernel/index.ts';
import type { Cpu } from '../../../kernel/index.ts';
import type { HostFile, HostFileState } from '../../platform.ts';
import { describeThrown } from '../../wire/thrown.ts';
import { inKernel } from '../in-kernel.ts';

/** How long a look at the host's file is good for a syscall. */
const CHECK_MS = 10;
const TICK_MS = 1000;

interface Watched {
  readonly block: number;
  readonly name: string;
  readonly look: () => Promise<HostFileState>;
  modifiedMs: number;
  lookedMs: number;
  looking: Promise<void> | null;
}

export class HostChanges {
  readonly #cpu: Cpu;
  readonly #log: (line: string) => void;
  readonly #files = new Map<number, Watched>();
  #nextMs = 0;

  constructor(cpu: Cpu, log: (line: string) => void) {
    this.#cpu = cpu;
    this.#log = log;
  }

  /** A file of the host's that the machine only reads. Files in memory cannot change. */
  add(block: number, name: string, file: HostFile): void {
    const { look, modifiedMs = 0 } = file;
    if (look === undefined) return;
    this.#files.set(block, { block, name, look, modifiedMs, lookedMs: 0, looking: null });
  }

  /** Whether there is a file that could change. */
  get isNeeded(): boolean {
    return this.#files.size > 0;
  }

  /** Looks at all files, unless that was done a moment ago; null then. */
  checkAll(): Promise<unknown> | null {
    const nowMs = performance.now();
    const due = [...this.#files.values()].filter((file) => nowMs - file.lookedMs > CHECK_MS);
    return due.length === 0 ? null : Promise.all(due.map((file) => this.check(file.block)));
  }

  /** The same for one file. */
  checkOne(block: number): Promise<void> | null {
    const lookedMs = this.#files.get(block)?.lookedMs ?? Infinity;
    return performance.now() - lookedMs > CHECK_MS ? this.check(block) : null;
  }

  /** Compares a file with the host's. Never rejects. */
  check(block: number): Promise<void> {
    const file = this.#files.get(block);
    if (file === undefined) return Promise.resolve();
    file.looking ??= this.#check(file).finally(() => {
      file.looking = null;
    });
    return file.looking;
  }

  tick(nowMs: number): void {
    if (nowMs < this.#nextMs) return;
    this.#nextMs = nowMs + TICK_MS;
    for (const block of this.#files.keys()) void this.check(block);
  }

  async #check(file: Watched): Promise<void> {
    const cpu = this.#cpu;
    try {
      const { sizeBytes, modifiedMs } = await file.look();
      file.lookedMs = performance.now();
      const size = inKernel(cpu, () => objectSize(cpu, file.block));
      if (sizeBytes === size && modifiedMs === file.modifiedMs) return;
      file.modifiedMs = modifiedMs;
      inKernel(cpu, () => changedObject(cpu, file.block, sizeBytes));
      this.#log(`${file.name}: changed on the host: ${size} bytes before, ${sizeBytes} now`);
    } catch (error) {
      file.lookedMs = performance.now();
      this.#log(`${file.name}: ${describeThrown(error)}`);
    }
  }
}
