/**
 * open(2) once the name is resolved, and memfd_create(2). The kernel worker keeps the names: here a
 * file is an object. Checks are Linux's (6.18).
 */
import { peek, poke } from '../../shared/atomics.ts';
import { EACCES, EINVAL, ENOMEM } from '../../shared/abi/errno.ts';
import * as OBJECT from '../../shared/layout/object.ts';
import * as M from '../../shared/abi/mman.ts';
import type { ObjectBlock, ProcessBlock } from '../../shared/units.ts';
import type { Cpu } from '../machine/cpu.ts';
import { resizeObject } from '../files/truncate.ts';
import { kindOf } from '../objects/kinds.ts';
import { openFd } from '../objects/fd.ts';
import { createObject, putObject } from '../objects/object.ts';

const MEMFD_FLAGS: number = M.MFD_CLOEXEC | M.MFD_ALLOW_SEALING | M.MFD_NOEXEC_SEAL | M.MFD_EXEC;
const EXEC_FLAGS: number = M.MFD_NOEXEC_SEAL | M.MFD_EXEC;
/** Flags that are kept; the others only affect how it is opened. */
const KEPT: number = M.O_ACCMODE | M.O_APPEND | M.O_PATH | M.O_CLOEXEC;

/**
 * Opens an object that exists. A descriptor, -EACCES for a write to what may not be written (access
 * mode 3 and O_TRUNC ask for that too), -EMFILE or -ENOMEM.
 */
export function openObject(
  cpu: Cpu,
  proc: ProcessBlock,
  object: ObjectBlock,
  flags: number,
): number {
  // As Linux: O_PATH makes the other flags meaningless.
  if ((flags & M.O_PATH) !== 0) return openFd(cpu, proc, object, flags & (M.O_PATH | M.O_CLOEXEC));
  const isForWriting = (flags & M.O_ACCMODE) !== M.O_RDONLY || (flags & M.O_TRUNC) !== 0;
  if (isForWriting && peek(cpu.words, object + OBJECT.WRITABLE) === 0) return -EACCES;
  const fd = openFd(cpu, proc, object, flags & KEPT);
  const { isRegular } = kindOf(cpu.machine, object);
  if (fd >= 0 && isRegular && (flags & M.O_TRUNC) !== 0) resizeObject(cpu, object, 0);
  return fd;
}

/** Whether flags of memfd_create(2) are known here. */
export function areMemfdFlags(flags: number): boolean {
  if (!Number.isInteger(flags) || flags !== (flags & MEMFD_FLAGS)) return false;
  return (flags & EXEC_FLAGS) !== EXEC_FLAGS;
}

/** How `memfdCreate` opens what it has made. */
export function memfdOpenFlags(flags: number): number {
  return M.O_RDWR | ((flags & M.MFD_CLOEXEC) !== 0 ? M.O_CLOEXEC : 0);
}

/** The seals of a new memfd: unless it may be sealed, that is what F_SEAL_SEAL forbids. */
export function memfdSeals(flags: number): number {
  if ((flags & M.MFD_NOEXEC_SEAL) !== 0) return M.F_SEAL_EXEC;
  return (flags & M.MFD_ALLOW_SEALING) !== 0 ? 0 : M.F_SEAL_SEAL;
}

/** A new file in memory: an object with a reference for the caller, or 0 without memory. */
export function createMemoryFile(
  cpu: Cpu,
  host: number,
  seals: number = M.F_SEAL_SEAL,
): ObjectBlock {
  const spec = { kind: OBJECT.SHARED, size: 0, host, writable: true };
  const object = createObject(cpu, spec);
  if (object !== 0) poke(cpu.words, object + OBJECT.SEALS, seals);
  return object;
}

/**
 * memfd_create(2): a descriptor of a new, empty file in memory, open for reading and writing.
 * `host` is the number by which the kernel worker knows its name.
 */
export function memfdCreate(cpu: Cpu, proc: ProcessBlock, host: number, flags: number): number {
  if (!areMemfdFlags(flags)) return -EINVAL;
  const object = createMemoryFile(cpu, host, memfdSeals(flags));
  if (object === 0) return -ENOMEM;
  const fd = openFd(cpu, proc, object, memfdOpenFlags(flags));
  putObject(cpu, object);
  return fd;
}
