/**
 * The names that PR_SET_VMA_ANON_NAME gives to anonymous memory. Interned: equal names have equal
 * numbers, and an area keeps its name's number among its flags, so areas merge only if their names
 * are equal, as in Linux (anon_vma_name_eq).
 *
 * Guarantees: a number stands for one name as long as somebody has a reference to it.
 * Locking: BOOT.NAME_LOCK; the slab's lock nests inside it. A name's bytes never change while it
 * has a reference.
 * Not guaranteed: room for more than AREA_NAMES_MAX names at a time.
 */
import { peek, poke } from '../../shared/atomics.ts';
import * as AREA_NAME from '../../shared/layout/area-name.ts';
import * as BOOT from '../../shared/layout/boot.ts';
import * as SLAB from '../../shared/layout/slabs.ts';
import { AREA_NAMES_MAX, AREA_NAME_BYTES_MAX } from '../../shared/limits.ts';
import { panic } from '../../shared/panic.ts';
import type { WordIndex } from '../../shared/units.ts';
import type { Cpu } from '../machine/cpu.ts';
import { assertHeld } from '../machine/held-locks.ts';
import type { Machine } from '../machine/machine.ts';
import { lock, unlock } from '../machine/spinlock.ts';
import { slabAlloc, slabFree } from '../frames/slab.ts';

const NAME_WORDS: number = AREA_NAME_BYTES_MAX / 4;

/**
 * The number of a name, 1 to AREA_NAMES_MAX, with a reference for the caller; 0 when memory or
 * numbers are exhausted. `text`: AREA_NAME_BYTES_MAX bytes, zero from the name's end on.
 */
export function internName(cpu: Cpu, text: Uint8Array): number {
  const { machine, words } = cpu;
  lock(cpu, BOOT.NAME_LOCK);
  let free = 0;
  let found = 0;
  for (let id = AREA_NAMES_MAX; id > 0 && found === 0; id--) {
    const name = blockOf(machine, id);
    if (name === 0) free = id;
    else if (hasText(cpu, name, text)) found = id;
  }
  if (found !== 0) addReference(cpu, found, 1);
  else if (free !== 0) {
    const name = newName(cpu, text);
    poke(words, machine.areaNames + free, name);
    if (name !== 0) found = free;
  }
  unlock(cpu, BOOT.NAME_LOCK);
  return found;
}

/** One more area has the name. */
export function getName(cpu: Cpu, id: number): void {
  if (!isCountedName(id)) return;
  lock(cpu, BOOT.NAME_LOCK);
  addReference(cpu, id, 1);
  unlock(cpu, BOOT.NAME_LOCK);
}

/** Drops a reference; the last one frees the name and its number. */
export function putName(cpu: Cpu, id: number): void {
  if (!isCountedName(id)) return;
  const { machine, words } = cpu;
  lock(cpu, BOOT.NAME_LOCK);
  if (addReference(cpu, id, -1) === 0) {
    slabFree(cpu, SLAB.AREA_NAME, blockOf(machine, id));
    poke(words, machine.areaNames + id, 0);
  }
  unlock(cpu, BOOT.NAME_LOCK);
}

/** Whether it is the number of such a name: not 0, and no special mapping's (area-flags.ts). */
export function isCountedName(id: number): boolean {
  return id > 0 && id <= AREA_NAMES_MAX;
}

/** The name with this number, for a caller whose area has it. Linux allows printable ASCII. */
export function nameText(machine: Machine, id: number): string {
  const bytes = blockOf(machine, id) + AREA_NAME.BYTES;
  let text = '';
  for (let i = 0; i < AREA_NAME_BYTES_MAX; i++) {
    const code = (peek(machine.words, bytes + (i >> 2)) >> (8 * (i & 3))) & 0xff;
    if (code === 0) break;
    text += String.fromCharCode(code);
  }
  return text;
}

/** References to the name, 0 for a free number. */
export function nameReferences(machine: Machine, id: number): number {
  const name = blockOf(machine, id);
  return name === 0 ? 0 : peek(machine.words, name + AREA_NAME.REFS);
}

function blockOf(machine: Machine, id: number): WordIndex {
  return peek(machine.words, machine.areaNames + id);
}

function addReference(cpu: Cpu, id: number, amount: number): number {
  assertHeld(cpu, BOOT.NAME_LOCK);
  const name = blockOf(cpu.machine, id);
  const refs = peek(cpu.words, name + AREA_NAME.REFS) + amount;
  if (name === 0 || refs < 0) panic('area name: reference to a free one', id);
  poke(cpu.words, name + AREA_NAME.REFS, refs);
  return refs;
}

/** A block with one reference, or 0. */
function newName(cpu: Cpu, text: Uint8Array): WordIndex {
  assertHeld(cpu, BOOT.NAME_LOCK);
  const name = slabAlloc(cpu, SLAB.AREA_NAME);
  if (name === 0) return 0;
  poke(cpu.words, name + AREA_NAME.REFS, 1);
  for (let i = 0; i < NAME_WORDS; i++) {
    poke(cpu.words, name + AREA_NAME.BYTES + i, wordOf(text, i));
  }
  return name;
}

function hasText(cpu: Cpu, name: WordIndex, text: Uint8Array): boolean {
  for (let i = 0; i < NAME_WORDS; i++) {
    if (peek(cpu.words, name + AREA_NAME.BYTES + i) !== wordOf(text, i)) return false;
  }
  return true;
}

function wordOf(text: Uint8Array, word: number): number {
  let value = 0;
  for (let i = 0; i < 4; i++) value |= (text[word * 4 + i] as number) << (8 * i);
  return value;
}
