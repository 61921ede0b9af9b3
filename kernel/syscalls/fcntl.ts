/**
 * fcntl(2) for what it says about memory and exec: seals of a file in memory, and FD_CLOEXEC.
 * Checks and their order are Linux's (6.18, mm/memfd.c), as tested there.
 */
import * as E from '../../shared/abi/errno.ts';
import * as M from '../../shared/abi/mman.ts';
import type { FileBlock, ProcessBlock } from '../../shared/units.ts';
import type { Cpu } from '../machine/cpu.ts';
import { fdCloexec, fdFile, setFdCloexec } from '../objects/fd.ts';
import { kindOf } from '../objects/kinds.ts';
import { fileObject, isWritable, putFile } from '../objects/open-file.ts';
import { addSeals, objectSeals } from '../objects/seals.ts';

const ALL_SEALS: number =
  M.F_SEAL_SEAL |
  M.F_SEAL_SHRINK |
  M.F_SEAL_GROW |
  M.F_SEAL_WRITE |
  M.F_SEAL_FUTURE_WRITE |
  M.F_SEAL_EXEC;

/** What the command asks for, 0, or a negative errno. */
export function sysFcntl(
  cpu: Cpu,
  proc: ProcessBlock,
  fd: number,
  command: number,
  argument: number,
): number {
  if (![fd, command, argument].every(Number.isInteger)) return -E.EINVAL;
  if (command === M.F_GETFD) return fdCloexec(cpu, proc, fd);
  if (command === M.F_SETFD) return setFdCloexec(cpu, proc, fd, (argument & M.FD_CLOEXEC) !== 0);
  const file = fdFile(cpu, proc, fd);
  if (file === 0) return -E.EBADF;
  const result = sealCommand(cpu, file, command, argument);
  putFile(cpu, file);
  return result;
}

function sealCommand(cpu: Cpu, file: FileBlock, command: number, seals: number): number {
  const object = fileObject(cpu, file);
  const { canSeal } = kindOf(cpu.machine, object);
  switch (command) {
    case M.F_GET_SEALS:
      return canSeal ? objectSeals(cpu, object) : -E.EINVAL;
    case M.F_ADD_SEALS:
      if (!isWritable(cpu, file)) return -E.EPERM;
      if ((seals & ~ALL_SEALS) !== 0 || !canSeal) return -E.EINVAL;
      return addSeals(cpu, object, seals);
    default:
      return -E.EINVAL;
  }
}
