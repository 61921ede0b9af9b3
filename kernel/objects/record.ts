/**
 * Mapping records: what the reserved entries and areas of an object's mapping refer to.
 *
 * A record is {object, delta, shared}, where delta = page offset in the object − VPN. Splitting or
 * shrinking an area changes neither, so both halves share one record and no file offset can be
 * lost. Records are interned: equal mappings have equal numbers, so that areas merge exactly when
 * their numbers are equal. Number 0 is private anonymous memory, which needs no object.
 *
 * Locking: BOOT.RECORD_LOCK. A fault reads a record without it: the entry that named the record is
 * locked, its area holds a reference, and a record's fields never change while it has one.
 */
import { peek, poke } from '../../shared/atomics.ts';
import * as BOOT from '../../shared/layout/boot.ts';
import * as FRAME from '../../shared/layout/frame.ts';
import * as OBJECT from '../../shared/layout/object.ts';
import * as RECORD from '../../shared/layout/record.ts';
import { RECORDS_MAX, TABLE_ENTRIES } from '../../shared/limits.ts';
import { assert, panic } from '../../shared/panic.ts';
import type { ObjectBlock, RecordId, WordIndex } from '../../shared/units.ts';
import type { Cpu } from '../machine/cpu.ts';
import { assertHeld } from '../machine/held-locks.ts';
import { allocFrame } from '../frames/frames.ts';
import { frameWord, zeroFrame } from '../machine/machine.ts';
import type { Machine } from '../machine/machine.ts';
import { getObject, putObject } from './object.ts';
import { lock, unlock } from '../machine/spinlock.ts';

const PER_FRAME = TABLE_ENTRIES / RECORD.WORDS;

/** The record of private anonymous memory. */
export const ANONYMOUS = 0;

/** First word of record `id`. */
export function recordAt(machine: Machine, id: RecordId): WordIndex {
  assert(id > 0 && id < RECORDS_MAX, 'recordAt: no such record', id);
  const frame = peek(machine.words, machine.recordDir + Math.floor(id / PER_FRAME));
  return frameWord(machine, frame) + (id % PER_FRAME) * RECORD.WORDS;
}

/** The record for this mapping, with a reference for the caller; 0 when out of memory. */
export function internRecord(
  cpu: Cpu,
  object: ObjectBlock,
  delta: number,
  shared: boolean,
): RecordId {
  lock(cpu, BOOT.RECORD_LOCK);
  let id = findRecord(cpu, object, delta, shared);
  if (id === 0) id = newRecord(cpu, object, delta, shared);
  else addReference(cpu, id, 1);
  unlock(cpu, BOOT.RECORD_LOCK);
  return id;
}

export function getRecord(cpu: Cpu, id: RecordId): void {
  if (id === ANONYMOUS) return;
  lock(cpu, BOOT.RECORD_LOCK);
  addReference(cpu, id, 1);
  unlock(cpu, BOOT.RECORD_LOCK);
}

/** Drops a reference; the last one frees the record and its reference to the object. */
export function putRecord(cpu: Cpu, id: RecordId): void {
  if (id === ANONYMOUS) return;
  lock(cpu, BOOT.RECORD_LOCK);
  const object = addReference(cpu, id, -1) === 0 ? freeRecord(cpu, id) : 0;
  unlock(cpu, BOOT.RECORD_LOCK);
  if (object !== 0) putObject(cpu, object);
}

function addReference(cpu: Cpu, id: RecordId, amount: number): number {
  assertHeld(cpu, BOOT.RECORD_LOCK);
  const at = recordAt(cpu.machine, id) + RECORD.REFS;
  const refs = peek(cpu.words, at) + amount;
  if (refs < 0 || (refs === 1 && amount === 1)) panic('record: reference to a free one', id);
  poke(cpu.words, at, refs);
  return refs;
}

function findRecord(cpu: Cpu, object: ObjectBlock, delta: number, shared: boolean): RecordId {
  assertHeld(cpu, BOOT.RECORD_LOCK);
  const { machine, words } = cpu;
  let id = peek(words, object + OBJECT.RECORDS);
  while (id !== 0) {
    const at = recordAt(machine, id);
    if (
      peek(words, at + RECORD.DELTA) === delta &&
      peek(words, at + RECORD.SHARED) === (shared ? 1 : 0)
    ) {
      return id;
    }
    id = peek(words, at + RECORD.NEXT);
  }
  return 0;
}

function newRecord(cpu: Cpu, object: ObjectBlock, delta: number, shared: boolean): RecordId {
  assertHeld(cpu, BOOT.RECORD_LOCK);
  const { machine, words } = cpu;
  const id = takeNumber(cpu);
  if (id === 0) return 0;
  const at = recordAt(machine, id);
  const next = peek(words, object + OBJECT.RECORDS);
  poke(words, at + RECORD.REFS, 1);
  poke(words, at + RECORD.KIND, peek(words, object + OBJECT.KIND));
  poke(words, at + RECORD.OBJECT, object);
  poke(words, at + RECORD.DELTA, delta);
  poke(words, at + RECORD.SHARED, shared ? 1 : 0);
  poke(words, at + RECORD.NEXT, next);
  poke(words, at + RECORD.PREVIOUS, 0);
  if (next !== 0) poke(words, recordAt(machine, next) + RECORD.PREVIOUS, id);
  poke(words, object + OBJECT.RECORDS, id);
  poke(words, BOOT.RECORD_LIVE, peek(words, BOOT.RECORD_LIVE) + 1);
  getObject(cpu, object);
  return id;
}

/** A free record number, from the free list or from a new frame of records. */
function takeNumber(cpu: Cpu): RecordId {
  assertHeld(cpu, BOOT.RECORD_LOCK);
  const { machine, words } = cpu;
  const free = peek(words, BOOT.RECORD_FREE);
  if (free !== 0) {
    poke(words, BOOT.RECORD_FREE, peek(words, recordAt(machine, free) + RECORD.NEXT));
    return free;
  }
  // Number 0 is taken by ANONYMOUS, so the first frame starts at 1.
  const id = peek(words, BOOT.RECORD_COUNT) + 1;
  if (id >= RECORDS_MAX) return 0;
  const slot = machine.recordDir + Math.floor(id / PER_FRAME);
  if (peek(words, slot) === 0) {
    const pfn = allocFrame(cpu, FRAME.KERNEL);
    if (pfn === 0) return 0;
    zeroFrame(machine, pfn);
    poke(words, slot, pfn);
  }
  poke(words, BOOT.RECORD_COUNT, id);
  return id;
}

/** Takes the record off its object's list; the object whose reference the caller must drop. */
function freeRecord(cpu: Cpu, id: RecordId): ObjectBlock {
  assertHeld(cpu, BOOT.RECORD_LOCK);
  const { machine, words } = cpu;
  const at = recordAt(machine, id);
  const object: ObjectBlock = peek(words, at + RECORD.OBJECT);
  const next = peek(words, at + RECORD.NEXT);
  const previous = peek(words, at + RECORD.PREVIOUS);
  if (next !== 0) poke(words, recordAt(machine, next) + RECORD.PREVIOUS, previous);
  if (previous !== 0) poke(words, recordAt(machine, previous) + RECORD.NEXT, next);
  else poke(words, object + OBJECT.RECORDS, next);
  poke(words, at + RECORD.OBJECT, 0);
  poke(words, at + RECORD.NEXT, peek(words, BOOT.RECORD_FREE));
  poke(words, BOOT.RECORD_FREE, id);
  poke(words, BOOT.RECORD_LIVE, peek(words, BOOT.RECORD_LIVE) - 1);
  return object;
}
