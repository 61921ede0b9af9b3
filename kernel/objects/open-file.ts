/**
 * Open file descriptions: an object, O_* flags and a position, shared by all descriptors that came
 * from one open (by dup or inheritance), as in POSIX.
 *
 * Locking: FILE.REFS is atomic. The position belongs to the kernel worker, which alone reads,
 * writes and seeks; the rest never changes.
 */
import { add, peek, poke } from '../../shared/atomics.ts';
import * as FILE from '../../shared/layout/file.ts';
import * as SLAB from '../../shared/layout/slabs.ts';
import * as M from '../../shared/abi/mman.ts';
import { panic } from '../../shared/panic.ts';
import type { FileBlock, ObjectBlock } from '../../shared/units.ts';
import type { Cpu } from '../machine/cpu.ts';
import { slabAlloc, slabFree } from '../frames/slab.ts';
import { loadWide, storeWide } from '../frames/wide.ts';
import { getObject, putObject } from './object.ts';

/** A description with one reference, at position 0; 0 when memory is exhausted. */
export function createFile(cpu: Cpu, object: ObjectBlock, flags: number): FileBlock {
  const file = slabAlloc(cpu, SLAB.FILE);
  if (file === 0) return 0;
  getObject(cpu, object);
  poke(cpu.words, file + FILE.REFS, 1);
  poke(cpu.words, file + FILE.OBJECT, object);
  poke(cpu.words, file + FILE.FLAGS, flags);
  return file;
}

export function getFile(cpu: Cpu, file: FileBlock): void {
  // ORDER: the caller has a reference, or the lock of a descriptor that has one.
  if (add(cpu.words, file + FILE.REFS, 1) <= 0) panic('getFile: description is free', file);
}

/** Drops a reference; the last one closes the object. */
export function putFile(cpu: Cpu, file: FileBlock): void {
  // ORDER: the decrement to 0 comes after every other holder's last use.
  const before = add(cpu.words, file + FILE.REFS, -1);
  if (before <= 0) panic('putFile: description is free', file);
  if (before > 1) return;
  const object: ObjectBlock = peek(cpu.words, file + FILE.OBJECT);
  slabFree(cpu, SLAB.FILE, file);
  putObject(cpu, object);
}

/** Block of the object that a descriptor's file has open. */
export function fileObject(cpu: Cpu, file: FileBlock): ObjectBlock {
  return peek(cpu.words, file + FILE.OBJECT);
}

/** O_* flags. */
export function fileFlags(cpu: Cpu, file: FileBlock): number {
  return peek(cpu.words, file + FILE.FLAGS);
}

/** As Linux's FMODE_READ: access mode 3 allows neither reading nor writing. */
export function isReadable(cpu: Cpu, file: FileBlock): boolean {
  const mode = fileFlags(cpu, file) & M.O_ACCMODE;
  return mode === M.O_RDONLY || mode === M.O_RDWR;
}

export function isWritable(cpu: Cpu, file: FileBlock): boolean {
  const mode = fileFlags(cpu, file) & M.O_ACCMODE;
  return mode === M.O_WRONLY || mode === M.O_RDWR;
}

/** Bytes from the start of the object. */
export function filePosition(cpu: Cpu, file: FileBlock): number {
  return loadWide(cpu.machine, file + FILE.POSITION);
}

export function setFilePosition(cpu: Cpu, file: FileBlock, position: number): void {
  storeWide(cpu.machine, file + FILE.POSITION, position);
}
