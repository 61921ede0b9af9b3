/** The areas of an address space and what their pages are, read without a lock. */
import { AREA_SHARED, kindNumbered, recordAt } from '../../kernel/index.ts';
import type { Machine } from '../../kernel/index.ts';
import * as AREA from '../../shared/layout/area.ts';
import * as RECORD from '../../shared/layout/record.ts';
import * as SPACE from '../../shared/layout/space.ts';
import { RECORDS_MAX } from '../../shared/limits.ts';
import type { AreaBlock, Pfn, RecordId, SpaceBlock, Vpn } from '../../shared/units.ts';
import { isResident, kindOfEntry, visitLeaves } from './entries.ts';
import type { EntryKind } from './entries.ts';
import { word } from './words.ts';

/** A tree that is changed while it is read may have loops. */
const AREAS_READ_MAX = 10_000;
const TRIES = 3;

export interface AreaView {
  readonly startVpn: Vpn;
  /** Exclusive. */
  readonly endVpn: Vpn;
  /** rwx, and p or s, as in /proc/PID/maps. */
  readonly permissions: string;
  readonly backend: string;
  /** Pages by what their entries are. */
  readonly pages: Readonly<Partial<Record<EntryKind, number>>>;
  readonly resident: number;
  readonly swapped: number;
}

function backendName(machine: Machine, record: RecordId): string {
  if (record === 0) return 'anonymous';
  if (record < 0 || record >= RECORDS_MAX) return 'unknown';
  const kind = word(machine, recordAt(machine, record) + RECORD.KIND);
  return kind >= 1 && kind <= 9 ? kindNumbered(kind).name : 'unknown';
}

interface Bounds {
  readonly startVpn: Vpn;
  readonly endVpn: Vpn;
  readonly flags: number;
  readonly record: RecordId;
}

function readNodes(machine: Machine, space: SpaceBlock): Bounds[] | null {
  const found: Bounds[] = [];
  const stack: AreaBlock[] = [word(machine, space + SPACE.AREA_ROOT)];
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    if (node === 0) continue;
    if (found.length >= AREAS_READ_MAX) return null;
    found.push({
      startVpn: word(machine, node + AREA.START),
      endVpn: word(machine, node + AREA.END),
      flags: word(machine, node + AREA.FLAGS),
      record: word(machine, node + AREA.RECORD),
    });
    stack.push(word(machine, node + AREA.LEFT), word(machine, node + AREA.RIGHT));
  }
  return found.sort((a, b) => a.startVpn - b.startVpn);
}

/** Reads again while the index changes; what is then read still is only a moment's view. */
function areaBounds(machine: Machine, space: SpaceBlock): Bounds[] {
  let last: Bounds[] = [];
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const before = word(machine, space + SPACE.INDEX_SEQ);
    last = readNodes(machine, space) ?? last;
    const after = word(machine, space + SPACE.INDEX_SEQ);
    if (before === after && before % 2 === 0) break;
  }
  return last;
}

function permissionsOf(flags: number): string {
  const prot = ['r', 'w', 'x'].map((letter, bit) => ((flags >> bit) & 1 ? letter : '-')).join('');
  return prot + ((flags & AREA_SHARED) === 0 ? 'p' : 's');
}

/** All areas in ascending order, with their pages counted. */
export function areasIn(machine: Machine, space: SpaceBlock, root: Pfn): AreaView[] {
  const bounds = areaBounds(machine, space);
  const counts = bounds.map((): Partial<Record<EntryKind, number>> => ({}));
  let at = 0;
  visitLeaves(machine, root, (_pfn, vpn, pages, entry) => {
    const kind = kindOfEntry(entry);
    // A reserved span may cover a part of an area, or reach over several.
    while (at > 0 && vpn < (bounds[at]?.startVpn ?? Infinity)) at--;
    while (at < bounds.length && (bounds[at]?.endVpn ?? 0) <= vpn) at++;
    for (let i = at; i < bounds.length; i++) {
      const { startVpn, endVpn } = bounds[i] as Bounds;
      if (startVpn >= vpn + pages) break;
      const covered = Math.min(endVpn, vpn + pages) - Math.max(startVpn, vpn);
      const of = counts[i];
      if (of !== undefined && covered > 0) of[kind] = (of[kind] ?? 0) + covered;
    }
  });
  return bounds.map(({ startVpn, endVpn, flags, record }, i) => {
    const pages = counts[i] ?? {};
    const entries = Object.entries(pages) as [EntryKind, number][];
    const resident = entries.reduce((sum, [kind, n]) => sum + (isResident(kind) ? n : 0), 0);
    return {
      ...{ startVpn, endVpn, pages, resident },
      permissions: permissionsOf(flags),
      backend: backendName(machine, record),
      swapped: pages.swapped ?? 0,
    };
  });
}
