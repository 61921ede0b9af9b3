/**
 * The counting twin of shared/atomics.ts, for the counting pass only: the same functions, which
 * also note which words this thread read and wrote between `startCounting` and `stopCounting`.
 *
 * A word that two threads touched and at least one wrote is where a real machine moves a cache
 * line; how many such writes an operation makes says how it scales, whatever cores the host has.
 * (The scalable commutativity rule, Clements et al., SOSP'13, counts the same way.)
 * Bulk operations count as one write of their first word: they zero or copy frames that nobody else
 * uses yet. Failed compare-exchanges count as reads.
 */
import * as real from '../../../shared/atomics.ts';
import type { Words } from '../../../shared/atomics.ts';
import type { AccessCounts } from './meter.ts';

export type { Words } from '../../../shared/atomics.ts';
export type { AccessCounts } from './meter.ts';
export { notify, pause } from '../../../shared/atomics.ts';

export const METERED: boolean = true;

/** The buffer that is counted: the machine's, and not the words beside it. */
let counted: Words | null = null;
let isCounting = false;
let writes: Map<number, number> = new Map();
let failedExchanges = 0;
let atomics = 0;

/** Counts accesses to this machine from now on. */
export function startCounting(machine: Words): void {
  counted = machine;
  writes = new Map();
  failedExchanges = 0;
  atomics = 0;
  isCounting = true;
}

export function stopCounting(): AccessCounts | null {
  isCounting = false;
  const words = Int32Array.from(writes.keys());
  return { words, writes: Int32Array.from(writes.values()), failedExchanges, atomics };
}

function note(words: Words, at: number, written: number): void {
  if (isCounting && words === counted) writes.set(at, (writes.get(at) ?? 0) + written);
}

function noteAtomic(words: Words, at: number, written: number): void {
  note(words, at, written);
  if (isCounting && words === counted) atomics++;
}

export function peek(words: Words, at: number): number {
  note(words, at, 0);
  return real.peek(words, at);
}

export function poke(words: Words, at: number, value: number): void {
  note(words, at, 1);
  real.poke(words, at, value);
}

export function load(words: Words, at: number): number {
  noteAtomic(words, at, 0);
  return real.load(words, at);
}

export function store(words: Words, at: number, value: number): void {
  noteAtomic(words, at, 1);
  real.store(words, at, value);
}

export function exchange(words: Words, at: number, value: number): number {
  noteAtomic(words, at, 1);
  return real.exchange(words, at, value);
}

export function compareExchange(
  words: Words,
  at: number,
  expected: number,
  replacement: number,
): number {
  const seen = real.compareExchange(words, at, expected, replacement);
  noteAtomic(words, at, seen === expected ? 1 : 0);
  if (seen !== expected && isCounting && words === counted) failedExchanges++;
  return seen;
}

export function add(words: Words, at: number, amount: number): number {
  noteAtomic(words, at, 1);
  return real.add(words, at, amount);
}

export function or(words: Words, at: number, bits: number): number {
  noteAtomic(words, at, 1);
  return real.or(words, at, bits);
}

export function and(words: Words, at: number, bits: number): number {
  noteAtomic(words, at, 1);
  return real.and(words, at, bits);
}

export function wait(words: Words, at: number, expected: number, timeoutMs: number): boolean {
  noteAtomic(words, at, 0);
  return real.wait(words, at, expected, timeoutMs);
}

export function fillWords(words: Words, from: number, to: number, value: number): void {
  note(words, from, 1);
  real.fillWords(words, from, to, value);
}

export function copyWords(words: Words, to: number, from: number, count: number): void {
  note(words, to, 1);
  note(words, from, 0);
  real.copyWords(words, to, from, count);
}

export function readBytes(words: Words, at: number, target: Uint8Array): void {
  note(words, at >> 2, 0);
  real.readBytes(words, at, target);
}

export function writeBytes(words: Words, at: number, source: Uint8Array): void {
  note(words, at >> 2, 1);
  real.writeBytes(words, at, source);
}
