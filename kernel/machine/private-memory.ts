/**
 * What is private to a CPU and lies in the machine's memory all the same, behind its last frame,
 * because compiled code reaches nothing else: the TLB, and the stack of its cursor. Only a machine
 * that was made of a WebAssembly.Memory has it. No other CPU looks at it, and no layout names it.
 */
import { panic } from '../../shared/panic.ts';

/** Slots of a TLB: what each of its arrays has (tlb.ts). */
export const TLB_SLOTS = 0x1000;

const READ_BASE = 0;
const WRITE_BASE = 8 * TLB_SLOTS;
const FRAME_AT = 16 * TLB_SLOTS;
const FILLED = 20 * TLB_SLOTS;
const STATE = 24 * TLB_SLOTS;
const STACK = STATE + 64;
const STACK_WORDS = 16;

/** Bytes of one CPU's private memory. */
export const PRIVATE_BYTES: number = STACK + 4 * STACK_WORDS;

/** Where the private memory of the first CPU begins in a machine of `totalWords` words. */
export function privateBase(totalWords: number): number {
  return Math.ceil((totalWords * 4) / 64) * 64;
}

/** Bytes of a machine of `totalWords` words with the private memory of `cpus` CPUs. */
export function bytesWithPrivate(totalWords: number, cpus: number): number {
  return privateBase(totalWords) + cpus * PRIVATE_BYTES;
}

/** The arrays of a CPU's TLB and the stack of its fault cursor. */
export interface PrivateMemory {
  /** See Tlb. */
  readonly readBase: Float64Array;
  /** See Tlb. */
  readonly writeBase: Float64Array;
  /** See Tlb. */
  readonly frameAt: Int32Array;
  /** See Tlb. */
  readonly filled: Int32Array;
  /** See TlbState. */
  readonly state: Int32Array;
  /** The tables that compiled code has locked. */
  readonly stack: Int32Array;
}

/** Private memory from byte `at` of a buffer; by default in a buffer of its own. */
export function privateMemory(
  buffer: ArrayBufferLike = new ArrayBuffer(PRIVATE_BYTES),
  at = 0,
): PrivateMemory {
  if (at + PRIVATE_BYTES > buffer.byteLength) panic('privateMemory: beyond the end', at);
  return {
    readBase: new Float64Array(buffer, at + READ_BASE, TLB_SLOTS),
    writeBase: new Float64Array(buffer, at + WRITE_BASE, TLB_SLOTS),
    frameAt: new Int32Array(buffer, at + FRAME_AT, TLB_SLOTS),
    filled: new Int32Array(buffer, at + FILLED, TLB_SLOTS),
    state: new Int32Array(buffer, at + STATE, 16),
    stack: new Int32Array(buffer, at + STACK, STACK_WORDS),
  };
}
