/** User memory for what calls read and write by an address, which a recording does not have. */
import * as M from '../../../shared/abi/mman.ts';
import { SYS_MMAP, SYS_MUNMAP } from '../../../shared/abi/syscall-numbers.ts';
import { PAGE_SIZE, USER_SPACE_END } from '../../../shared/limits.ts';
import type { ProcessBlock } from '../../../shared/units.ts';
import type { ReplayMachine } from './replay-machine.ts';

export const SCRATCH_PAGES = 64;
const BYTES: number = SCRATCH_PAGES * PAGE_SIZE;
/** At the end of user space, and never there between two calls. */
export const SCRATCH: number = USER_SPACE_END - BYTES;
const FLAGS: number = M.MAP_PRIVATE | M.MAP_ANONYMOUS | M.MAP_FIXED_NOREPLACE;
const READ_WRITE: number = M.PROT_READ | M.PROT_WRITE;

/** Lets `work` use it. False, and nothing is done, if something else is there. */
export function withScratch(machine: ReplayMachine, proc: ProcessBlock, work: () => void): boolean {
  const at = machine.syscall(proc, SYS_MMAP, SCRATCH, BYTES, READ_WRITE, FLAGS, -1, 0);
  if (at !== SCRATCH) return false;
  work();
  machine.syscall(proc, SYS_MUNMAP, SCRATCH, BYTES);
  return true;
}
