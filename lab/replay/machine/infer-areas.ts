/**
 * Areas that a recording does not show: without those that execve made (faultline record has them),
 * the program's own are missing. A call that succeeded where nothing is mapped shows that they are.
 */
import * as M from '../../../shared/abi/mman.ts';
import { SYS_MMAP } from '../../../shared/abi/syscall-numbers.ts';
import { PAGE_SIZE, USER_SPACE_END } from '../../../shared/limits.ts';
import { pagesOf, roundUpToPages } from '../../../shared/units.ts';
import type { ReplayMachine } from './replay-machine.ts';
import type { ReplayProcess } from './replay-process.ts';
import { holesIn } from './replay-space.ts';

const FLAGS: number = M.MAP_PRIVATE | M.MAP_ANONYMOUS | M.MAP_FIXED_NOREPLACE;
const READ_WRITE: number = M.PROT_READ | M.PROT_WRITE;

/** Maps the holes in [start, end), as private memory. The pages. */
export function inferAreas(
  machine: ReplayMachine,
  process: ReplayProcess,
  start: number,
  end: number,
): number {
  if (process.space.hasFirstAreas || end - start > USER_SPACE_END) return 0;
  const first = start - (start % PAGE_SIZE);
  let pages = 0;
  for (const hole of holesIn(machine, process.block, first, roundUpToPages(end))) {
    const bytes = hole.end - hole.start;
    const { proc } = process;
    const at = machine.syscall(proc, SYS_MMAP, hole.start, bytes, READ_WRITE, FLAGS, -1, 0);
    if (at === hole.start) pages += pagesOf(bytes);
  }
  return pages;
}
