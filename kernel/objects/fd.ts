/**
 * Descriptors: a process's small numbers for memory objects. Owned by the process: its CPU and the
 * kernel worker on its behalf, never both at once.
 */
import { peek, poke } from '../../shared/atomics.ts';
import { EBADF, EMFILE } from '../../shared/errno.ts';
import * as L from '../../shared/layout.ts';
import { FDS_MAX } from '../../shared/limits.ts';
import type { Cpu } from '../cpu/cpu.ts';
import { getObject, putObject } from './object.ts';

/** 0 to 2 are the host's standard streams and are never given out. */
const FIRST_FD = 3;

function fdAt(proc: number, fd: number): number {
  return proc + L.P_FDS + fd * L.FD_WORDS;
}

function isFd(fd: number): boolean {
  return Number.isInteger(fd) && fd >= FIRST_FD && fd < FDS_MAX;
}

/** Opens an object for a process with O_* flags. The lowest free descriptor, or -EMFILE. */
export function openFd(cpu: Cpu, proc: number, object: number, flags: number): number {
  for (let fd = FIRST_FD; fd < FDS_MAX; fd++) {
    if (peek(cpu.words, fdAt(proc, fd)) !== 0) continue;
    getObject(cpu, object);
    poke(cpu.words, fdAt(proc, fd), object);
    poke(cpu.words, fdAt(proc, fd) + 1, flags);
    return fd;
  }
  return -EMFILE;
}

/** 0, or -EBADF. Mappings of the object stay. */
export function closeFd(cpu: Cpu, proc: number, fd: number): number {
  const object = fdObject(cpu, proc, fd);
  if (object === 0) return -EBADF;
  poke(cpu.words, fdAt(proc, fd), 0);
  putObject(cpu, object);
  return 0;
}

/** The object behind a descriptor; 0 when it is not open. */
export function fdObject(cpu: Cpu, proc: number, fd: number): number {
  return isFd(fd) ? peek(cpu.words, fdAt(proc, fd)) : 0;
}

/** O_* flags of an open descriptor. */
export function fdFlags(cpu: Cpu, proc: number, fd: number): number {
  return peek(cpu.words, fdAt(proc, fd) + 1);
}

/** The child's descriptors refer to the same objects as the parent's, as after fork. */
export function inheritFds(cpu: Cpu, parent: number, child: number): void {
  for (let fd = FIRST_FD; fd < FDS_MAX; fd++) {
    const object = peek(cpu.words, fdAt(parent, fd));
    if (object === 0) continue;
    getObject(cpu, object);
    poke(cpu.words, fdAt(child, fd), object);
    poke(cpu.words, fdAt(child, fd) + 1, fdFlags(cpu, parent, fd));
  }
}

export function closeAllFds(cpu: Cpu, proc: number): void {
  for (let fd = FIRST_FD; fd < FDS_MAX; fd++) closeFd(cpu, proc, fd);
}
