/**
 * Descriptors: a process's small numbers for open file descriptions.
 *
 * Guarantees: the lowest free number is given out. A caller that got a description from `fdFile`
 * keeps it until `putFile`, even if the program closes the descriptor meanwhile.
 * Locking: PROCESS.FD_LOCK: descriptors are opened and closed on the kernel worker, and looked up
 * on the process's CPU too.
 */
import { copyWords, peek, poke } from '../../shared/atomics.ts';
import { EBADF, EMFILE, ENOMEM } from '../../shared/abi/errno.ts';
import * as PROCESS from '../../shared/layout/process.ts';
import { FDS_MAX } from '../../shared/limits.ts';
import { O_CLOEXEC, O_PATH } from '../../shared/abi/mman.ts';
import type { FileBlock, ObjectBlock, ProcessBlock, WordIndex } from '../../shared/units.ts';
import type { Cpu } from '../machine/cpu.ts';
import { assertHeld } from '../machine/held-locks.ts';
import { lock, unlock } from '../machine/spinlock.ts';
import { createFile, fileFlags, fileObject, getFile, putFile } from './open-file.ts';

/** 0 to 2 are the host's standard streams and are never given out. */
const FIRST_FD = 3;
const STDOUT = 1;
const STDERR = 2;

function fdAt(proc: ProcessBlock, fd: number): WordIndex {
  return proc + PROCESS.FDS + fd * PROCESS.FD_WORDS;
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
  let result = -EMFILE;
  lock(cpu, proc + PROCESS.FD_LOCK);
  for (let fd = FIRST_FD; fd < FDS_MAX && result < 0; fd++) {
    if (peek(cpu.words, fdAt(proc, fd)) !== 0) continue;
    poke(cpu.words, fdAt(proc, fd), file);
    setCloexec(cpu, proc, fd, cloexec);
    result = fd;
  }
  unlock(cpu, proc + PROCESS.FD_LOCK);
  return result;
}

/** 0, or -EBADF. Mappings of the object stay. */
export function closeFd(cpu: Cpu, proc: ProcessBlock, fd: number): number {
  if (!isFd(fd)) return -EBADF;
  lock(cpu, proc + PROCESS.FD_LOCK);
  const file: FileBlock = peek(cpu.words, fdAt(proc, fd));
  poke(cpu.words, fdAt(proc, fd), 0);
  unlock(cpu, proc + PROCESS.FD_LOCK);
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
  lock(cpu, proc + PROCESS.FD_LOCK);
  let file: FileBlock = peek(cpu.words, fdAt(proc, fd));
  if (file !== 0 && !orPath && (fileFlags(cpu, file) & O_PATH) !== 0) file = 0;
  if (file !== 0) getFile(cpu, file);
  unlock(cpu, proc + PROCESS.FD_LOCK);
  return file;
}

/** The object behind a descriptor that cannot be closed meanwhile; 0 for none. */
export function fdObject(cpu: Cpu, proc: ProcessBlock, fd: number): ObjectBlock {
  const file = isFd(fd) ? peek(cpu.words, fdAt(proc, fd)) : 0;
  return file === 0 ? 0 : fileObject(cpu, file);
}

/** Whether exec closes a descriptor, or -EBADF. */
export function fdCloexec(cpu: Cpu, proc: ProcessBlock, fd: number): number {
  lock(cpu, proc + PROCESS.FD_LOCK);
  let result = -EBADF;
  if (isFd(fd) && peek(cpu.words, fdAt(proc, fd)) !== 0) {
    result = (peek(cpu.words, cloexecAt(proc, fd)) >>> (fd & 31)) & 1;
  }
  unlock(cpu, proc + PROCESS.FD_LOCK);
  return result;
}

/** Says whether exec closes a descriptor. 0 or -EBADF. */
export function setFdCloexec(cpu: Cpu, proc: ProcessBlock, fd: number, cloexec: boolean): number {
  lock(cpu, proc + PROCESS.FD_LOCK);
  const isOpen = isFd(fd) && peek(cpu.words, fdAt(proc, fd)) !== 0;
  if (isOpen) setCloexec(cpu, proc, fd, cloexec);
  unlock(cpu, proc + PROCESS.FD_LOCK);
  return isOpen ? 0 : -EBADF;
}

function setCloexec(cpu: Cpu, proc: ProcessBlock, fd: number, cloexec: boolean): void {
  assertHeld(cpu, proc + PROCESS.FD_LOCK);
  const at = cloexecAt(proc, fd);
  const others = peek(cpu.words, at) & ~(1 << (fd & 31));
  poke(cpu.words, at, cloexec ? others | (1 << (fd & 31)) : others);
}

function cloexecAt(proc: ProcessBlock, fd: number): WordIndex {
  return proc + PROCESS.CLOEXEC + (fd >>> 5);
}

/** O_* flags of an open descriptor that cannot be closed meanwhile. */
export function fdFlags(cpu: Cpu, proc: ProcessBlock, fd: number): number {
  return fileFlags(cpu, peek(cpu.words, fdAt(proc, fd)));
}

/** The child's descriptors refer to the same descriptions as the parent's, as after fork. */
export function inheritFds(cpu: Cpu, parent: ProcessBlock, child: ProcessBlock): void {
  lock(cpu, parent + PROCESS.FD_LOCK);
  for (let fd = FIRST_FD; fd < FDS_MAX; fd++) {
    const file: FileBlock = peek(cpu.words, fdAt(parent, fd));
    if (file === 0) continue;
    getFile(cpu, file);
    poke(cpu.words, fdAt(child, fd), file);
  }
  copyWords(cpu.words, child + PROCESS.CLOEXEC, parent + PROCESS.CLOEXEC, FDS_MAX / 32);
  unlock(cpu, parent + PROCESS.FD_LOCK);
}

export function closeAllFds(cpu: Cpu, proc: ProcessBlock): void {
  for (let fd = FIRST_FD; fd < FDS_MAX; fd++) closeFd(cpu, proc, fd);
}
