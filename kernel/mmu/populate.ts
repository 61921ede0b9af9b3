/**
 * Faulting pages in ahead of their use: MAP_POPULATE, locked memory, MADV_POPULATE_READ and _WRITE.
 * Area by area, by the rules of mm/gup.c in Linux 6.18.
 *
 * Locking: the areas' lock to look at an area, and none while its pages fault. Other CPUs may map
 * and unmap meanwhile; populating takes the areas as it finds them.
 */
import { peek } from '../../shared/atomics.ts';
import { EFAULT, EINVAL, ENOMEM } from '../../shared/abi/errno.ts';
import * as PROCESS from '../../shared/layout/process.ts';
import { PROT_READ, PROT_WRITE } from '../../shared/abi/mman.ts';
import { addressOf, vpnOf } from '../../shared/units.ts';
import type { ProcessBlock, SpaceBlock, Vpn } from '../../shared/units.ts';
import { AREA_LOCKED, AREA_LOCKONFAULT, AREA_SHARED } from '../machine/area-flags.ts';
import type { Area } from '../space/shared-area-store.ts';
import type { Cpu } from '../machine/cpu.ts';
import { areasOf } from '../space/space.ts';
import { WAIT_PAGE } from '../machine/wait-codes.ts';
import { FAULT_ACCERR, FAULT_DONE, FAULT_NO_MEMORY, FAULT_WAIT } from '../machine/fault-codes.ts';
import { NO_OBJECT } from '../faults/swap-in.ts';
import { faultInKernel } from './access.ts';

/**
 * Faults in the pages [startVpn, endVpn) of a process as far as possible: an area that refuses a
 * page is left at that page, as on Linux. If the range begins with a locked area, only locked areas
 * are populated and others in between are skipped. Returns where it stopped: `endVpn`, or the page
 * for which the kernel worker must supply `cpu.faultPage` of `cpu.faultObject` (with a reference),
 * or a frame if that is NO_OBJECT.
 */
export function populate(cpu: Cpu, proc: ProcessBlock, startVpn: Vpn, endVpn: Vpn): Vpn {
  const space: SpaceBlock = peek(cpu.words, proc + PROCESS.SPACE);
  let vpn = startVpn;
  let wanted = -1;
  for (let area = areaFrom(cpu, space, vpn); area !== null; area = areaFrom(cpu, space, vpn)) {
    const stopVpn = Math.min(endVpn, vpnOf(area.end));
    vpn = Math.max(vpn, vpnOf(area.start));
    if (vpn >= endVpn) break;
    if (wanted < 0) wanted = area.flags & AREA_LOCKED;
    const isWanted = (area.flags & wanted) === wanted && isPopulated(area);
    let outcome = isWanted ? FAULT_DONE : FAULT_ACCERR;
    for (; outcome === FAULT_DONE && vpn < stopVpn; vpn++) {
      outcome = faultInKernel(cpu, space, vpn, isWritten(area));
    }
    if (outcome === FAULT_NO_MEMORY) cpu.faultObject = NO_OBJECT;
    if (outcome === FAULT_WAIT || outcome === FAULT_NO_MEMORY) return vpn - 1;
    vpn = stopVpn;
  }
  return endVpn;
}

/**
 * The same for mlock, which reports the first failure. 0, -EFAULT if a page is refused, -ENOMEM
 * without memory, or -WAIT_PAGE. Holes are not failures here.
 */
export function populateLocked(cpu: Cpu, space: SpaceBlock, startVpn: Vpn, endVpn: Vpn): number {
  let vpn = startVpn;
  for (let area = areaFrom(cpu, space, vpn); area !== null; area = areaFrom(cpu, space, vpn)) {
    const stopVpn = Math.min(endVpn, vpnOf(area.end));
    vpn = Math.max(vpn, vpnOf(area.start));
    if (vpn >= endVpn) break;
    for (; isPopulated(area) && vpn < stopVpn; vpn++) {
      const outcome = faultInKernel(cpu, space, vpn, isWritten(area));
      if (outcome !== FAULT_DONE) return errnoOf(outcome);
    }
    vpn = stopVpn;
  }
  return 0;
}

/**
 * MADV_POPULATE_READ and _WRITE. 0; -ENOMEM at a hole or without memory, -EINVAL where the area
 * does not allow the access, -EFAULT where a page has a guard or lies beyond the end of its object,
 * or -WAIT_PAGE. Pages before the failure stay until they are reclaimed; `cpu.stoppedAtVpn` is the
 * first page that was not populated.
 */
export function populateAccess(
  cpu: Cpu,
  space: SpaceBlock,
  startVpn: Vpn,
  endVpn: Vpn,
  write: boolean,
): number {
  let vpn = startVpn;
  while (vpn < endVpn) {
    const area = areaFrom(cpu, space, vpn);
    if (area === null || vpnOf(area.start) > vpn) return -ENOMEM;
    // Unlike a program's read, this needs PROT_READ itself.
    if (area.backend.isSpecial || (area.flags & (write ? PROT_WRITE : PROT_READ)) === 0)
      return -EINVAL;
    const stopVpn = Math.min(endVpn, vpnOf(area.end));
    for (; vpn < stopVpn; vpn++) {
      const outcome = faultInKernel(cpu, space, vpn, write);
      if (outcome === FAULT_DONE) continue;
      cpu.stoppedAtVpn = vpn;
      return errnoOf(outcome);
    }
  }
  return 0;
}

/** A copy of the first area that ends after page `vpn`, or null. */
function areaFrom(cpu: Cpu, space: SpaceBlock, vpn: Vpn): Area | null {
  const { protocol } = cpu.machine;
  protocol.lockAreas(cpu, space);
  const area = areasOf(cpu, space).nextArea(addressOf(vpn));
  protocol.unlockAreas(cpu, space);
  return area;
}

/** Linux skips areas of devices, and areas locked with MLOCK_ONFAULT. */
function isPopulated(area: Area): boolean {
  return !area.backend.isSpecial && (area.flags & AREA_LOCKONFAULT) === 0;
}

/** Private writable pages are copied at once; shared ones would become dirty for nothing. */
function isWritten(area: Area): boolean {
  return (area.flags & (AREA_SHARED | PROT_WRITE)) === PROT_WRITE;
}

function errnoOf(outcome: number): number {
  if (outcome === FAULT_WAIT) return -WAIT_PAGE;
  return outcome === FAULT_NO_MEMORY ? -ENOMEM : -EFAULT;
}
