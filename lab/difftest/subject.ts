/** A kernel under test, as the runner of sequences sees it: one process of it. */
import type { Step, StepResult } from './steps.ts';

/** Addresses in a process, in bytes. */
export interface Place {
  /** The first address that no program can have. */
  readonly taskEnd: number;
  readonly low: number;
  readonly high: number;
  readonly scratch: number;
  /** The break, 0 where a kernel has none. */
  readonly brk: number;
}

export interface Subject {
  /** Where the next sequence is to run. */
  place(): Place;
  /** /proc/self/maps as it is now. */
  maps(): string;
  /** /proc/self/status as it is now. */
  status(): string;
  /** Other windows for the next sequence, as these are sealed. False when there are no others. */
  nextPlace(): boolean;
  /** From now on, steps that read the maps read more of them. */
  seeMore(): void;
  /** Gets ready for the step 'crowd', in memory of its own. */
  prepareCrowd(): Prepared;
  /** Gets ready for the steps; the third `prepare` from here uses the same memory again. */
  prepare(steps: readonly Step[]): Prepared;
}

export interface Prepared {
  run(): void;
  /** After `run`. */
  read(): StepResult[];
}

/** FNV-1a over 32-bit words in four lanes, as a number from 0 to 2^32 - 1. */
export function hashWords(words: Int32Array, from: number, count: number): number {
  let a = 0x811c9dc5;
  let b = a ^ 1;
  let c = a ^ 2;
  let d = a ^ 3;
  for (let i = from; i < from + count; i += 4) {
    a = Math.imul(a ^ (words[i] as number), 0x01000193);
    b = Math.imul(b ^ (words[i + 1] as number), 0x01000193);
    c = Math.imul(c ^ (words[i + 2] as number), 0x01000193);
    d = Math.imul(d ^ (words[i + 3] as number), 0x01000193);
  }
  return (a ^ Math.imul(b, 3) ^ Math.imul(c, 5) ^ Math.imul(d, 7)) >>> 0;
}

/** FNV-1a over a string's characters, continuing from `seed`. */
export function hashText(text: string, seed = 0x811c9dc5): number {
  let hash = seed;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}
