/**
 * Integers of up to 53 bits in the machine, as two words: sizes and addresses.
 * Written by one CPU under its own protocol; the two halves are not atomic together.
 */
import { peek, poke } from '../../shared/atomics.ts';
import type { WordIndex } from '../../shared/units.ts';
import type { Machine } from '../machine/machine.ts';

const HIGH = 2 ** 32;

/** Stores an integer in [0, 2^53). */
export function storeWide(machine: Machine, at: WordIndex, value: number): void {
  poke(machine.words, at, value | 0);
  poke(machine.words, at + 1, Math.floor(value / HIGH));
}

/** The number of 53 bits in the words `at` and `at` + 1. */
export function loadWide(machine: Machine, at: WordIndex): number {
  return peek(machine.words, at + 1) * HIGH + (peek(machine.words, at) >>> 0);
}
