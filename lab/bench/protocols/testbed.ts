/**
 * The machine that benchmarks run on, and the coordinator's part in it: CPU 0 makes and ends the
 * address spaces, fills files, reads counters, audits.
 *
 * One machine serves all protocols in turn. They see the same memory, so that the host's placement
 * of it favours none, and memory once touched stays with the host, so that no host page fault is
 * measured.
 */
import {
  PROTOCOLS,
  attachCpu,
  attachMachine,
  audit,
  beginPageIn,
  condemnCpu,
  createObject,
  createProcess,
  enterKernel,
  exitProcess,
  finishPageIn,
  formatMachine,
  frameUsage,
  leaveKernel,
  openFd,
  processOf,
  putObject,
  reapCpu,
  releaseProcess,
  startCpu,
  startProcess,
} from '../../../kernel/index.ts';
import * as RECORD from '../../../shared/layout/record.ts';
import * as OBJECT from '../../../shared/layout/object.ts';
import type { Cpu, LockingProtocol, Machine } from '../../../kernel/index.ts';
import { peek } from '../../../shared/atomics.ts';
import * as CPU from '../../../shared/layout/cpu.ts';
import type { StatName } from '../../../shared/layout/cpu.ts';
import { FRAMES_MAX, PAGE_SIZE } from '../../../shared/limits.ts';
import { O_RDWR } from '../../../shared/abi/mman.ts';
import { GLOBAL_FIXED_PAGES } from './benchmarks.ts';
import { hottestWords } from './contention.ts';
import type { HotWord } from './contention.ts';
import type { AccessCounts } from './meter.ts';
import { BenchThread } from './thread.ts';

export type Counters = Readonly<Record<StatName, number>>;

/** The lowest descriptor that a process gets. */
export const FIRST_FD = 3;
/** Frames for everything but a will-it-scale region. */
const SPARE_FRAMES: number = 8192 + GLOBAL_FIXED_PAGES;

/** Frames of a machine on which each of `threads` has a region, and a file of that size. */
export function framesNeeded(threads: number, regionBytes: number): number {
  return SPARE_FRAMES + threads * 64 + Math.ceil((2.02 * threads * regionBytes) / PAGE_SIZE);
}

/**
 * A machine with `threads` CPUs beside the coordinator's. Throws a RangeError when the largest
 * machine has not enough memory.
 */
export function newMachine(threads: number, regionBytes: number): Machine {
  const frames = framesNeeded(threads, regionBytes);
  if (frames > FRAMES_MAX) {
    throw new RangeError(`${threads} CPUs need more than 4 GiB; choose a smaller --region`);
  }
  const machine = formatMachine({ frames, cpus: threads + 1, protocol: PROTOCOLS.rcu });
  for (let id = 0; id <= threads; id++) startCpu(attachCpu(machine, id));
  return machine;
}

/** CPU 0 as the coordinator of one group of threads: it locks as they do. */
export class Testbed {
  readonly #cpu: Cpu;
  readonly #main: BenchThread;
  #pid = 0;

  constructor(machine: Machine, protocol: LockingProtocol) {
    this.#cpu = attachCpu(attachMachine(machine.buffer, protocol), 0);
    this.#main = new BenchThread(this.#cpu);
  }

  get buffer(): SharedArrayBuffer {
    return this.#cpu.machine.buffer;
  }

  #inKernel<T>(work: (cpu: Cpu) => T): T {
    enterKernel(this.#cpu);
    const result = work(this.#cpu);
    leaveKernel(this.#cpu);
    return result;
  }

  /** A process with an empty space, and a descriptor for each object. Its block. */
  begin(objects: readonly number[]): number {
    return this.#inKernel((cpu) => {
      this.#pid = createProcess(cpu, { name: 'bench', cpu: 0, parent: 0 });
      if (this.#pid < 0) throw new Error(`no process: errno ${-this.#pid}`);
      startProcess(cpu, this.#pid);
      const proc = processOf(cpu.machine, this.#pid);
      objects.forEach((object, index) => {
        const fd = openFd(cpu, proc, object, O_RDWR);
        if (fd !== FIRST_FD + index) throw new Error(`openFd: ${fd}`);
      });
      return proc;
    });
  }

  /** The main thread of a process that `begin` made, to prepare its space. */
  main(proc: number): BenchThread {
    this.#main.adopt(proc);
    return this.#main;
  }

  /** Ends the process that `begin` made. */
  end(): void {
    this.#inKernel((cpu) => {
      exitProcess(cpu, this.#pid, 0, 0, 0);
      releaseProcess(cpu, this.#pid);
    });
  }

  /** A file of that size whose pages are all in the page cache. */
  createFile(bytes: number): number {
    return this.#inKernel((cpu) => {
      const object = createObject(cpu, { kind: OBJECT.FILE, size: bytes, host: 1, writable: true });
      if (object === 0) throw new Error('no memory for a file');
      for (let page = 0; page < bytes / PAGE_SIZE; page++) {
        const pfn = beginPageIn(cpu);
        if (pfn === 0 || !finishPageIn(cpu, object, page, pfn)) {
          throw new Error('no memory for a file');
        }
      }
      return object;
    });
  }

  dropFile(object: number): void {
    this.#inKernel((cpu) => putObject(cpu, object));
  }

  /** What threads shared in the space that is alive now. */
  hottest(counts: readonly AccessCounts[], operations: number): HotWord[] {
    return hottestWords(this.#cpu.machine, counts, operations);
  }

  /** Violations, with our own references to `files` taken into account. */
  audit(files: readonly number[]): readonly string[] {
    const heldObjects = new Map(files.map((object) => [object, 1]));
    return this.#inKernel((cpu) => audit(cpu, { heldObjects }).violations);
  }

  /**
   * Takes the CPUs out of service, so that no cache and no limbo list holds a frame, and returns
   * how many frames are in use although no process is left: leaked ones. The last thing to do.
   */
  leakedFrames(): number {
    const { machine, words } = this.#cpu;
    this.#inKernel((cpu) => {
      for (let id = 1; id < machine.cpus; id++) {
        if (!condemnCpu(cpu, id)) throw new Error(`CPU ${id} is still in the kernel`);
        reapCpu(cpu, id);
      }
    });
    // Making and ending a space frees what waited for a grace period.
    for (let i = 0; i < 2; i++) {
      this.begin([]);
      this.end();
    }
    const records = words.subarray(machine.recordDir, machine.recordDir + RECORD.DIRECTORY_WORDS);
    const kept = records.filter((pfn) => pfn !== 0).length;
    return this.#inKernel(() => frameUsage(machine).used) - kept;
  }

  /** Sums of the counters of CPUs 1 to `threads`. */
  counters(threads: number): Counters {
    const { words, machine } = this.#cpu;
    const sums = CPU.STAT_NAMES.map((name, index) => {
      let sum = 0;
      for (let id = 1; id <= threads; id++) {
        sum += peek(words, machine.cpuBase + id * CPU.WORDS + CPU.STATS + index);
      }
      return [name, sum] as const;
    });
    return Object.fromEntries(sums) as Counters;
  }
}
