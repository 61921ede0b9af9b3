/** Accesses to many words or bytes at once: plain ones. */
import type { Words } from '../../../shared/atomics.ts';
import { somethingChanged } from './heap.ts';
import { markRange } from './memory.ts';
import * as race from './race.ts';
import { changeWord, hashing, noteValue } from './state-hash.ts';
import { current, trace, watching } from './turn.ts';

export function fillWords(memory: Words, from: number, to: number, value: number, site = 0): void {
  if (watching) race.bulkWrite(current, from, to, site);
  if (trace !== null) trace('fill', from, value, site);
  if (hashing) {
    for (let at = from; at < to; at++) {
      const before = memory[at] as number;
      if (before !== value) changeWord(at, before, value);
    }
  }
  markRange(from, to);
  memory.fill(value, from, to);
}

export function copyWords(memory: Words, to: number, from: number, count: number, site = 0): void {
  if (watching) {
    race.bulkRead(current, from, site);
    race.bulkWrite(current, to, to + count, site);
  }
  if (trace !== null) trace('copy', to, from, site);
  if (hashing) {
    for (let i = 0; i < count; i++) {
      const before = memory[to + i] as number;
      const after = memory[from + i] as number;
      if (before !== after) changeWord(to + i, before, after);
    }
  }
  markRange(to, to + count);
  memory.copyWithin(to, from, from + count);
}

/**
 * Bytes of user memory and of pages of objects: like a program's accesses they race with a
 * program's by right, and must be ordered only against a frame's other lives.
 */
export function readBytes(memory: Words, at: number, target: Uint8Array, site = 0): void {
  noteBytes(memory, at, target, site);
  if (trace !== null) trace('read bytes', Math.floor(at / 4), target.length, site);
  const source = new Uint8Array(memory.buffer, at, target.length);
  if (target.buffer === memory.buffer) copyBytes(memory, target.byteOffset, source);
  else {
    target.set(source);
    if (hashing) {
      for (const byte of target) noteValue(current, byte);
      somethingChanged(0);
    }
  }
}

export function writeBytes(memory: Words, at: number, source: Uint8Array, site = 0): void {
  noteBytes(memory, at, source, site);
  if (trace !== null) trace('write bytes', Math.floor(at / 4), source.length, site);
  copyBytes(memory, at, source);
}

function noteBytes(memory: Words, at: number, other: Uint8Array, site: number): void {
  if (!watching) return;
  race.userAccess(current, Math.floor(at / 4), site);
  if (other.buffer !== memory.buffer) return;
  race.userAccess(current, Math.floor(other.byteOffset / 4), site);
}

function copyBytes(memory: Words, at: number, source: Uint8Array): void {
  const [from, to] = [Math.floor(at / 4), Math.ceil((at + source.length) / 4)];
  const before = hashing ? memory.slice(from, to) : null;
  markRange(from, to);
  new Uint8Array(memory.buffer, at, source.length).set(source);
  before?.forEach((value, i) => changeWord(from + i, value, memory[from + i] as number));
}
