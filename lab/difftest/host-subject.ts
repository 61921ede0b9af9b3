/**
 * This very process as a subject: what a sequence does, it does to itself. libc is called through
 * koffi; Linux on x86-64 only.
 */
import { chmodSync, existsSync, mkdtempSync, openSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type koffi from 'koffi';
import { PAGE_SIZE } from '../../shared/limits.ts';
import * as M from '../../shared/abi/mman.ts';
import { panic } from '../../shared/panic.ts';
import { SIGBUS, SIGSEGV } from '../../shared/abi/signals.ts';
import * as S from '../../shared/abi/syscalls.ts';
import { HANDLER_AT, RUN_AT, machineCode } from './machine-code.ts';
import { HostProgram, INSTRUCTIONS, OUTPUT_BYTES } from './host-program.ts';
import type { HostProgramOptions } from './host-program.ts';
import { CROWD_PAGES, HIGH, LOW, SCRATCH } from './sequence.ts';
import type { Step } from './steps.ts';
import type { Place, Prepared, Subject } from './subject.ts';

type Koffi = typeof koffi;

const TASK_END = 0x7fff_ffff_f000;
/** Where the machine code goes: below the scratch pages. */
const CODE: number = SCRATCH - 0x10_0000;
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
  /** Large, always the same, and made when it is first needed. */
  #crowd: Prepared | null = null;
  #place = 0;

  constructor(library: Koffi) {
    const libc = library.load('libc.so.6');
    this.#syscall = libc.func('long syscall(long, long, long, long, long, long, long)');
    const memory = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();
    this.directory = mkdtempSync(join(memory, 'faultline-'));
    chmodSync(this.directory, 0o777);
    this.#options = {
      addressOf: (array: Uint8Array | Int32Array) => Number(library.address(array)),
      maps: openSync('/proc/self/maps', 'r'),
      mapsPieces: 2,
      directory: this.directory,
      instructions: INSTRUCTIONS,
      outputBytes: OUTPUT_BYTES,
    };
    this.#programs = Array.from({ length: 3 }, () => new HostProgram(this.#options));
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
      const limits = { instructions: CROWD_PAGES + 1, outputBytes: PAGE_SIZE };
      const { at, read } = new HostProgram({ ...this.#options, ...limits }).compile([
        { kind: 'crowd' },
      ]);
      this.#crowd = { run: () => void this.#run(at), read };
    }
    return this.#crowd;
  }

  prepare(steps: readonly Step[]): Prepared {
    const program = this.#programs.shift() as HostProgram;
    this.#programs.push(program);
    const { at, read } = program.compile(steps);
    return { run: () => void this.#run(at), read };
  }
}
