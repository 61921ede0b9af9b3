/**
 * Faulting pages in ahead of their use: MAP_POPULATE, locked memory, MADV_POPULATE_READ and _WRITE.
 * Area by area, by the rules of mm/gup.c in Linux 6.18.
 *
 * Locking: the areas' lock to look at an area, and none while its pages fault. Other CPUs may map
 * and unmap meanwhile; populating takes the areas as it finds them. After USER_BATCH pages it gives
 * way (give-way.ts).
 */
import { peek } from '../../shared/atomics.ts';
import { EFAULT, EINTR, EINVAL, ENOMEM } from '../../shared/abi/errno.ts';
import * as PROCESS from '../../shared/layout/process.ts';
import { PROT_READ, PROT_WRITE } from '../../shared/abi/mman.ts';
import { SPAN_PAGES } from '../../shared/limits.ts';
import { addressOf, vpnOf } from '../../shared/units.ts';
import type { ProcessBlock, SpaceBlock, Vpn } from '../../shared/units.ts';
import { AREA_LOCKED, AREA_LOCKONFAULT, AREA_SHARED } from '../machine/area-flags.ts';
import type { Area } from '../space/shared-area-store.ts';
import type { Cpu } from '../machine/cpu.ts';
import { areasOf } from '../space/space.ts';
import { WAIT_PAGE } from '../machine/wait-codes.ts';
import { FAULT_DONE, FAULT_NO_MEMORY, FAULT_WAIT } from '../machine/fault-codes.ts';
import { beginBatch, giveWay } from '../faults/give-way.ts';
import { NO_OBJECT } from '../faults/swap-in.ts';
import { enterZeroSpan } from '../faults/zero-span.ts';
import { faultInKernel } from './miss.ts';
import { pendingSignal } from './poll.ts';

/** Outcome of a batch that is used up, beside FAULT_*. */
const NEXT_BATCH = -1;
/** No page. */
const NEVER = -1;

/**
 * Faults in the pages [startVpn, endVpn) of a process as far as possible: an area that refuses a
 * page is left at that page, as on Linux. If the range begins with a locked area, only locked areas
 * are populated and others in between are skipped. Returns where it stopped: `endVpn`, also if the
 * process is to end; or the page for which the kernel worker must supply `cpu.faultPage` of
 * `cpu.faultObject` (with a reference), or a frame if that is NO_OBJECT; or, if it is ITS_TURN, the
 * page at which the next batch begins.
 */
export function populate(cpu: Cpu, proc: ProcessBlock, startVpn: Vpn, endVpn: Vpn): Vpn {
  const space: SpaceBlock = peek(cpu.words, proc + PROCESS.SPACE);
  if (pendingSignal(cpu, proc) !== 0) return endVpn;
  beginBatch(cpu);
  let vpn = startVpn;
  let wanted = -1;
  for (let area = areaFrom(cpu, space, vpn); area !== null; area = areaFrom(cpu, space, vpn)) {
    const stopVpn = Math.min(endVpn, vpnOf(area.end));
    vpn = Math.max(vpn, vpnOf(area.start));
    if (vpn >= endVpn) break;
    if (wanted < 0) wanted = area.flags & AREA_LOCKED;
    const isWanted = (area.flags & wanted) === wanted && isPopulated(area);
    const write = isWritten(area);
    const outcome = isWanted ? faultIn(cpu, space, vpn, stopVpn, write) : passOver(cpu, vpn);
    if (outcome === FAULT_NO_MEMORY) cpu.faultObject = NO_OBJECT;
    if (outcome === NEXT_BATCH) giveWay(cpu, cpu.stoppedAtVpn);
    if (outcome === FAULT_WAIT || outcome === FAULT_NO_MEMORY || outcome === NEXT_BATCH) {
      return cpu.stoppedAtVpn;
    }
    vpn = stopVpn;
  }
  return endVpn;
}

/**
 * The same for mlock, which reports the first failure. 0, -EFAULT if a page is refused, -ENOMEM
 * without memory, -EINTR if the process is to end, or -WAIT_PAGE to go on at `cpu.stoppedAtVpn`.
 * Holes are not failures here.
 */
export function populateLocked(cpu: Cpu, proc: ProcessBlock, startVpn: Vpn, endVpn: Vpn): number {
  const space: SpaceBlock = peek(cpu.words, proc + PROCESS.SPACE);
  if (pendingSignal(cpu, proc) !== 0) return -EINTR;
  beginBatch(cpu);
  let vpn = startVpn;
  let refusedVpn = NEVER;
  for (let area = areaFrom(cpu, space, vpn); area !== null; area = areaFrom(cpu, space, vpn)) {
    const stopVpn = Math.min(endVpn, vpnOf(area.end));
    vpn = Math.max(vpn, vpnOf(area.start));
    if (vpn >= endVpn) break;
    const write = isWritten(area);
    const outcome = isPopulated(area)
      ? faultIn(cpu, space, vpn, stopVpn, write)
      : passOver(cpu, vpn);
    if (isRefused(outcome) && cpu.stoppedAtVpn !== refusedVpn) {
      vpn = refusedVpn = cpu.stoppedAtVpn;
      continue;
    }
    if (outcome !== FAULT_DONE) return errnoOf(cpu, outcome);
    vpn = stopVpn;
  }
  return 0;
}

/**
 * MADV_POPULATE_READ and _WRITE. 0; -ENOMEM at a hole or without memory, -EINVAL where the area
 * does not allow the access, -EFAULT where a page has a guard or lies beyond the end of its object,
 * -EINTR if the process is to end, or -WAIT_PAGE. Pages before the failure stay until they are
 * reclaimed; `cpu.stoppedAtVpn` is the first page that was not populated.
 */
export function populateAccess(
  cpu: Cpu,
  proc: ProcessBlock,
  startVpn: Vpn,
  endVpn: Vpn,
  write: boolean,
): number {
  const space: SpaceBlock = peek(cpu.words, proc + PROCESS.SPACE);
  if (pendingSignal(cpu, proc) !== 0) return -EINTR;
  beginBatch(cpu);
  let vpn = startVpn;
  let refusedVpn = NEVER;
  while (vpn < endVpn) {
    const area = areaFrom(cpu, space, vpn);
    if (area === null || vpnOf(area.start) > vpn) return -ENOMEM;
    // Unlike a program's read, this needs PROT_READ itself.
    if (area.backend.isSpecial || (area.flags & (write ? PROT_WRITE : PROT_READ)) === 0)
      return -EINVAL;
    const stopVpn = Math.min(endVpn, vpnOf(area.end));
    const outcome = faultIn(cpu, space, vpn, stopVpn, write);
    if (isRefused(outcome) && cpu.stoppedAtVpn !== refusedVpn) {
      vpn = refusedVpn = cpu.stoppedAtVpn;
      continue;
    }
    if (outcome !== FAULT_DONE) return errnoOf(cpu, outcome);
    vpn = stopVpn;
  }
  return 0;
}

/**
 * Faults in [startVpn, endVpn), which lay in one area: FAULT_DONE, or the outcome of the page
 * `cpu.stoppedAtVpn`.
 */
function faultIn(cpu: Cpu, space: SpaceBlock, startVpn: Vpn, endVpn: Vpn, write: boolean): number {
  for (let vpn = startVpn; vpn < endVpn;) {
    cpu.stoppedAtVpn = vpn;
    if (cpu.batchLeft-- <= 0) return NEXT_BATCH;
    const isSpan = !write && vpn % SPAN_PAGES === 0 && vpn + SPAN_PAGES <= endVpn;
    if (isSpan && enterZeroSpan(cpu, space, vpn)) {
      vpn += SPAN_PAGES;
      continue;
    }
    const outcome = faultInKernel(cpu, space, vpn, write);
    if (outcome !== FAULT_DONE) return outcome;
    vpn++;
  }
  return FAULT_DONE;
}

/** An area that is left out counts in the batch too: there may be very many. */
function passOver(cpu: Cpu, vpn: Vpn): number {
  cpu.stoppedAtVpn = vpn;
  return cpu.batchLeft-- <= 0 ? NEXT_BATCH : FAULT_DONE;
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

/**
 * The page cannot be accessed. Linux keeps its lock between the look at the area and the fault;
 * here the area may have changed in between, so a page is refused when that happens twice.
 */
function isRefused(outcome: number): boolean {
  if (outcome === FAULT_DONE || outcome === FAULT_WAIT) return false;
  return outcome !== FAULT_NO_MEMORY && outcome !== NEXT_BATCH;
}

function errnoOf(cpu: Cpu, outcome: number): number {
  if (outcome === NEXT_BATCH) return giveWay(cpu, cpu.stoppedAtVpn);
  if (outcome === FAULT_WAIT) return -WAIT_PAGE;
  return outcome === FAULT_NO_MEMORY ? -ENOMEM : -EFAULT;
}
