/** mseal(2). The checks and their order are Linux's (6.18: mm/mseal.c), as tested there. */
import { AddrRange } from '../../shared/addr/addr-range.ts';
import { peek } from '../../shared/atomics.ts';
import * as E from '../../shared/abi/errno.ts';
import * as PROCESS from '../../shared/layout/process.ts';
import { PAGE_SIZE, USER_SPACE_END } from '../../shared/limits.ts';
import { vpnOf } from '../../shared/units.ts';
import type { ProcessBlock, SpaceBlock, VirtAddr } from '../../shared/units.ts';
import { AREA_SEALED } from '../machine/area-flags.ts';
import type { Cpu } from '../machine/cpu.ts';
import { closeRange } from '../paging/range-op.ts';
import { openRange } from '../space/open-range.ts';
import { areasOf } from '../space/space.ts';
import { mappingErrno } from './mmap.ts';
import { markRange } from '../space/split.ts';
import { WRAP, pageAligned, unsignedPage } from '../space/wrapping.ts';

/**
 * Seals [address, address + length) for ever: it cannot be unmapped, moved or replaced, and its
 * permissions cannot change. 0, or a negative errno with nothing sealed.
 */
export function sysMseal(
  cpu: Cpu,
  proc: ProcessBlock,
  address: VirtAddr,
  length: number,
  flags: number,
): number {
  if (![address, length, flags].every(Number.isInteger)) return -E.EINVAL;
  if (flags !== 0 || address % PAGE_SIZE !== 0) return -E.EINVAL;
  const size = pageAligned(length);
  if (length !== 0 && size === 0) return -E.EINVAL;
  const startAddress = unsignedPage(address);
  if (startAddress + size >= WRAP) return -E.EINVAL;
  if (size === 0) return 0;
  if (startAddress + size > USER_SPACE_END) return -E.ENOMEM;
  const space: SpaceBlock = peek(cpu.words, proc + PROCESS.SPACE);
  const { protocol } = cpu.machine;
  protocol.lockAreas(cpu, space);
  const outcome = seal(cpu, space, startAddress, startAddress + size);
  protocol.unlockAreas(cpu, space);
  return outcome;
}

function seal(cpu: Cpu, space: SpaceBlock, startAddress: VirtAddr, endAddress: VirtAddr): number {
  const areas = areasOf(cpu, space);
  if (areas.firstHole(new AddrRange(startAddress, endAddress)) !== null) return -E.ENOMEM;
  const op = openRange(cpu, space, vpnOf(startAddress), vpnOf(endAddress));
  let outcome = 0;
  for (let at = startAddress; at < endAddress && outcome === 0;) {
    const area = areas.nextArea(at);
    if (area === null) break;
    const stop = Math.min(area.end, endAddress);
    const sealed = area.flags | AREA_SEALED;
    if (sealed !== area.flags) {
      const result = markRange(op, areas, at, stop, sealed);
      if (!result.ok) outcome = mappingErrno(result.error);
    }
    at = stop;
  }
  closeRange(op);
  return outcome;
}
