/** Which process to kill when memory is exhausted: the one that frees most (Linux: oom_badness). */
import { load } from '../../shared/atomics.ts';
import * as SPACE from '../../shared/layout/space.ts';
import { USER_PAGES } from '../../shared/limits.ts';
import * as pte from '../../shared/pte.ts';
import type { SpaceBlock } from '../../shared/units.ts';
import type { Cpu } from '../machine/cpu.ts';
import type { Machine } from '../machine/machine.ts';
import { openAtRoot } from '../paging/covering.ts';
import { Cursor, nextAt } from '../machine/cursor.ts';
import { seek } from '../paging/table.ts';

/** Resident pages of a space, as they are at this moment. */
export function residentPages({ words }: Machine, space: SpaceBlock): number {
  // ORDER: a momentary value of a counter.
  return load(words, space + SPACE.RESIDENT);
}

/** Resident pages, swapped pages and tables of a space, as they are at this moment. Kernel mode. */
export function badness(cpu: Cpu, space: SpaceBlock): number {
  const { words } = cpu;
  // ORDER: a momentary value of a counter.
  let pages = residentPages(cpu.machine, space) + load(words, space + SPACE.TABLES);
  const cursor = new Cursor();
  openAtRoot(cpu, cursor, space, 0, USER_PAGES);
  for (let vpn = 0; vpn < USER_PAGES; vpn = nextAt(vpn, cursor.level)) {
    // ORDER: acquires the tables passed; they are not freed while this CPU is in the kernel.
    if (pte.isSwapped(load(words, seek(cpu, cursor, vpn)))) pages++;
  }
  return pages;
}
