/**
 * This very process as a subject: what a sequence does, it does to itself. libc is called through
 * koffi; Linux on x86-64 only.
 */
import { chmodSync, existsSync, mkdtempSync, openSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type koffi from 'koffi';
import { MMAP_MIN_ADDR, PAGE_SIZE } from '../../shared/limits.ts';
import * as M from '../../shared/abi/mman.ts';
import { panic } from '../../shared/panic.ts';
import { SIGBUS, SIGSEGV } from '../../shared/abi/signals.ts';
import * as S from '../../shared/abi/syscalls.ts';
import { HANDLER_AT, INSTRUCTION_BYTES, RUN_AT, machineCode } from './machine-code.ts';
import {
  HostProgram,
  INSTRUCTIONS,
  MAPS_SLOT,
  OUTPUT_BYTES,
  PAGEMAP_SLOT,
  SMAPS_SLOT,
} from './host-program.ts';
import type { HostPipes, HostProgramOptions } from './host-program.ts';
import type { HostMemory } from './instruction-list.ts';
import { CROWD_PAGES, HIGH, LOW, SCRATCH } from './sequence.ts';
import type { Step } from './steps.ts';
import type { Place, Prepared, Subject } from './subject.ts';

type Koffi = typeof koffi;

/** The mask of what the process may have. */
function permittedCapabilities(): bigint {
  const text = readFileSync('/proc/self/status', 'latin1');
  return BigInt(`0x${/^CapPrm:\s*([0-9a-f]+)/m.exec(text)?.[1] ?? '0'}`);
}

const TASK_END = 0x7fff_ffff_f000;
/** Where the machine code goes: below the scratch pages. */
const CODE: number = SCRATCH - 0x10_0000;
/** Where the lists of instructions begin. */
const PROGRAMS = 0x200_0000_0000;
const SYS_PIPE = 22;
/** struct sigaction of glibc: its size, and where its flags are. */
const SIGACTION_BYTES = 152;
const SIGACTION_FLAGS_AT = 136;
const SA_SIGINFO = 4;
/** Sealed areas stay for ever: the next sequence takes the next place. */
const PLACES = 64;
const PLACE_STRIDE = 0x10_0000;

export class HostSubject implements Subject {
  /** Named files live here; whoever ends the process removes it. */
  readonly directory: string;
  readonly #syscall: (...args: number[]) => number;
  readonly #run: (list: number) => void;
  /** Three, in turn: a sequence needs as many at a time. */
  readonly #programs: HostProgram[];
  readonly #options: HostProgramOptions;
  readonly #library: Koffi;
  #nextMemory = PROGRAMS;
  /** Large, always the same, and made when it is first needed. */
  #crowd: Prepared | null = null;
  #place = 0;

  constructor(library: Koffi) {
    const libc = library.load('libc.so.6');
    this.#syscall = libc.func('long syscall(long, long, long, long, long, long, long)');
    const memory = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();
    this.directory = mkdtempSync(join(memory, 'faultline-'));
    chmodSync(this.directory, 0o777);
    this.#library = library;
    const [parent, child] = this.#makePipes();
    this.#options = {
      maps: openSync('/proc/self/maps', 'r'),
      smaps: openSync('/proc/self/smaps', 'r'),
      pagemap: openSync('/proc/self/pagemap', 'r'),
      mapsPieces: 2,
      directory: this.directory,
      capabilities: permittedCapabilities(),
      pipes: parent,
    };
    const childProgram = this.#childProgram(child);
    this.#programs = Array.from({ length: 3 }, () => {
      const memory = this.#memory(INSTRUCTIONS, OUTPUT_BYTES, false);
      return new HostProgram(this.#options, memory, childProgram);
    });
    const code = machineCode();
    const flags = M.MAP_PRIVATE | M.MAP_ANONYMOUS | M.MAP_FIXED_NOREPLACE;
    const prot = M.PROT_READ | M.PROT_WRITE;
    const at = this.syscall(S.SYS_MMAP, CODE, PAGE_SIZE, prot, flags, -1, 0);
    if (at !== CODE) panic('difftest: no place for the machine code', at);
    const memcpy = libc.func('memcpy', 'void *', ['long', 'void *', 'long']);
    memcpy(CODE, code, code.length);
    this.syscall(S.SYS_MPROTECT, CODE, PAGE_SIZE, M.PROT_READ | M.PROT_EXEC);
    const type = library.proto('void (long)');
    this.#run = library.decode(BigInt(CODE + RUN_AT), type) as (list: number) => void;
    const sigaction = libc.func('int sigaction(int, void *, void *)');
    const action = Buffer.alloc(SIGACTION_BYTES);
    action.writeBigUInt64LE(BigInt(CODE + HANDLER_AT), 0);
    action.writeInt32LE(SA_SIGINFO, SIGACTION_FLAGS_AT);
    for (const signal of [SIGSEGV, SIGBUS]) sigaction(signal, action, null);
  }

  /**
   * For a list of so many instructions and for what its steps bring back; above the windows, so
   * that reading the maps or smaps up to there does not walk it. `shared` with a forked child.
   */
  #memory(instructions: number, outputBytes: number, shared: boolean): HostMemory {
    const listBytes = Math.ceil((instructions * INSTRUCTION_BYTES) / PAGE_SIZE) * PAGE_SIZE;
    const size = listBytes + outputBytes;
    const type = shared ? M.MAP_SHARED : M.MAP_PRIVATE;
    const flags = type | M.MAP_ANONYMOUS | M.MAP_FIXED_NOREPLACE;
    const listAt = this.#nextMemory;
    this.#nextMemory += size;
    const at = this.syscall(S.SYS_MMAP, listAt, size, M.PROT_READ | M.PROT_WRITE, flags, -1, 0);
    if (at !== listAt) panic('difftest: no place for a program', at);
    const outputAt = listAt + listBytes;
    const buffer = this.#library.view(BigInt(listAt), size);
    const list = new Int32Array(buffer, 0, listBytes / 4);
    return { list, output: new Int32Array(buffer, listBytes, outputBytes / 4), listAt, outputAt };
  }

  #childProgram(pipes: HostPipes): HostProgram {
    const memory = this.#memory(INSTRUCTIONS, OUTPUT_BYTES, true);
    const files = { maps: MAPS_SLOT, smaps: SMAPS_SLOT, pagemap: PAGEMAP_SLOT };
    return new HostProgram({ ...this.#options, ...files, pipes }, memory, null);
  }

  /**
   * A child gets every area, also those that the runtime keeps for itself, so that no hole is left;
   * up to the first special one, above which there are none.
   */
  #copyAll(): void {
    this.syscall(S.SYS_MADVISE, MMAP_MIN_ADDR, TASK_END - MMAP_MIN_ADDR, M.MADV_DOFORK);
  }

  /** By which a process and its child take turns: the parent's ends and the child's. */
  #makePipes(): [HostPipes, HostPipes] {
    const ends = new Int32Array(4);
    const at = Number(this.#library.address(ends));
    for (const pipe of [at, at + 8]) {
      if (this.syscall(SYS_PIPE, pipe) !== 0) panic('difftest: no pipe');
    }
    const [toChild, fromParent, toParent, fromChild] = ends as unknown as number[];
    if (toChild === undefined || fromParent === undefined) return panic('difftest: no pipe');
    if (toParent === undefined || fromChild === undefined) return panic('difftest: no pipe');
    return [
      { turn: toParent, done: fromParent },
      { turn: toChild, done: fromChild },
    ];
  }

  place(): Place {
    const shift = this.#place * PLACE_STRIDE;
    const brk = this.syscall(S.SYS_BRK, 0);
    const [low, high] = [LOW.start + shift, HIGH.start + shift];
    return { taskEnd: TASK_END, low, high, scratch: SCRATCH, brk };
  }

  /** The windows have been used up by seals. False when there are no others. */
  nextPlace(): boolean {
    this.#place += 1;
    return this.#place < PLACES;
  }

  /** Outside of sequences. The value, or -1. */
  syscall(number: number, ...args: readonly number[]): number {
    const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = args;
    return this.#syscall(number, a, b, c, d, e, f);
  }

  maps(): string {
    return readFileSync('/proc/self/maps', 'latin1');
  }

  status(): string {
    return readFileSync('/proc/self/status', 'latin1');
  }

  seeMore(): void {
    this.#options.mapsPieces += 1;
  }

  prepareCrowd(): Prepared {
    if (this.#crowd === null) {
      const memory = this.#memory(CROWD_PAGES + 1, PAGE_SIZE, false);
      const { at, read } = new HostProgram(this.#options, memory, null).compile([
        { kind: 'crowd' },
      ]);
      this.#crowd = { run: () => void this.#run(at), read };
    }
    return this.#crowd;
  }

  prepare(steps: readonly Step[]): Prepared {
    const forks = steps.some(({ kind }) => kind === 'fork');
    const program = this.#programs.shift() as HostProgram;
    this.#programs.push(program);
    const { at, read } = program.compile(steps);
    const run = (): void => {
      if (forks) this.#copyAll();
      this.#run(at);
    };
    return { run, read };
  }
}
