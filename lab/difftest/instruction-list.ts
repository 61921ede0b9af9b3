/** A list of instructions in memory (machine-code.ts), and what they bring back. */
import { panic } from '../../shared/panic.ts';
import { INSTRUCTION_BYTES } from './machine-code.ts';

const WORDS = INSTRUCTION_BYTES / 4;

/** Memory for a list of instructions and for what its steps bring back, with its addresses. */
export interface HostMemory {
  readonly list: Int32Array;
  readonly output: Int32Array;
  readonly listAt: number;
  readonly outputAt: number;
}

export class InstructionList {
  readonly listAt: number;
  readonly outputAt: number;
  /** What the instructions bring back, as words and as bytes. */
  readonly output: Int32Array;
  readonly text: Buffer;
  readonly #words: Int32Array;
  #count = 0;
  #used = 0;

  constructor({ list, output, listAt, outputAt }: HostMemory) {
    this.#words = list;
    this.output = output;
    this.text = Buffer.from(output.buffer, output.byteOffset, output.byteLength);
    this.listAt = listAt;
    this.outputAt = outputAt;
  }

  clear(): void {
    this.#count = 0;
    this.#used = 0;
  }

  /** The instruction that comes next. */
  get count(): number {
    return this.#count;
  }

  /** Adds an instruction, and returns its number. */
  emit(kind: number, operands: readonly number[]): number {
    const at = this.#count;
    if ((at + 1) * WORDS > this.#words.length) panic('difftest: the sequence is too long', at);
    this.#count += 1;
    this.#words.fill(0, at * WORDS, (at + 1) * WORDS);
    this.#words[at * WORDS] = kind;
    for (const [i, operand] of operands.entries()) this.#setWord(at, 2 + i, operand);
    return at;
  }

  wordAt(instruction: number, word: number): number {
    return this.listAt + instruction * INSTRUCTION_BYTES + word * 8;
  }

  /** A 64-bit word; numbers from 2^63 on are unsigned ones. */
  #setWord(instruction: number, word: number, value: number): void {
    const signed = value >= 2 ** 63 ? value - 2 ** 64 : value;
    const high = Math.floor(signed / 2 ** 32);
    const at = instruction * WORDS + word * 2;
    this.#words[at] = (signed - high * 2 ** 32) | 0;
    this.#words[at + 1] = high;
  }

  setResult(instruction: number, value: number): void {
    this.#setWord(instruction, 1, value);
  }

  result(instruction: number): number {
    const at = instruction * WORDS + 2;
    const high = this.#words[at + 1] ?? 0;
    return high * 2 ** 32 + ((this.#words[at] ?? 0) >>> 0);
  }

  take(bytes: number, alignment = 1): number {
    const at = Math.ceil(this.#used / alignment) * alignment;
    this.#used = at + bytes;
    if (this.#used > this.output.byteLength)
      panic('difftest: the sequence is too long', this.#used);
    return at;
  }
  /** The address of a name. */
  path(name: string): number {
    const text = Buffer.from(`${name}\0`);
    const from = this.take(text.length);
    this.text.set(text, from);
    return this.outputAt + from;
  }
}
