/**
 * The atomics façade: the only door through which kernel code reaches shared memory.
 *
 * Two kinds of access. `peek` and `poke` are plain: for words that a lock protects, that only one
 * CPU uses, or that no other CPU can reach yet. The others are sequentially consistent. The explore
 * build replaces this module with one that yields before every call, which is why kernel code never
 * names `Atomics` and never indexes the buffer itself.
 *
 * `at` is an index in 32-bit words, except in readBytes and writeBytes, where it counts bytes. Bulk
 * operations count as one step.
 */
import type { WordIndex } from './units.ts';
/** The machine's memory as words of 32 bits. */
export type Words = Int32Array<SharedArrayBuffer>;

/** Plain load of a private or lock-protected word. */
export function peek(words: Words, at: WordIndex): number {
  return words[at] as number;
}

/** Plain store of a private or lock-protected word. */
export function poke(words: Words, at: WordIndex, value: number): void {
  words[at] = value;
}

/** Ordered load of a word that other CPUs change. */
export function load(words: Words, at: WordIndex): number {
  return Atomics.load(words, at);
}

/** Ordered store of a word that other CPUs look at. */
export function store(words: Words, at: WordIndex, value: number): void {
  Atomics.store(words, at, value);
}

/** Returns the old value. */
export function exchange(words: Words, at: WordIndex, value: number): number {
  return Atomics.exchange(words, at, value);
}

/** Returns the old value; the exchange happened if and only if that equals `expected`. */
export function compareExchange(
  words: Words,
  at: WordIndex,
  expected: number,
  replacement: number,
): number {
  return Atomics.compareExchange(words, at, expected, replacement);
}

/** Returns the value before the addition. */
export function add(words: Words, at: WordIndex, amount: number): number {
  return Atomics.add(words, at, amount);
}

/** Returns the value before the bits were set. */
export function or(words: Words, at: WordIndex, bits: number): number {
  return Atomics.or(words, at, bits);
}

/** Returns the value before the other bits were cleared. */
export function and(words: Words, at: WordIndex, bits: number): number {
  return Atomics.and(words, at, bits);
}

/** Sleeps while the word holds `expected`; returns whether all of `timeoutMs` passed. */
export function wait(words: Words, at: WordIndex, expected: number, timeoutMs: number): boolean {
  return Atomics.wait(words, at, expected, timeoutMs) === 'timed-out';
}

/** Wakes up to `count` sleepers on the word. */
export function notify(words: Words, at: WordIndex, count: number): void {
  Atomics.notify(words, at, count);
}

const cpuPause = (Atomics as { pause?: () => void }).pause;

/** One iteration of a bounded spin: tells the host CPU so, where the engine can. */
export const pause: () => void = cpuPause ? () => cpuPause.call(Atomics) : () => {};

/** Fills `[from, to)` with `value`: memory in bulk is one step. */
export function fillWords(words: Words, from: WordIndex, to: WordIndex, value: number): void {
  words.fill(value, from, to);
}

/** Copies `count` words from `from` to `to`. */
export function copyWords(words: Words, to: WordIndex, from: WordIndex, count: number): void {
  words.copyWithin(to, from, from + count);
}

/** Copies bytes out of the machine, from byte `at`, until `target` is full. */
export function readBytes(words: Words, at: number, target: Uint8Array): void {
  target.set(new Uint8Array(words.buffer, at, target.length));
}

/** Copies `source`, which may lie in the machine itself, to byte `at` of the machine. */
export function writeBytes(words: Words, at: number, source: Uint8Array): void {
  new Uint8Array(words.buffer, at, source.length).set(source);
}
