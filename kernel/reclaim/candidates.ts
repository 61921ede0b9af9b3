/**
 * What reclaim chooses from: the resident pages of a space, with what their entries say about their
 * use. Read without locks: everything is checked again before a page is evicted.
 */
import { load, peek } from '../../shared/atomics.ts';
import * as FRAME from '../../shared/layout/frame.ts';
import { USER_PAGES } from '../../shared/limits.ts';
import * as pte from '../../shared/pte.ts';
import type { Pfn, Pte, SpaceBlock, Vpn } from '../../shared/units.ts';
import type { Cpu } from '../machine/cpu.ts';
import { openAtRoot } from '../paging/covering.ts';
import { frameField } from '../machine/machine.ts';
import { Cursor, nextAt } from '../machine/cursor.ts';
import { seek } from '../paging/table.ts';

/** A page that could be reclaimed. */
export interface Candidate {
  /** Block of the address space. */
  readonly space: SpaceBlock;
  /** Its page number in that space. */
  readonly vpn: Vpn;
  /** Its frame, which other spaces may map too. */
  readonly pfn: Pfn;
  /** Accessed since its bit was last cleared. */
  readonly accessed: boolean;
  /** Written since it was brought in. */
  readonly dirty: boolean;
  /** BOOT.JIFFIES when its frame was taken into use: milliseconds since boot. */
  readonly loadedMs: number;
}

/**
 * Adds up to `most` resident pages of a space, from page `vpn` on, to `found`. Returns the page to
 * go on from, USER_PAGES at the end. Kernel mode.
 */
export function findCandidates(
  cpu: Cpu,
  space: SpaceBlock,
  vpn: Vpn,
  most: number,
  found: Candidate[],
): Vpn {
  const { machine, words } = cpu;
  const cursor = new Cursor();
  openAtRoot(cpu, cursor, space, vpn, USER_PAGES);
  const limit = found.length + most;
  let page = vpn;
  while (page < USER_PAGES && found.length < limit) {
    // ORDER: acquires the tables passed; they are not freed while this CPU is in the kernel.
    const entry: Pte = load(words, seek(cpu, cursor, page));
    if (cursor.level === 0 && pte.isPresent(entry) && !pte.isZeroPage(entry)) {
      const pfn = pte.pfnOf(entry);
      found.push({
        space,
        vpn: page,
        pfn,
        accessed: (entry & pte.PTE_A) !== 0,
        dirty: (entry & pte.PTE_D) !== 0,
        loadedMs: peek(words, frameField(machine, pfn, FRAME.LINK)),
      });
    }
    page = nextAt(page, cursor.level);
  }
  return page;
}
