/** mincore(2). The checks and their order are Linux's (6.18, x86-64), as tested there. */
import { load, peek } from '../../shared/atomics.ts';
import * as E from '../../shared/abi/errno.ts';
import * as PROCESS from '../../shared/layout/process.ts';
import * as RECORD from '../../shared/layout/record.ts';
import { PAGE_SIZE, RANGE_BATCH_PAGES } from '../../shared/limits.ts';
import * as pte from '../../shared/pte.ts';
import { addressOf, pagesOf, vpnOf } from '../../shared/units.ts';
import type { ProcessBlock, Pte, SpaceBlock, VirtAddr, Vpn } from '../../shared/units.ts';
import type { Area } from '../space/shared-area-store.ts';
import { giveWay } from '../faults/give-way.ts';
import type { Cpu } from '../machine/cpu.ts';
import { openAtRoot } from '../paging/covering.ts';
import { hasData } from '../objects/pages.ts';
import { ANONYMOUS, recordAt } from '../objects/record.ts';
import { Cursor, nextAt } from '../machine/cursor.ts';
import { seek } from '../paging/table.ts';
import { areasOf } from '../space/space.ts';
import { copyToUser, isUserRange } from '../mmu/user-copy.ts';

/** Pages examined before their bytes are copied out, as in Linux. */
const CHUNK_PAGES = PAGE_SIZE;

/**
 * Writes a byte for each page of [address, address + length) to `vector`: bit 0 says whether an
 * access would find the page in memory. 0, a negative errno with the bytes before the failure
 * written, or -WAIT_PAGE, to go on at `cpu.stoppedAtVpn` and the byte for it.
 */
export function sysMincore(
  cpu: Cpu,
  proc: ProcessBlock,
  address: VirtAddr,
  length: number,
  vector: VirtAddr,
): number {
  if (![address, length, vector].every(Number.isInteger)) return -E.EINVAL;
  if (address % PAGE_SIZE !== 0) return -E.EINVAL;
  if (!isUserRange(address, length)) return -E.ENOMEM;
  const endVpn = vpnOf(address) + pagesOf(length);
  if (!isUserRange(vector, endVpn - vpnOf(address))) return -E.EFAULT;
  const space: SpaceBlock = peek(cpu.words, proc + PROCESS.SPACE);
  let target = vector;
  for (let vpn = vpnOf(address); vpn < endVpn;) {
    if (vpn - vpnOf(address) >= RANGE_BATCH_PAGES) return giveWay(cpu, vpn);
    const bytes = look(cpu, space, vpn, endVpn);
    if (bytes === null) return -E.ENOMEM;
    const copied = copyToUser(cpu, space, target, bytes);
    if (copied < 0) return copied;
    if (copied < bytes.length) return -E.EFAULT;
    target += bytes.length;
    vpn += bytes.length;
  }
  return 0;
}

/** The bytes for pages from `vpn` to the end of its area, of the range or of a chunk. */
function look(cpu: Cpu, space: SpaceBlock, vpn: Vpn, endVpn: Vpn): Uint8Array | null {
  const { protocol } = cpu.machine;
  protocol.lockAreas(cpu, space);
  const area = areasOf(cpu, space).find(addressOf(vpn));
  const stopVpn = area === null ? vpn : Math.min(endVpn, vpnOf(area.end), vpn + CHUNK_PAGES);
  const bytes = area === null ? null : new Uint8Array(stopVpn - vpn);
  if (area !== null && bytes !== null) {
    const cursor = new Cursor();
    openAtRoot(cpu, cursor, space, vpn, stopVpn);
    for (let page = vpn; page < stopVpn;) {
      // ORDER: acquires the tables passed, which the areas' lock keeps linked.
      const entry: Pte = load(cpu.words, seek(cpu, cursor, page));
      const nextVpn = Math.min(stopVpn, nextAt(page, cursor.level));
      for (; page < nextVpn; page++) {
        bytes[page - vpn] = pte.isPresent(entry) || isCached(cpu, area, page) ? 1 : 0;
      }
    }
  }
  protocol.unlockAreas(cpu, space);
  return bytes;
}

/** Whether the area's object has the page though it is not mapped here. A driver always has it. */
function isCached(cpu: Cpu, area: Area, vpn: Vpn): boolean {
  const { record, kind } = area.backend;
  if (record === ANONYMOUS) return false;
  if (kind.isSpecial) return true;
  const at = recordAt(cpu.machine, record);
  const page = vpn + peek(cpu.words, at + RECORD.DELTA);
  return hasData(cpu, peek(cpu.words, at + RECORD.OBJECT), page);
}
