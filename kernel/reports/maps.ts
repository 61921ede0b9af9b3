/** /proc/PID/maps and smaps: a space's areas as text in the kernel's own format. */
import { load, peek } from '../../shared/atomics.ts';
import * as L from '../../shared/layout.ts';
import { PAGE_SIZE } from '../../shared/limits.ts';
import * as pte from '../../shared/pte.ts';
import { AREA_PROT, AREA_SHARED } from '../areas/area-flags.ts';
import type { Cpu } from '../cpu/cpu.ts';
import { Cursor, nextAt } from '../paging/cursor.ts';
import { openAtRoot } from '../locking/whole-table.ts';
import { processOf } from '../processes/process.ts';
import { recordAt } from '../objects/record.ts';
import type { Area } from '../areas/shared-area-store.ts';
import { areasOf } from '../processes/space.ts';
import { seek } from '../paging/table.ts';

/** Names of objects by the host's number, for the last column. */
export type ObjectNames = ReadonlyMap<number, string>;

/** The lines of /proc/PID/maps; null when there is no such process. */
export function formatMaps(cpu: Cpu, pid: number, names: ObjectNames): string | null {
  const areas = snapshotAreas(cpu, pid);
  if (areas === null) return null;
  return areas.map((area) => `${mapsLine(cpu, area, names)}\n`).join('');
}

/** The blocks of /proc/PID/smaps: size, residency and dirt of each area. Sizes in KiB. */
export function formatSmaps(cpu: Cpu, pid: number, names: ObjectNames): string | null {
  const areas = snapshotAreas(cpu, pid);
  if (areas === null) return null;
  const space = peek(cpu.words, processOf(cpu.machine, pid) + L.P_SPACE);
  let text = '';
  for (const area of areas) {
    const use = residency(cpu, space, area);
    text += [
      mapsLine(cpu, area, names),
      line('Size', area.size / 1024),
      line('KernelPageSize', PAGE_SIZE / 1024),
      line('Rss', use.resident * 4),
      line('Shared_Clean', use.sharedClean * 4),
      line('Shared_Dirty', use.sharedDirty * 4),
      line('Private_Clean', use.privateClean * 4),
      line('Private_Dirty', use.privateDirty * 4),
      line('Referenced', use.referenced * 4),
      '',
    ].join('\n');
  }
  return text;
}

function line(name: string, kib: number): string {
  return `${`${name}:`.padEnd(16)}${String(kib).padStart(8)} kB`;
}

/** Copies of a process's areas, taken under the areas' lock. */
function snapshotAreas(cpu: Cpu, pid: number): Area[] | null {
  const proc = processOf(cpu.machine, pid);
  const space = proc === 0 ? 0 : peek(cpu.words, proc + L.P_SPACE);
  if (space === 0) return null;
  cpu.machine.protocol.lockAreas(cpu, space);
  const areas = areasOf(cpu, space).iter();
  cpu.machine.protocol.unlockAreas(cpu, space);
  return areas;
}

function mapsLine(cpu: Cpu, area: Area, names: ObjectNames): string {
  const prot = area.flags & AREA_PROT;
  const permissions = [
    (prot & 1) !== 0 ? 'r' : '-',
    (prot & 2) !== 0 ? 'w' : '-',
    (prot & 4) !== 0 ? 'x' : '-',
    (area.flags & AREA_SHARED) !== 0 ? 's' : 'p',
  ].join('');
  const source = sourceOf(cpu, area, names);
  const range = `${address(area.start)}-${address(area.end)}`;
  const offset = source.offset.toString(16).padStart(8, '0');
  const columns = `${range} ${permissions} ${offset} 00:00 ${source.inode}`;
  return source.name === '' ? `${columns} ` : `${columns.padEnd(72)} ${source.name}`;
}

function address(value: number): string {
  return value.toString(16).padStart(8, '0');
}

function sourceOf(
  cpu: Cpu,
  area: Area,
  names: ObjectNames,
): { offset: number; inode: number; name: string } {
  const { record } = area.backend;
  if (record === 0) return { offset: 0, inode: 0, name: '' };
  const { words, machine } = cpu;
  const at = recordAt(machine, record);
  const offset = peek(words, at + L.R_DELTA) * PAGE_SIZE + area.start;
  const object = peek(words, at + L.R_OBJECT);
  if (peek(words, at + L.R_KIND) === L.OBJECT_SHARED) {
    return { offset, inode: 0, name: '/dev/zero (deleted)' };
  }
  const host = peek(words, object + L.O_HOST);
  return { offset, inode: host, name: names.get(host) ?? `object ${host}` };
}

interface Residency {
  resident: number;
  referenced: number;
  sharedClean: number;
  sharedDirty: number;
  privateClean: number;
  privateDirty: number;
}

function residency(cpu: Cpu, space: number, area: Area): Residency {
  const use: Residency = {
    resident: 0,
    referenced: 0,
    sharedClean: 0,
    sharedDirty: 0,
    privateClean: 0,
    privateDirty: 0,
  };
  const end = area.end / PAGE_SIZE;
  const cursor = new Cursor();
  openAtRoot(cpu, cursor, space, area.start / PAGE_SIZE, end);
  for (let vpn = cursor.start; vpn < end;) {
    // ORDER: acquires the tables passed; being in the kernel keeps them from being freed.
    const entry = load(cpu.words, seek(cpu, cursor, vpn));
    const next = Math.min(end, nextAt(vpn, cursor.level));
    if (pte.isPresent(entry)) countPages(cpu, use, entry, next - vpn);
    vpn = next;
  }
  return use;
}

function countPages(cpu: Cpu, use: Residency, entry: number, pages: number): void {
  const { machine, words } = cpu;
  const countAt = machine.meta + pte.pfnOf(entry) * L.FRAME_META_WORDS + L.F_COUNT;
  // ORDER: a momentary value for a report.
  const sole = load(words, countAt) === 1;
  const dirty = (entry & pte.PTE_D) !== 0;
  use.resident += pages;
  if ((entry & pte.PTE_A) !== 0) use.referenced += pages;
  if (sole) {
    if (dirty) use.privateDirty += pages;
    else use.privateClean += pages;
  } else if (dirty) use.sharedDirty += pages;
  else use.sharedClean += pages;
}
