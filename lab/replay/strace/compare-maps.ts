/** The areas of a simulated process beside those that were recorded. */
import { areaRows } from '../../../kernel/reports/area-rows.ts';
import type { ObjectNames } from '../../../kernel/reports/area-rows.ts';
import { permissions } from '../../../kernel/reports/maps.ts';
import type { MapsLine } from '../../difftest/maps-text.ts';
import type { ReplayMachine } from '../machine/replay-machine.ts';
import type { ReplayProcess } from '../machine/replay-process.ts';
import { isOutside } from './first-areas.ts';

/** The areas as lines, with the recording's addresses. */
export function mapsOf(
  machine: ReplayMachine,
  process: ReplayProcess,
  names: ObjectNames,
): MapsLine[] {
  const { relocation } = process.space;
  const lines: MapsLine[] = [];
  for (const row of areaRows(machine.cpu, process.block, names)) {
    if (process.space.isHidden(row.startAddress)) continue;
    const start = relocation.origin(row.startAddress) ?? row.startAddress;
    lines.push({
      start,
      end: start + row.endAddress - row.startAddress,
      permissions: permissions(row.flags),
      offset: row.offset.toString(16).padStart(8, '0'),
      name: row.name,
    });
  }
  return lines;
}

/** What both sides can show of an area. */
function comparable({ start, end, permissions: bits, offset, name }: MapsLine): string {
  // The stack grows by faults, which a recording of calls does not have.
  const from = name === '[stack]' ? 'grown' : hex(start);
  const isFile = name.startsWith('/');
  const shown = name.replace(/ \(deleted\)$/, '');
  return `${from}-${hex(end)} ${bits} ${isFile ? offset : '00000000'} ${shown}`.trimEnd();
}

/** Lines that one side has and the other has not: `-` recorded, `+` here. Ascending. */
export function differenceOfMaps(
  recorded: readonly MapsLine[],
  here: readonly MapsLine[],
): string[] {
  const wanted = recorded.filter((line) => !isOutside(line));
  const has = new Set(here.map(comparable));
  const had = new Set(wanted.map(comparable));
  const missing = wanted.filter((line) => !has.has(comparable(line)));
  const extra = here.filter((line) => !had.has(comparable(line)));
  return [
    ...missing.map((line) => ({ start: line.start, text: `- ${comparable(line)}` })),
    ...extra.map((line) => ({ start: line.start, text: `+ ${comparable(line)}` })),
  ]
    .sort((a, b) => a.start - b.start)
    .map(({ text }) => text);
}

function hex(value: number): string {
  return value.toString(16).padStart(8, '0');
}

/** As /proc/PID/maps has them, without devices and inodes. */
export function formatAreas(areas: readonly MapsLine[]): string {
  return areas
    .map(({ start, end, permissions: bits, offset, name }) =>
      `${hex(start)}-${hex(end)} ${bits} ${offset} ${name}`.trimEnd(),
    )
    .join('\n');
}
