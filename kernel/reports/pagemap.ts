/**
 * /proc/PID/pagemap: one 64-bit number for each page, as Linux 6.18 defines its bits:
 *
 *     63 present   62 swapped   61 a file's page or shared memory   58 guard   56 mapped once
 *     0-54 frame number; when swapped, 0-4 type of swap and 5-54 slot
 *
 * Bits 55 (soft-dirty) and 57 (write-protected by userfaultfd) are always 0. The shared zero page
 * is frame 0. Locking: as page-use.ts.
 */
import { load } from '../../shared/atomics.ts';
import * as pte from '../../shared/pte.ts';
import type { Pid, Pte, Vpn } from '../../shared/units.ts';
import type { Cpu } from '../machine/cpu.ts';
import { openAtRoot } from '../paging/covering.ts';
import { mapCount } from '../objects/map-count.ts';
import { isPageCache } from '../objects/pages.ts';
import { Cursor, nextAt, pagesAt } from '../machine/cursor.ts';
import { seek } from '../paging/table.ts';
import { spaceOfPid } from '../processes/pid-table.ts';
import { isCounted } from './page-use.ts';

// In the high word.
const PRESENT = 2 ** 31;
const SWAPPED = 2 ** 30;
const FILE = 2 ** 29;
const GUARD = 2 ** 26;
const EXCLUSIVE = 2 ** 24;
/** A guard's swap entry: type 31 (a marker), offset 4 (PTE_MARKER_GUARD). */
const GUARD_MARKER = (4 << 5) | 31;
const SWAP_TYPE_BITS = 5;

/**
 * The entries of `pages` pages from page `startVpn` (VPN): for each a low and a high word, as
 * little-endian 64-bit numbers have them. Null when there is no such process.
 */
export function readPagemap(
  cpu: Cpu,
  pid: Pid,
  startVpn: Vpn,
  pages: number,
): Uint32Array<ArrayBuffer> | null {
  const space = spaceOfPid(cpu, pid);
  if (space === 0) return null;
  const out = new Uint32Array(2 * pages);
  const cursor = new Cursor();
  const endVpn = startVpn + pages;
  openAtRoot(cpu, cursor, space, startVpn, endVpn);
  for (let vpn = startVpn; vpn < endVpn;) {
    // ORDER: acquires the tables passed; they are not freed while this CPU is in the kernel.
    const entry: Pte = load(cpu.words, seek(cpu, cursor, vpn));
    const { level } = cursor;
    const nextVpn = Math.min(endVpn, nextAt(vpn, level));
    for (; vpn < nextVpn; vpn++) {
      out[2 * (vpn - startVpn)] = lowWord(entry, vpn & (pagesAt(level) - 1));
      out[2 * (vpn - startVpn) + 1] = highWord(cpu, entry);
    }
  }
  return out;
}

/** `within`: the page's index in the superpage, if the entry is one. */
function lowWord(entry: Pte, within: number): number {
  if (pte.isPresent(entry)) return pte.frameOfPage(entry, within);
  if (pte.isSwapped(entry)) return pte.reservedSlot(entry) << SWAP_TYPE_BITS;
  return pte.isGuard(entry) ? GUARD_MARKER : 0;
}

function highWord(cpu: Cpu, entry: Pte): number {
  if (pte.isSwapped(entry)) return SWAPPED;
  if (pte.isGuard(entry)) return SWAPPED + GUARD;
  if (!pte.isPresent(entry)) return 0;
  const { machine } = cpu;
  if (!isCounted(machine, entry)) return PRESENT;
  const pfn = pte.pfnOf(entry);
  const file = isPageCache(machine, pfn) ? FILE : 0;
  return PRESENT + file + (mapCount(machine, pfn) === 1 ? EXCLUSIVE : 0);
}
