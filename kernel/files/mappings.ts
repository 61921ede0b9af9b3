/**
 * All mappings of an object, in every space (Linux: rmap): found by searching the areas of every
 * process, which is slow but needs no list that every fork and exit would have to maintain.
 *
 * Guarantees: when this returns, every mapping has been treated for pages that can no longer be
 * found in the object (or that have not been written since).
 * Locking: each space's areas and one area's range at a time. The caller holds none of these. Runs
 * on the kernel worker, which alone makes and ends processes, so no space comes or goes.
 */
import { load, peek } from '../../shared/atomics.ts';
import * as BOOT from '../../shared/layout/boot.ts';
import * as OBJECT from '../../shared/layout/object.ts';
import * as PROCESS from '../../shared/layout/process.ts';
import * as RECORD from '../../shared/layout/record.ts';
import { PROCESSES_MAX } from '../../shared/limits.ts';
import * as pte from '../../shared/pte.ts';
import { vpnOf } from '../../shared/units.ts';
import type { ObjectBlock, ObjectPage, ProcessBlock, SpaceBlock } from '../../shared/units.ts';
import { AREA_PROT, AREA_SHARED } from '../machine/area-flags.ts';
import type { Area } from '../space/shared-area-store.ts';
import type { Cpu } from '../machine/cpu.ts';
import { assertNoLockHeld } from '../machine/held-locks.ts';
import { lock, unlock } from '../machine/spinlock.ts';
import { ANONYMOUS, recordAt } from '../objects/record.ts';
import { changeObjectRange } from '../paging/object-range.ts';
import { closeRange } from '../paging/range-op.ts';
import { openRange } from '../space/open-range.ts';
import { areasOf } from '../space/space.ts';

/**
 * Does `action` (object-range.ts) to the pages [firstPage, endPage) of the object in every mapping.
 */
export function changeMappings(
  cpu: Cpu,
  object: ObjectBlock,
  firstPage: ObjectPage,
  endPage: ObjectPage,
  action: number,
): void {
  assertNoLockHeld(cpu);
  if (firstPage >= endPage || !isMapped(cpu, object)) return;
  const { machine, words } = cpu;
  const seen: SpaceBlock[] = [];
  for (let slot = 0; slot < PROCESSES_MAX; slot++) {
    // ORDER: acquires the block.
    const proc: ProcessBlock = load(words, machine.procTable + slot);
    const space = proc === 0 ? 0 : peek(words, proc + PROCESS.SPACE);
    if (space === 0 || seen.includes(space)) continue;
    seen.push(space);
    changeSpace(cpu, space, object, firstPage, endPage, action);
  }
}

/** Whether the object has a mapping record. A later one finds the object as it is by then. */
function isMapped(cpu: Cpu, object: ObjectBlock): boolean {
  lock(cpu, BOOT.RECORD_LOCK);
  const records = peek(cpu.words, object + OBJECT.RECORDS);
  unlock(cpu, BOOT.RECORD_LOCK);
  return records !== 0;
}

function changeSpace(
  cpu: Cpu,
  space: SpaceBlock,
  object: ObjectBlock,
  firstPage: ObjectPage,
  endPage: ObjectPage,
  action: number,
): void {
  const { protocol } = cpu.machine;
  protocol.lockAreas(cpu, space);
  const areas = areasOf(cpu, space);
  let area = areas.nextArea(0);
  while (area !== null) {
    if (isOf(cpu, area, object)) changeArea(cpu, space, area, firstPage, endPage, action);
    area = areas.nextArea(area.end);
  }
  protocol.unlockAreas(cpu, space);
}

function isOf(cpu: Cpu, area: Area, object: ObjectBlock): boolean {
  const { record } = area.backend;
  if (record === ANONYMOUS) return false;
  return peek(cpu.words, recordAt(cpu.machine, record) + RECORD.OBJECT) === object;
}

function changeArea(
  cpu: Cpu,
  space: SpaceBlock,
  area: Area,
  firstPage: ObjectPage,
  endPage: ObjectPage,
  action: number,
): void {
  const { record } = area.backend;
  const delta = peek(cpu.words, recordAt(cpu.machine, record) + RECORD.DELTA);
  const startVpn = Math.max(firstPage - delta, vpnOf(area.start));
  const endVpn = Math.min(endPage - delta, vpnOf(area.end));
  if (startVpn >= endVpn) return;
  const shared = (area.flags & AREA_SHARED) !== 0;
  const rwx = pte.rwxOfProt(area.flags & AREA_PROT);
  const op = openRange(cpu, space, startVpn, endVpn);
  const reserved = pte.makeReserved(pte.RESERVED_OBJECT, record, rwx, shared);
  changeObjectRange(op, startVpn, endVpn, reserved, action);
  closeRange(op);
}
