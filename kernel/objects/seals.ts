/**
 * Seals of files in memory (fcntl F_ADD_SEALS): what may no longer be done to an object.
 *
 * F_SEAL_WRITE is refused while a shared mapping may write: the object counts those. mmap counts
 * itself under the object's lock, under which the seal is set, before it makes the area; every
 * other new area is copied or split off one that is counted. So either mmap sees the seal, or the
 * seal sees the mapping.
 *
 * Guarantees: seals are only added. Once F_SEAL_WRITE is set, nothing changes the contents.
 * Locking: OBJECT.LOCK for the seals; OBJECT.WRITERS is atomic, and leaves 0 only under the lock.
 */
import { add, load, peek, poke } from '../../shared/atomics.ts';
import { EBUSY, EPERM } from '../../shared/abi/errno.ts';
import * as OBJECT from '../../shared/layout/object.ts';
import * as RECORD from '../../shared/layout/record.ts';
import * as M from '../../shared/abi/mman.ts';
import type { ObjectBlock, RecordId } from '../../shared/units.ts';
import type { Cpu } from '../machine/cpu.ts';
import { lock, unlock } from '../machine/spinlock.ts';
import { loadWide } from '../frames/wide.ts';
import { ANONYMOUS, recordAt } from './record.ts';

/** Seals under which write(2), holes and new writable mappings are refused. */
export const WRITE_SEALS: number = M.F_SEAL_WRITE | M.F_SEAL_FUTURE_WRITE;
/** What F_SEAL_EXEC brings with it for a file that may be executed. */
const WITH_EXEC: number = WRITE_SEALS | M.F_SEAL_SHRINK | M.F_SEAL_GROW;

/** The object's seals at this moment. */
export function objectSeals(cpu: Cpu, object: ObjectBlock): number {
  lock(cpu, object + OBJECT.LOCK);
  const seals = peek(cpu.words, object + OBJECT.SEALS);
  unlock(cpu, object + OBJECT.LOCK);
  return seals;
}

/** Adds seals. 0, -EPERM when no more may be added, -EBUSY while a shared mapping may write. */
export function addSeals(cpu: Cpu, object: ObjectBlock, seals: number): number {
  const { words } = cpu;
  lock(cpu, object + OBJECT.LOCK);
  const before = peek(words, object + OBJECT.SEALS);
  const wanted = (seals & M.F_SEAL_EXEC & ~before) !== 0 ? seals | WITH_EXEC : seals;
  const wantsNoWriter = (wanted & ~before & M.F_SEAL_WRITE) !== 0;
  let outcome = 0;
  if ((before & M.F_SEAL_SEAL) !== 0) outcome = -EPERM;
  // ORDER: a mapping that goes meanwhile may count or not; one that comes needs the lock.
  else if (wantsNoWriter && load(words, object + OBJECT.WRITERS) > 0) outcome = -EBUSY;
  else poke(words, object + OBJECT.SEALS, before | wanted);
  unlock(cpu, object + OBJECT.LOCK);
  return outcome;
}

/** Counts a shared mapping that may write and is about to be made; false if a seal forbids it. */
export function beginWriter(cpu: Cpu, object: ObjectBlock): boolean {
  lock(cpu, object + OBJECT.LOCK);
  const isAllowed = (peek(cpu.words, object + OBJECT.SEALS) & WRITE_SEALS) === 0;
  // ORDER: a count; the lock orders it against the seal.
  if (isAllowed) add(cpu.words, object + OBJECT.WRITERS, 1);
  unlock(cpu, object + OBJECT.LOCK);
  return isAllowed;
}

/** The mapping has been made, and is counted as an area; or it failed. */
export function endWriter(cpu: Cpu, object: ObjectBlock): void {
  // ORDER: a count; the area was counted before.
  add(cpu.words, object + OBJECT.WRITERS, -1);
}

/**
 * Counts an area that maps with record `record`, shared, and may write; or, after the flush, one
 * that no longer does.
 */
export function countWriter(cpu: Cpu, record: RecordId, sign: number): void {
  if (record === ANONYMOUS) return;
  const object: ObjectBlock = peek(cpu.words, recordAt(cpu.machine, record) + RECORD.OBJECT);
  // ORDER: a count; when it grows, another one holds it above 0.
  add(cpu.words, object + OBJECT.WRITERS, sign);
}

/** Whether the seals forbid a size in bytes. */
export function refusesSize(cpu: Cpu, object: ObjectBlock, size: number): boolean {
  lock(cpu, object + OBJECT.LOCK);
  const seals = peek(cpu.words, object + OBJECT.SEALS);
  const before = loadWide(cpu.machine, object + OBJECT.SIZE);
  unlock(cpu, object + OBJECT.LOCK);
  if (size < before) return (seals & M.F_SEAL_SHRINK) !== 0;
  return size > before && (seals & M.F_SEAL_GROW) !== 0;
}

/** Whether the seals forbid a write that ends at byte `end`. */
export function refusesWrite(cpu: Cpu, object: ObjectBlock, end: number): boolean {
  if ((objectSeals(cpu, object) & WRITE_SEALS) !== 0) return true;
  lock(cpu, object + OBJECT.LOCK);
  const isLonger = end > loadWide(cpu.machine, object + OBJECT.SIZE);
  const seals = peek(cpu.words, object + OBJECT.SEALS);
  unlock(cpu, object + OBJECT.LOCK);
  return isLonger && (seals & M.F_SEAL_GROW) !== 0;
}
