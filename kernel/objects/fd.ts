/**
 * Descriptors: a process's small numbers for open file descriptions.
 *
 * Guarantees: the lowest free number is given out. A caller that got a description from `fdFile`
 * keeps it until `putFile`, even if the program closes the descriptor meanwhile.
 * A table of them belongs to one process, or to several (CLONE_FILES), and goes with the last.
 * Locking: DESCRIPTORS.LOCK: descriptors are opened and closed on the kernel worker, and looked up
 * on the process's CPU too. REFS is atomic.
 */
import { add, copyWords, load, peek, poke } from '../../shared/atomics.ts';
import { EBADF, EMFILE, ENOMEM } from '../../shared/abi/errno.ts';
import * as DESCRIPTORS from '../../shared/layout/descriptors.ts';
import * as PROCESS from '../../shared/layout/process.ts';
import * as SLAB from '../../shared/layout/slabs.ts';
import { FDS_MAX } from '../../shared/limits.ts';
import { O_CLOEXEC, O_PATH } from '../../shared/abi/mman.ts';
import { panic } from '../../shared/panic.ts';
import type {
  DescriptorsBlock,
  FileBlock,
  ObjectBlock,
  ProcessBlock,
  WordIndex,
} from '../../shared/units.ts';
import type { Cpu } from '../machine/cpu.ts';
import { slabAlloc, slabFree } from '../frames/slab.ts';
import { assertHeld } from '../machine/held-locks.ts';
import { lock, unlock } from '../machine/spinlock.ts';
import { createFile, fileFlags, fileObject, getFile, putFile } from './open-file.ts';

/** 0 to 2 are the host's standard streams and are never given out. */
const FIRST_FD = 3;
const STDOUT = 1;
const STDERR = 2;

/** The table of a process that has not ended. */
function tableOf(cpu: Cpu, proc: ProcessBlock): DescriptorsBlock {
  const table = peek(cpu.words, proc + PROCESS.DESCRIPTORS);
  if (table === 0) panic('descriptors: the process has ended', proc);
  return table;
}

function fdAt(table: DescriptorsBlock, fd: number): WordIndex {
  return table + DESCRIPTORS.FDS + fd;
}

/** Gives a new process an empty table. False without memory. */
export function createDescriptors(cpu: Cpu, proc: ProcessBlock): boolean {
  const table = slabAlloc(cpu, SLAB.DESCRIPTORS);
  if (table === 0) return false;
  poke(cpu.words, table + DESCRIPTORS.REFS, 1);
  poke(cpu.words, proc + PROCESS.DESCRIPTORS, table);
  return true;
}

/** CLONE_FILES: a new process uses its parent's table, what either opens or closes from now on. */
export function shareDescriptors(cpu: Cpu, parent: ProcessBlock, child: ProcessBlock): void {
  const table = tableOf(cpu, parent);
  // ORDER: a count; the parent's reference keeps it from reaching 0.
  if (add(cpu.words, table + DESCRIPTORS.REFS, 1) <= 0) panic('shareDescriptors: free', table);
  poke(cpu.words, child + PROCESS.DESCRIPTORS, table);
}

/** Drops the process's use of its table; the last one closes all that is open. */
export function dropDescriptors(cpu: Cpu, proc: ProcessBlock): void {
  const table = peek(cpu.words, proc + PROCESS.DESCRIPTORS);
  poke(cpu.words, proc + PROCESS.DESCRIPTORS, 0);
  if (table !== 0) putTable(cpu, table);
}

function putTable(cpu: Cpu, table: DescriptorsBlock): void {
  // ORDER: the decrement to 0 comes after every other user's last use.
  const before = add(cpu.words, table + DESCRIPTORS.REFS, -1);
  if (before <= 0) panic('putTable: free', table);
  if (before > 1) return;
  for (let fd = FIRST_FD; fd < FDS_MAX; fd++) closeIn(cpu, table, fd);
  slabFree(cpu, SLAB.DESCRIPTORS, table);
}

/**
 * exec: a table of the process's own, without the descriptors that exec closes. -ENOMEM leaves all
 * as it was.
 */
export function execDescriptors(cpu: Cpu, proc: ProcessBlock): number {
  const shared = tableOf(cpu, proc);
  // ORDER: only a process that uses it could share it with another, and this one does not run.
  if (load(cpu.words, shared + DESCRIPTORS.REFS) > 1) {
    if (!createDescriptors(cpu, proc)) return -ENOMEM;
    copyTable(cpu, shared, tableOf(cpu, proc));
    putTable(cpu, shared);
  }
  const table = tableOf(cpu, proc);
  for (let fd = FIRST_FD; fd < FDS_MAX; fd++) {
    if (fdCloexec(cpu, proc, fd) === 1) closeIn(cpu, table, fd);
  }
  return 0;
}

function isFd(fd: number): boolean {
  return Number.isInteger(fd) && fd >= FIRST_FD && fd < FDS_MAX;
}

/** Whether a descriptor is one of the host's streams, which are not objects of the machine. */
export function isStreamFd(fd: number): boolean {
  return fd === STDOUT || fd === STDERR;
}

/**
 * Opens an object for a process; returns the lowest free descriptor, -EMFILE or -ENOMEM. O_CLOEXEC
 * is the descriptor's, the other flags the description's.
 */
export function openFd(cpu: Cpu, proc: ProcessBlock, object: ObjectBlock, flags: number): number {
  const file = createFile(cpu, object, flags & ~O_CLOEXEC);
  if (file === 0) return -ENOMEM;
  const fd = installFd(cpu, proc, file, (flags & O_CLOEXEC) !== 0);
  if (fd < 0) putFile(cpu, file);
  return fd;
}

/** The lowest free descriptor, which takes over the caller's reference; or -EMFILE. */
function installFd(cpu: Cpu, proc: ProcessBlock, file: FileBlock, cloexec: boolean): number {
  const table = tableOf(cpu, proc);
  let result = -EMFILE;
  lock(cpu, table + DESCRIPTORS.LOCK);
  for (let fd = FIRST_FD; fd < FDS_MAX && result < 0; fd++) {
    if (peek(cpu.words, fdAt(table, fd)) !== 0) continue;
    poke(cpu.words, fdAt(table, fd), file);
    setCloexec(cpu, table, fd, cloexec);
    result = fd;
  }
  unlock(cpu, table + DESCRIPTORS.LOCK);
  return result;
}

/** 0, or -EBADF. Mappings of the object stay. */
export function closeFd(cpu: Cpu, proc: ProcessBlock, fd: number): number {
  return isFd(fd) ? closeIn(cpu, tableOf(cpu, proc), fd) : -EBADF;
}

function closeIn(cpu: Cpu, table: DescriptorsBlock, fd: number): number {
  lock(cpu, table + DESCRIPTORS.LOCK);
  const file: FileBlock = peek(cpu.words, fdAt(table, fd));
  poke(cpu.words, fdAt(table, fd), 0);
  unlock(cpu, table + DESCRIPTORS.LOCK);
  if (file === 0) return -EBADF;
  putFile(cpu, file);
  return 0;
}

/** dup(2): the lowest free descriptor for the same description, -EBADF or -EMFILE. */
export function dupFd(cpu: Cpu, proc: ProcessBlock, fd: number): number {
  const file = fdFile(cpu, proc, fd, true);
  if (file === 0) return -EBADF;
  const copy = installFd(cpu, proc, file, false);
  if (copy < 0) putFile(cpu, file);
  return copy;
}

/**
 * The description of a descriptor, with a reference for the caller; 0 when it is not open. One that
 * was opened with O_PATH is returned only to callers that ask for it.
 */
export function fdFile(cpu: Cpu, proc: ProcessBlock, fd: number, orPath = false): FileBlock {
  if (!isFd(fd)) return 0;
  const table = tableOf(cpu, proc);
  lock(cpu, table + DESCRIPTORS.LOCK);
  let file: FileBlock = peek(cpu.words, fdAt(table, fd));
  if (file !== 0 && !orPath && (fileFlags(cpu, file) & O_PATH) !== 0) file = 0;
  if (file !== 0) getFile(cpu, file);
  unlock(cpu, table + DESCRIPTORS.LOCK);
  return file;
}

/** The object behind a descriptor that cannot be closed meanwhile; 0 for none. */
export function fdObject(cpu: Cpu, proc: ProcessBlock, fd: number): ObjectBlock {
  const file = isFd(fd) ? peek(cpu.words, fdAt(tableOf(cpu, proc), fd)) : 0;
  return file === 0 ? 0 : fileObject(cpu, file);
}

/** Whether exec closes a descriptor, or -EBADF. */
export function fdCloexec(cpu: Cpu, proc: ProcessBlock, fd: number): number {
  const table = tableOf(cpu, proc);
  lock(cpu, table + DESCRIPTORS.LOCK);
  let result = -EBADF;
  if (isFd(fd) && peek(cpu.words, fdAt(table, fd)) !== 0) {
    result = (peek(cpu.words, cloexecAt(table, fd)) >>> (fd & 31)) & 1;
  }
  unlock(cpu, table + DESCRIPTORS.LOCK);
  return result;
}

/** Says whether exec closes a descriptor. 0 or -EBADF. */
export function setFdCloexec(cpu: Cpu, proc: ProcessBlock, fd: number, cloexec: boolean): number {
  const table = tableOf(cpu, proc);
  lock(cpu, table + DESCRIPTORS.LOCK);
  const isOpen = isFd(fd) && peek(cpu.words, fdAt(table, fd)) !== 0;
  if (isOpen) setCloexec(cpu, table, fd, cloexec);
  unlock(cpu, table + DESCRIPTORS.LOCK);
  return isOpen ? 0 : -EBADF;
}

function setCloexec(cpu: Cpu, table: DescriptorsBlock, fd: number, cloexec: boolean): void {
  assertHeld(cpu, table + DESCRIPTORS.LOCK);
  const at = cloexecAt(table, fd);
  const others = peek(cpu.words, at) & ~(1 << (fd & 31));
  poke(cpu.words, at, cloexec ? others | (1 << (fd & 31)) : others);
}

function cloexecAt(table: DescriptorsBlock, fd: number): WordIndex {
  return table + DESCRIPTORS.CLOEXEC + (fd >>> 5);
}

/** O_* flags of an open descriptor that cannot be closed meanwhile. */
export function fdFlags(cpu: Cpu, proc: ProcessBlock, fd: number): number {
  return fileFlags(cpu, peek(cpu.words, fdAt(tableOf(cpu, proc), fd)));
}

/** The child's descriptors refer to the same descriptions as the parent's, as after fork. */
export function inheritFds(cpu: Cpu, parent: ProcessBlock, child: ProcessBlock): void {
  copyTable(cpu, tableOf(cpu, parent), tableOf(cpu, child));
}

/** Copies a table to a new one. */
function copyTable(cpu: Cpu, from: DescriptorsBlock, to: DescriptorsBlock): void {
  lock(cpu, from + DESCRIPTORS.LOCK);
  for (let fd = FIRST_FD; fd < FDS_MAX; fd++) {
    const file: FileBlock = peek(cpu.words, fdAt(from, fd));
    if (file === 0) continue;
    getFile(cpu, file);
    poke(cpu.words, fdAt(to, fd), file);
  }
  copyWords(cpu.words, to + DESCRIPTORS.CLOEXEC, from + DESCRIPTORS.CLOEXEC, FDS_MAX / 32);
  unlock(cpu, from + DESCRIPTORS.LOCK);
}
