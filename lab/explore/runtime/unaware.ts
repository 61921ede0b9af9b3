/**
 * Who does not know yet of the last write to a word that programs poll by a weak load: they may
 * read the old value. The race detector's clocks say so too, but they differ from path to path;
 * this is the part of them on which the future depends.
 *
 * A CPU knows of its own write, and of one whose knowledge it acquires: from a word whose last
 * release was by a CPU that knew.
 */
import type { Task } from './task.ts';

const POLLED_MAX = 8;

/** Places of the polled words, learned over all executions. */
const polled = new Int32Array(POLLED_MAX);
let polledCount = 0;
/** CPUs of the machine, as a bit set. */
let everybody = 0;
/** By polled word, the CPUs that do not know of its last write, as a bit set. */
export const unaware: Uint8Array = new Uint8Array(POLLED_MAX);
/** Polled words of which somebody does not know the last write, as a bit set. */
export let active = 0;
/** By word, of which active polled words its last release knew. */
let carried = new Uint8Array(0);
/** The words with a bit in `carried`, and perhaps some without. */
let carriers: number[] = [];
/** By polled word, the sum of a mix of the words that carry it. */
export const carriersSum: Int32Array = new Int32Array(POLLED_MAX);

/** For another machine. */
export function watchPolls(words: number): void {
  polledCount = 0;
  carried = new Uint8Array(words);
  carriers = [];
  active = 0;
}

/** At the start of an execution everybody knows of everything. */
export function startAware(cpus: number): void {
  everybody = (1 << cpus) - 1;
  if (active !== 0) forget(active);
}

/** Notes a poll. True when the word is a new one: what was unknown of it was not noted. */
export function notePoll(at: number): boolean {
  for (let i = 0; i < polledCount; i++) if (polled[i] === at) return false;
  if (polledCount === POLLED_MAX) throw new Error(`more than ${POLLED_MAX} words are polled`);
  polled[polledCount] = at;
  polledCount++;
  return true;
}

/** The words of which it is known that programs poll them. */
export function polledWords(): number[] {
  return [...polled.subarray(0, polledCount)];
}

/** Drops what is known of these polled words, a bit set: everybody knows. */
function forget(which: number): void {
  active &= ~which;
  for (let i = 0; i < polledCount; i++) {
    if ((which & (1 << i)) === 0) continue;
    unaware[i] = 0;
    carriersSum[i] = 0;
  }
  for (const at of carriers) carried[at] = (carried[at] as number) & ~which;
  if (active === 0) carriers.length = 0;
}

function learn(id: number, which: number): void {
  for (let i = 0; i < polledCount; i++) {
    if ((which & (1 << i)) === 0) continue;
    unaware[i] = (unaware[i] as number) & ~(1 << id);
    if (unaware[i] === 0) forget(1 << i);
  }
}

/** An ordered read of a word. */
export function noteAcquire({ id }: Task, at: number): void {
  const known = (carried[at] as number) & active;
  if (known !== 0) learn(id, known);
}

/** An ordered write; `reads`: one that acquires first. */
export function noteRelease(task: Task, at: number, reads: boolean): void {
  if (reads && active !== 0) noteAcquire(task, at);
  const { id } = task;
  for (let i = 0; i < polledCount; i++) {
    if (polled[i] === at) {
      forget(1 << i);
      unaware[i] = everybody & ~(1 << id);
      if (unaware[i] !== 0) active |= 1 << i;
    }
  }
  if (active === 0) return;
  const before = carried[at] as number;
  let now = 0;
  for (let i = 0; i < polledCount; i++) {
    const isKnown = ((unaware[i] as number) & (1 << id)) === 0;
    if ((active & (1 << i)) !== 0 && isKnown) now |= 1 << i;
  }
  if (now === before) return;
  carried[at] = now;
  if (before === 0) carriers.push(at);
  for (let i = 0; i < polledCount; i++) {
    const sign = ((now >> i) & 1) - ((before >> i) & 1);
    const mixed = Math.imul(at ^ 0x5bd1e995, 0x9e3779b1);
    carriersSum[i] = (carriersSum[i] as number) + sign * (mixed ^ (mixed >>> 15));
  }
}

/** All that `other` knows, `task` knows from now on. */
export function noteJoin(task: Task, other: Task): void {
  for (let i = 0; i < polledCount; i++) {
    if ((active & (1 << i)) === 0) continue;
    if (((unaware[i] as number) & (1 << other.id)) === 0) learn(task.id, 1 << i);
  }
}
