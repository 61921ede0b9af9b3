/**
 * Faults injected on purpose: the n-th operation of a kind fails, or a share of all, chosen by the
 * machine's seed. To its caller, an injected failure looks like a real one.
 *
 * Counters are shared by all CPUs, so that with one CPU a run repeats exactly; with several, as far
 * as the order of operations repeats. A machine without injection pays one check of a flag.
 */
import { add, peek, poke } from '../../shared/atomics.ts';
import * as BOOT from '../../shared/layout/boot.ts';
import * as INJECT from '../../shared/layout/inject.ts';
import { assert } from '../../shared/panic.ts';
import type { WordIndex } from '../../shared/units.ts';
import type { Cpu } from './cpu.ts';

/** What can be made to fail, in the order of their counters. */
export const INJECT_KINDS = ['frame', 'table', 'backend', 'read', 'swap', 'worker'] as const;
/** The kinds of operations that can be made to fail. */
export type InjectKind = (typeof INJECT_KINDS)[number];

assert(INJECT_KINDS.length <= BOOT.INJECT_KINDS_MAX, 'inject: more kinds than words');

/** The place of a kind in the list above, as a type: another number does not compile. */
export type PlaceOf<Kind extends InjectKind, Kinds = typeof INJECT_KINDS> = {
  readonly [Place in keyof Kinds]: Kinds[Place] extends Kind ? NumberIn<Place> : never;
}[keyof Kinds & `${number}`];
/** The number that a text spells, as a type. */
export type NumberIn<Text> = Text extends `${infer Value extends number}` ? Value : never;

export const INJECT_FRAME: PlaceOf<'frame'> = 0;
export const INJECT_TABLE: PlaceOf<'table'> = 1;
/** Calls of backend modules. */
export const INJECT_BACKEND: PlaceOf<'backend'> = 2;
/** Reads of files. */
export const INJECT_READ: PlaceOf<'read'> = 3;
/** Writes to the swap store. */
export const INJECT_SWAP: PlaceOf<'swap'> = 4;
/** Workers, looked at every 10 ms. */
export const INJECT_WORKER: PlaceOf<'worker'> = 5;

/** Which operations of a kind fail. */
export interface Injection {
  /** The kind of operation. */
  readonly kind: InjectKind;
  /** The one operation that fails, from 1; 0 for none. */
  readonly nth: number;
  /** Share of the operations that fail, 0 to 1. */
  readonly share: number;
}

const HASH_RANGE = 2 ** 30;

/** Values of BOOT.INJECTING beside 0, a machine without injections. */
const ACTIVE = 1;
const HELD = 2;

function wordsOf(kind: number): WordIndex {
  return BOOT.INJECT_KINDS + kind * INJECT.WORDS;
}

/** Writes the boot words; by the formatter. */
export function formatInjections(
  words: Int32Array<SharedArrayBuffer>,
  injections: readonly Injection[],
  seed: number,
): void {
  for (const { kind, nth, share } of injections) {
    const at = wordsOf(INJECT_KINDS.indexOf(kind));
    poke(words, at + INJECT.NTH, nth);
    poke(words, at + INJECT.SHARE, Math.round(share * HASH_RANGE));
    poke(words, at + INJECT.SEED, seed | 0);
  }
  poke(words, BOOT.INJECTING, injections.length > 0 ? ACTIVE : 0);
}

/**
 * Holds injections back while the machine itself is brought up, and lets them begin: they are for
 * what programs do. A held operation is not counted.
 */
export function holdInjections({ machine, words }: Cpu, isHeld: boolean): void {
  if (machine.injecting) poke(words, BOOT.INJECTING, isHeld ? HELD : ACTIVE);
}

/** `7` is the seventh operation, `2%` a share of all; null for anything else. */
export function parseInjection(kind: InjectKind, text: string): Injection | null {
  const [, percent] = /^(\d+(?:\.\d+)?)%$/.exec(text) ?? [];
  const share = percent === undefined ? 0 : Number(percent) / 100;
  if (share > 0 && share <= 1) return { kind, nth: 0, share };
  const nth = /^\d+$/.test(text) ? Number(text) : 0;
  return nth >= 1 && nth < 2 ** 31 ? { kind, nth, share: 0 } : null;
}

/** Whether this operation, one of `kind`, is to fail. */
export function injected(cpu: Cpu, kind: number): boolean {
  return cpu.machine.injecting && drawn(cpu, kind);
}

function drawn(cpu: Cpu, kind: number): boolean {
  const { words } = cpu;
  if (peek(words, BOOT.INJECTING) === HELD) return false;
  const at = wordsOf(kind);
  const nth = peek(words, at + INJECT.NTH);
  const share = peek(words, at + INJECT.SHARE);
  if (nth === 0 && share === 0) return false;
  // ORDER: a counter; each operation gets a number of its own.
  const number = add(words, at + INJECT.COUNT, 1) + 1;
  const fails = number === nth || scramble(number ^ peek(words, at + INJECT.SEED)) < share;
  // ORDER: a counter.
  if (fails) add(words, at + INJECT.FAILED, 1);
  return fails;
}

/** A number from 0 to HASH_RANGE - 1 that looks random. */
function scramble(value: number): number {
  let bits = Math.imul(value ^ (value >>> 16), 0x45d9f3b);
  bits = Math.imul(bits ^ (bits >>> 16), 0x45d9f3b);
  return (bits ^ (bits >>> 16)) & (HASH_RANGE - 1);
}

/** Operations seen and failed, for each kind that was asked for. */
export function injectionCounts(cpu: Cpu): Record<string, { seen: number; failed: number }> {
  const counts: Record<string, { seen: number; failed: number }> = {};
  for (const [index, kind] of INJECT_KINDS.entries()) {
    const at = wordsOf(index);
    const seen = peek(cpu.words, at + INJECT.COUNT);
    if (seen > 0) counts[kind] = { seen, failed: peek(cpu.words, at + INJECT.FAILED) };
  }
  return counts;
}
