/** Steps as a list of instructions in memory (machine-code.ts), and their results. */
import { PAGE_SIZE, TABLE_ENTRIES } from '../../shared/limits.ts';
import { PROT_NONE, PROT_READ } from '../../shared/abi/mman.ts';
import { panic } from '../../shared/panic.ts';
import * as S from '../../shared/abi/syscalls.ts';
import { CALL, COPY, COPY_IF, END, INSTRUCTION_BYTES } from './machine-code.ts';
import { CROWD, CROWD_PAGES, SLOTS } from './sequence.ts';
import type { Step, StepArg, StepResult } from './steps.ts';
import { hashWords } from './subject.ts';

const WORDS = INSTRUCTION_BYTES / 4;
/** Instructions of the longest sequence, looks and fillings included. */
export const INSTRUCTIONS = 16_384;
/** What the steps bring back: pages and texts. */
export const OUTPUT_BYTES: number = 32 * 2 ** 20;
/** What a read of /proc/self/maps gives at most. */
const MAPS_PIECE = 4096;
const SYS_OPEN = 2;
const SYS_UNLINK = 87;
const SYS_MEMFD_CREATE = 319;
const FILE_MODE = 0o600;
const NOT_READ = 2 ** 31;

export interface HostProgramOptions {
  /** Address of a typed array's memory. */
  readonly addressOf: (array: Uint8Array | Int32Array) => number;
  /** Descriptor of /proc/self/maps. */
  readonly maps: number;
  /** Reads of it that reach beyond the windows. */
  mapsPieces: number;
  /** Of the sequence's files. */
  readonly directory: string;
  /** How long a list may be, and what its steps may bring back. */
  readonly instructions: number;
  readonly outputBytes: number;
}

/** The protection of a page of the crowd: neighbours differ. */
function protAt(page: number): number {
  return page % 2 === 0 ? PROT_NONE : PROT_READ;
}

export class HostProgram {
  readonly #options: HostProgramOptions;
  readonly #list: Int32Array;
  readonly #output: Int32Array;
  readonly #text: Buffer;
  readonly #listAt: number;
  readonly #outputAt: number;
  #count = 0;
  #used = 0;
  /** For each slot the instruction that filled it. */
  readonly #slots: (number | null)[] = new Array<null>(SLOTS).fill(null);

  constructor(options: HostProgramOptions) {
    this.#options = options;
    this.#list = new Int32Array(options.instructions * WORDS);
    this.#output = new Int32Array(options.outputBytes / 4);
    this.#text = Buffer.from(this.#output.buffer);
    this.#listAt = options.addressOf(this.#list);
    this.#outputAt = options.addressOf(this.#output);
  }

  /** Writes the list for the steps. The address of its first instruction, and how to read it. */
  compile(steps: readonly Step[]): { at: number; read: () => StepResult[] } {
    this.#count = 0;
    this.#used = 0;
    this.#slots.fill(null);
    const reads = steps.map((step) => this.#compile(step));
    this.#emit(END, []);
    return { at: this.#listAt, read: () => reads.map((read) => read()) };
  }

  #compile(step: Step): () => StepResult {
    switch (step.kind) {
      case 'call': {
        const at = this.#call(step.number, step.args);
        if (step.slot !== undefined) this.#slots[step.slot] = at;
        return () => this.#result(at);
      }
      case 'named': {
        const at = this.#named(step);
        if (step.slot !== undefined) this.#slots[step.slot] = at;
        return () => this.#result(at);
      }
      case 'forget':
        this.#slots[step.slot] = null;
        return () => 0;
      case 'load': {
        const byte = this.#take(1);
        const at = this.#emit(COPY, [this.#outputAt + byte, step.address, 1]);
        return () => -this.#result(at) || (this.#text[byte] ?? 0);
      }
      case 'store': {
        const from = this.#take(step.bytes.length);
        this.#text.set(step.bytes, from);
        const to = step.address;
        const at = this.#emit(COPY, [to, this.#outputAt + from, step.bytes.length]);
        return () => -this.#result(at);
      }
      case 'crowd':
        return this.#crowd();
      case 'room':
        return this.#room(step.room);
      case 'maps':
        return this.#maps();
      case 'resident': {
        const byte = this.#take(1);
        this.#text[byte] = 0;
        const vec = this.#outputAt + byte;
        const at = this.#call(S.SYS_MINCORE, [step.address, PAGE_SIZE, vec]);
        this.#flagAt = vec;
        return () => (this.#result(at) < 0 ? -1 : (this.#text[byte] ?? 0) & 1);
      }
      case 'content':
        return this.#content(step.address, step.always);
    }
  }

  /** Of the step before: where the bit of a page went. */
  #flagAt = 0;

  #content(address: number, always: boolean): () => StepResult {
    const to = this.#take(PAGE_SIZE, PAGE_SIZE);
    const kind = always ? COPY : COPY_IF;
    const at = this.#emit(kind, [this.#outputAt + to, address, PAGE_SIZE, this.#flagAt]);
    this.#setResult(at, NOT_READ);
    return () => {
      const fault = this.#result(at);
      if (fault === NOT_READ) return NaN;
      return fault === 0 ? hashWords(this.#output, to / 4, TABLE_ENTRIES) : -fault;
    };
  }

  #maps(): () => StepResult {
    const { maps, mapsPieces } = this.#options;
    this.#call(S.SYS_LSEEK, [maps, 0, 0]);
    const pieces = Array.from({ length: mapsPieces }, () => {
      const to = this.#take(MAPS_PIECE);
      return { to, at: this.#call(S.SYS_READ, [maps, this.#outputAt + to, MAPS_PIECE]) };
    });
    return () =>
      pieces.map(({ to, at }) => this.#text.toString('latin1', to, to + this.#result(at))).join('');
  }

  /** Each call splits the last area, until the limit on areas is reached. */
  #crowd(): () => StepResult {
    for (let page = 1; page < CROWD_PAGES; page++) {
      const size = (CROWD_PAGES - page) * PAGE_SIZE;
      this.#call(S.SYS_MPROTECT, [CROWD + page * PAGE_SIZE, size, protAt(page)]);
    }
    return () => 0;
  }

  /** The first areas of the crowd become one. */
  #room(room: number): () => StepResult {
    const at = this.#call(S.SYS_MPROTECT, [CROWD, (room + 1) * PAGE_SIZE, protAt(room)]);
    return () => this.#result(at);
  }

  #named({ call, name, flags }: Extract<Step, { kind: 'named' }>): number {
    const isFile = call !== 'memfd_create';
    const text = Buffer.from(`${isFile ? `${this.#options.directory}/` : ''}${name}\0`);
    const from = this.#take(text.length);
    this.#text.set(text, from);
    const at = this.#outputAt + from;
    if (call === 'open') return this.#call(SYS_OPEN, [at, flags, FILE_MODE]);
    return this.#call(call === 'unlink' ? SYS_UNLINK : SYS_MEMFD_CREATE, [at, flags]);
  }

  /** A system call; descriptors that are not known yet are copied into it first. */
  #call(number: number, args: readonly StepArg[]): number {
    const late = args.flatMap((arg, i) => {
      const from = typeof arg === 'number' ? null : this.#slots[arg.slot];
      return from === null || from === undefined ? [] : [{ i, from }];
    });
    const at = this.#count + late.length;
    for (const { i, from } of late) {
      this.#emit(COPY, [this.#wordAt(at, 3 + i), this.#wordAt(from, 1), 8]);
    }
    return this.#emit(CALL, [number, ...args.map((arg) => (typeof arg === 'number' ? arg : -1))]);
  }

  #emit(kind: number, operands: readonly number[]): number {
    const at = this.#count;
    if (at >= this.#options.instructions) panic('difftest: the sequence is too long', at);
    this.#count += 1;
    this.#list.fill(0, at * WORDS, (at + 1) * WORDS);
    this.#list[at * WORDS] = kind;
    for (const [i, operand] of operands.entries()) this.#setWord(at, 2 + i, operand);
    return at;
  }

  #wordAt(instruction: number, word: number): number {
    return this.#listAt + instruction * INSTRUCTION_BYTES + word * 8;
  }

  /** A 64-bit word; numbers from 2^63 on are unsigned ones. */
  #setWord(instruction: number, word: number, value: number): void {
    const signed = value >= 2 ** 63 ? value - 2 ** 64 : value;
    const high = Math.floor(signed / 2 ** 32);
    const at = instruction * WORDS + word * 2;
    this.#list[at] = (signed - high * 2 ** 32) | 0;
    this.#list[at + 1] = high;
  }

  #setResult(instruction: number, value: number): void {
    this.#setWord(instruction, 1, value);
  }

  #result(instruction: number): number {
    const at = instruction * WORDS + 2;
    const high = this.#list[at + 1] ?? 0;
    return high * 2 ** 32 + ((this.#list[at] ?? 0) >>> 0);
  }

  #take(bytes: number, alignment = 1): number {
    const at = Math.ceil(this.#used / alignment) * alignment;
    this.#used = at + bytes;
    if (this.#used > this.#options.outputBytes)
      panic('difftest: the sequence is too long', this.#used);
    return at;
  }
}
