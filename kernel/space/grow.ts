/**
 * Growth of an area that grows down (MAP_GROWSDOWN), on a fault below its start: expand_downwards
 * of Linux 6.18.
 */
import { poke } from '../../shared/atomics.ts';
import * as SPACE from '../../shared/layout/space.ts';
import { MMAP_MIN_ADDR, STACK_GUARD_PAGES } from '../../shared/limits.ts';
import { RLIMIT_STACK } from '../../shared/abi/mman.ts';
import { addressOf, bytesOf, vpnOf } from '../../shared/units.ts';
import type { SpaceBlock, VirtAddr, Vpn } from '../../shared/units.ts';
import { prepareAnon } from './anon-identity.ts';
import { AREA_GROWSDOWN, AREA_PROT } from '../machine/area-flags.ts';
import type { Area, AreaSet } from './shared-area-store.ts';
import type { Cpu } from '../machine/cpu.ts';
import { assertAreasHeld, assertNoLockHeld } from '../machine/held-locks.ts';
import { settleLazy } from '../paging/flush-lazy.ts';
import { closeRange } from '../paging/range-op.ts';
import { openRange } from './open-range.ts';
import { mayExpand, mayLock, softLimit } from './rlimits.ts';
import { areasOf, unmergingAreasOf } from './space.ts';

/**
 * After a fault at page `vpn`, where nothing was mapped: whether it is worth another try, because
 * the area above has grown down to it or the page was mapped meanwhile. Takes the areas' lock.
 */
export function growDown(cpu: Cpu, space: SpaceBlock, vpn: Vpn): boolean {
  assertNoLockHeld(cpu);
  const { protocol } = cpu.machine;
  protocol.lockAreas(cpu, space);
  const areas = areasOf(cpu, space);
  const area = areas.nextArea(addressOf(vpn));
  const grown = area !== null && growTo(cpu, space, areas, area, addressOf(vpn));
  protocol.unlockAreas(cpu, space);
  return grown;
}

function growTo(
  cpu: Cpu,
  space: SpaceBlock,
  areas: AreaSet,
  area: Area,
  address: VirtAddr,
): boolean {
  assertAreasHeld(cpu, space);
  if (area.start <= address) return true;
  if ((area.flags & AREA_GROWSDOWN) === 0 || address < MMAP_MIN_ADDR) return false;
  const below = areas.previousArea(area.start);
  if (below !== null && (below.flags & AREA_GROWSDOWN) === 0 && (below.flags & AREA_PROT) !== 0) {
    if (address - below.end < bytesOf(STACK_GUARD_PAGES)) return false;
  }
  const startVpn = vpnOf(address);
  const endVpn = vpnOf(area.start);
  const pages = endVpn - startVpn;
  settleLazy(cpu, space, startVpn, endVpn);
  const op = openRange(cpu, space, startVpn, endVpn);
  prepareAnon(cpu, space, endVpn);
  let grown = false;
  if (
    mayExpand(cpu, space, area.flags, pages) &&
    area.end - address <= softLimit(cpu, space, RLIMIT_STACK) &&
    mayLock(cpu, space, area.flags, pages)
  ) {
    // Linux does not merge here, although the grown area may now touch another.
    if (below !== null && below.end === address) poke(cpu.words, space + SPACE.UNMERGED, 1);
    const unmerging = unmergingAreasOf(cpu, space);
    grown = unmerging.extend(area.start, area.start - address, op, 'left').ok;
  }
  closeRange(op);
  return grown;
}
