/** msync(2). The checks and their order are Linux's (6.18, x86-64), as tested there. */
import { peek } from '../../shared/atomics.ts';
import * as E from '../../shared/abi/errno.ts';
import * as PROCESS from '../../shared/layout/process.ts';
import * as RECORD from '../../shared/layout/record.ts';
import { PAGE_SIZE } from '../../shared/limits.ts';
import * as M from '../../shared/abi/mman.ts';
import { vpnOf } from '../../shared/units.ts';
import type { ObjectBlock, ProcessBlock, SpaceBlock, VirtAddr } from '../../shared/units.ts';
import { AREA_LOCKED, AREA_SHARED } from '../machine/area-flags.ts';
import type { Area } from '../space/shared-area-store.ts';
import type { Cpu } from '../machine/cpu.ts';
import { requestWriteBack } from '../files/write-back.ts';
import { recordAt } from '../objects/record.ts';
import { areasOf } from '../space/space.ts';
import { WRAP, pageAligned, unsignedPage } from '../space/wrapping.ts';

const KNOWN: number = M.MS_ASYNC | M.MS_INVALIDATE | M.MS_SYNC;

/**
 * Queues pages that shared mappings dirtied in [address, address + length) for write-back after the
 * syscall (MS_SYNC). 0 or a negative errno; -ENOMEM if a part is not mapped, with the rest done.
 */
export function sysMsync(
  cpu: Cpu,
  proc: ProcessBlock,
  address: VirtAddr,
  length: number,
  flags: number,
): number {
  if (![address, length, flags].every(Number.isInteger)) return -E.EINVAL;
  if ((flags & ~KNOWN) !== 0 || flags !== (flags | 0)) return -E.EINVAL;
  if (address % PAGE_SIZE !== 0) return -E.EINVAL;
  if ((flags & M.MS_ASYNC) !== 0 && (flags & M.MS_SYNC) !== 0) return -E.EINVAL;
  const startAddress = unsignedPage(address);
  const endAddress = startAddress + pageAligned(length);
  if (endAddress >= WRAP) return -E.ENOMEM;
  if (endAddress === startAddress) return 0;
  const space: SpaceBlock = peek(cpu.words, proc + PROCESS.SPACE);
  const { protocol } = cpu.machine;
  protocol.lockAreas(cpu, space);
  const outcome = syncAreas(cpu, space, startAddress, endAddress, flags);
  protocol.unlockAreas(cpu, space);
  return outcome;
}

function syncAreas(
  cpu: Cpu,
  space: SpaceBlock,
  startAddress: VirtAddr,
  endAddress: VirtAddr,
  flags: number,
): number {
  const areas = areasOf(cpu, space);
  let unmapped = 0;
  for (let at = startAddress; at < endAddress;) {
    const area = areas.nextArea(at);
    if (area === null || area.start >= endAddress) return -E.ENOMEM;
    if (area.start > at) unmapped = -E.ENOMEM;
    const isLocked = (area.flags & AREA_LOCKED) !== 0;
    if ((flags & M.MS_INVALIDATE) !== 0 && isLocked) return -E.EBUSY;
    if ((flags & M.MS_SYNC) !== 0 && (area.flags & AREA_SHARED) !== 0) {
      syncArea(cpu, area, Math.max(at, area.start), Math.min(endAddress, area.end));
    }
    at = area.end;
  }
  return unmapped;
}

function syncArea(cpu: Cpu, area: Area, startAddress: VirtAddr, endAddress: VirtAddr): void {
  const record = recordAt(cpu.machine, area.backend.record);
  const object: ObjectBlock = peek(cpu.words, record + RECORD.OBJECT);
  const delta = peek(cpu.words, record + RECORD.DELTA);
  requestWriteBack(cpu, object, vpnOf(startAddress) + delta, vpnOf(endAddress) + delta);
}
