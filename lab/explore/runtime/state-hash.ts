/**
 * What tells two states of an execution apart, as hashes of 64 bits that are kept up to date while
 * it runs: one of the machine's words, and for each CPU one of all values that it has read.
 *
 * A CPU's code is deterministic, so what it has read says where it is and what its variables hold.
 * Words that are only counted up, on which nothing depends, are left out of both.
 */
import type { Task } from './task.ts';

/** Whether the present search wants to know. */
export let hashing = false;
/** 1 for words that do not belong to the state. */
let ignored = new Uint8Array(0);
/** Sum over the words of a mix of place and value, two halves. */
export let memoryLow = 0;
export let memoryHigh = 0;

/** For another machine. */
export function watchState(isIgnored: Uint8Array<ArrayBuffer>): void {
  ignored = isIgnored;
}

export function setHashing(on: boolean): void {
  hashing = on;
}

/** At the start of an execution. */
export function startState(tasks: readonly Task[]): void {
  memoryLow = 0;
  memoryHigh = 0;
  for (const task of tasks) {
    task.low = task.id;
    task.high = ~task.id;
    task.heapLow = 0;
    task.heapHigh = 0;
    task.depth = 0;
  }
}

/** A word changes from `before` to `value`. */
export function changeWord(at: number, before: number, value: number): void {
  if (before === value || ignored[at] === 1) return;
  memoryLow = (memoryLow + lowOf(at, value) - lowOf(at, before)) | 0;
  memoryHigh = (memoryHigh + highOf(at, value) - highOf(at, before)) | 0;
}

export function lowOf(at: number, value: number): number {
  let mixed = Math.imul(value ^ Math.imul(at, 0x9e3779b1), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}

export function highOf(at: number, value: number): number {
  let mixed = Math.imul((value + Math.imul(at, 0x27d4eb2f)) | 0, 0x165667b1);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0x2545f491);
  return mixed ^ (mixed >>> 15);
}

/** A CPU has read `value` from a word. */
export function noteRead(task: Task, at: number, value: number): void {
  if (ignored[at] === 0) noteValue(task, value);
}

/** Something about a CPU that its code may depend on, or that says how far it has come. */
export function noteValue(task: Task, value: number): void {
  const low = Math.imul(task.low ^ Math.imul(value, 0xcc9e2d51), 0x1b873593);
  task.low = (((low << 13) | (low >>> 19)) + 0x38495ab5) | 0;
  const high = Math.imul((task.high + Math.imul(value, 0x7feb352d)) | 0, 0x846ca68b);
  task.high = (((high << 17) | (high >>> 15)) ^ 0x561ccd1b) | 0;
}
