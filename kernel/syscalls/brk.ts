/** brk(2) as the raw syscall: the checks and their order are Linux's (6.18), as tested there. */
import { peek } from '../../shared/atomics.ts';
import * as BOOT from '../../shared/layout/boot.ts';
import * as PROCESS from '../../shared/layout/process.ts';
import * as SPACE from '../../shared/layout/space.ts';
import { PAGE_SIZE, USER_SPACE_END } from '../../shared/limits.ts';
import { PROT_READ, PROT_WRITE, RLIMIT_DATA } from '../../shared/abi/mman.ts';
import { pagesOf, roundUpToPages, vpnOf } from '../../shared/units.ts';
import type { ProcessBlock, SpaceBlock, VirtAddr } from '../../shared/units.ts';
import { AREA_ACCOUNT, AREA_LOCKED } from '../machine/area-flags.ts';
import { MemoryArea } from '../areas/memory-area.ts';
import { startGap } from '../space/placement.ts';
import type { AreaSet } from '../space/shared-area-store.ts';
import { backendOf } from '../backends/registry.ts';
import type { Cpu } from '../machine/cpu.ts';
import { assertAreasHeld } from '../machine/held-locks.ts';
import { loadWide, storeWide } from '../frames/wide.ts';
import { ANONYMOUS } from '../objects/record.ts';
import { settleLazy } from '../paging/flush-lazy.ts';
import { closeRange } from '../paging/range-op.ts';
import { openRange } from '../space/open-range.ts';
import { mayExpand, mayLock, softLimit } from '../space/rlimits.ts';
import { areasOf } from '../space/space.ts';
import { unmapRange } from './munmap.ts';

/**
 * Moves the end of the heap to `address`. Returns the break as it is now: the new one or, if that
 * is refused, the old one. Never an errno.
 */
export function sysBrk(cpu: Cpu, proc: ProcessBlock, address: VirtAddr): number {
  const space: SpaceBlock = peek(cpu.words, proc + PROCESS.SPACE);
  const { machine } = cpu;
  const { protocol } = machine;
  protocol.lockAreas(cpu, space);
  const before = loadWide(machine, space + SPACE.BRK);
  const moved = isBreak(cpu, space, address) && moveBreak(cpu, space, before, address);
  if (moved) storeWide(machine, space + SPACE.BRK, address);
  protocol.unlockAreas(cpu, space);
  return moved ? address : before;
}

function isBreak(cpu: Cpu, space: SpaceBlock, address: VirtAddr): boolean {
  if (!Number.isInteger(address)) return false;
  const startAddress = loadWide(cpu.machine, space + SPACE.START_BRK);
  if (address < startAddress || address > USER_SPACE_END) return false;
  return address - startAddress <= softLimit(cpu, space, RLIMIT_DATA);
}

function moveBreak(cpu: Cpu, space: SpaceBlock, before: VirtAddr, after: VirtAddr): boolean {
  assertAreasHeld(cpu, space);
  const areas = areasOf(cpu, space);
  const startAddress = roundUpToPages(before);
  const endAddress = roundUpToPages(after);
  if (startAddress === endAddress) return true;
  if (endAddress < startAddress) {
    const first = areas.nextArea(endAddress);
    if (first === null || first.start >= startAddress) return false;
    return unmapRange(cpu, space, areas, endAddress, startAddress - endAddress) === 0;
  }
  const future = peek(cpu.words, space + SPACE.FUTURE_FLAGS);
  if (!mayLock(cpu, space, future, pagesOf(endAddress - startAddress))) return false;
  const next = areas.nextArea(startAddress);
  // One page more than the gap that Linux keeps below an area that grows down.
  if (next !== null && endAddress + PAGE_SIZE > startGap(next)) return false;
  const flags = PROT_READ | PROT_WRITE | AREA_ACCOUNT | future;
  if (!growHeap(cpu, space, areas, startAddress, endAddress, flags)) return false;
  if ((flags & AREA_LOCKED) !== 0) {
    cpu.populateStartVpn = vpnOf(startAddress);
    cpu.populateEndVpn = vpnOf(endAddress);
  }
  return true;
}

/** do_brk_flags: private anonymous memory, which merges with the heap as it is. */
function growHeap(
  cpu: Cpu,
  space: SpaceBlock,
  areas: AreaSet,
  startAddress: VirtAddr,
  endAddress: VirtAddr,
  flags: number,
): boolean {
  if (!mayExpand(cpu, space, flags, pagesOf(endAddress - startAddress))) return false;
  if (areas.len() > peek(cpu.words, BOOT.MAP_COUNT_MAX)) return false;
  const area = new MemoryArea(
    startAddress,
    endAddress - startAddress,
    flags,
    backendOf(cpu.machine, ANONYMOUS),
  );
  settleLazy(cpu, space, vpnOf(startAddress), vpnOf(endAddress));
  const op = openRange(cpu, space, vpnOf(startAddress), vpnOf(endAddress));
  const result = areas.map(area, op, false);
  closeRange(op);
  return result.ok;
}
