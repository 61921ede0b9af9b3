/** /proc/PID/maps: a space's areas as text, byte for byte as Linux 6.18 prints them. */
import type { Pid, VirtAddr } from '../../shared/units.ts';
import { AREA_PROT, AREA_SHARED } from '../machine/area-flags.ts';
import type { Cpu } from '../machine/cpu.ts';
import { spaceOfPid } from '../processes/pid-table.ts';
import { areaRows } from './area-rows.ts';
import type { AreaRow, ObjectNames } from './area-rows.ts';

/** Where the name begins: 25 + 6 words of 8 bytes - 1 columns and a space (show_map_vma). */
const NAME_COLUMN = 72;

/** The text of /proc/PID/maps; null when there is no such process. */
export function formatMaps(cpu: Cpu, pid: Pid, names: ObjectNames): string | null {
  const space = spaceOfPid(cpu, pid);
  if (space === 0) return null;
  let text = '';
  for (const row of areaRows(cpu, space, names)) text += mapsLine(row);
  return text;
}

/** The line of one area, newline included. */
export function mapsLine(row: AreaRow): string {
  const offset = row.offset.toString(16).padStart(8, '0');
  const range = `${hex(row.startAddress)}-${hex(row.endAddress)}`;
  const columns = `${range} ${permissions(row.flags)} ${offset} ${row.kind.device} ${row.inode} `;
  if (row.name === '') return `${columns}\n`;
  return `${columns.padEnd(NAME_COLUMN)} ${row.name.replaceAll('\n', '\\012')}\n`;
}

function hex(address: VirtAddr): string {
  return address.toString(16).padStart(8, '0');
}

/** 'rw-p' for AREA_* flags. */
export function permissions(flags: number): string {
  const prot = flags & AREA_PROT;
  return [
    (prot & 1) !== 0 ? 'r' : '-',
    (prot & 2) !== 0 ? 'w' : '-',
    (prot & 4) !== 0 ? 'x' : '-',
    (flags & AREA_SHARED) !== 0 ? 's' : 'p',
  ].join('');
}
