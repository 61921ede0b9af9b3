/** set_tid_address(2): the word of user memory that the caller's end clears. */
import { peek } from '../../shared/atomics.ts';
import * as PROCESS from '../../shared/layout/process.ts';
import { EINVAL } from '../../shared/abi/errno.ts';
import { USER_SPACE_END } from '../../shared/limits.ts';
import type { Pid, ProcessBlock, VirtAddr } from '../../shared/units.ts';
import { storeWide } from '../frames/wide.ts';
import type { Cpu } from '../machine/cpu.ts';

/**
 * The caller's own pid. As on Linux any address is accepted, and one beyond user space is no word
 * to clear; -EINVAL for what is no integer.
 */
export function sysSetTidAddress(cpu: Cpu, proc: ProcessBlock, address: VirtAddr): Pid {
  if (!Number.isInteger(address)) return -EINVAL;
  const isUsers = address > 0 && address < USER_SPACE_END;
  storeWide(cpu.machine, proc + PROCESS.CLEAR_TID, isUsers ? address : 0);
  return peek(cpu.words, proc + PROCESS.PID);
}
