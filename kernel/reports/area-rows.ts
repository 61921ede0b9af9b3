/**
 * A process's areas as reports show them: values, taken at one moment under the areas' lock.
 */
import { peek } from '../../shared/atomics.ts';
import { ANON_GUARDS } from '../../shared/layout/area.ts';
import * as OBJECT from '../../shared/layout/object.ts';
import * as RECORD from '../../shared/layout/record.ts';
import * as SPACE from '../../shared/layout/space.ts';
import { bytesOf } from '../../shared/units.ts';
import type { ObjectBlock, SpaceBlock, VirtAddr } from '../../shared/units.ts';
import type { Area } from '../space/shared-area-store.ts';
import {
  AREA_NAME,
  AREA_NAME_SHIFT,
  AREA_VDSO,
  AREA_VVAR,
  AREA_VVAR_VCLOCK,
} from '../machine/area-flags.ts';
import type { Cpu } from '../machine/cpu.ts';
import type { Machine } from '../machine/machine.ts';
import { isCountedName, nameText } from '../objects/area-names.ts';
import { loadWide } from '../frames/wide.ts';
import type { ObjectKind } from '../objects/kinds.ts';
import { recordAt } from '../objects/record.ts';
import { areasOf } from '../space/space.ts';

/** Names of objects by their host number, for the last column of `maps`. */
export type ObjectNames = ReadonlyMap<number, string>;

export interface AreaRow {
  readonly startAddress: VirtAddr;
  /** Exclusive. */
  readonly endAddress: VirtAddr;
  /** AREA_* flags. */
  readonly flags: number;
  /** Whether there have been guards (MADV_GUARD_INSTALL). */
  readonly hasGuards: boolean;
  /** Of what is mapped. */
  readonly kind: ObjectKind;
  /** Bytes from the start of the object; 0 for private anonymous memory. */
  readonly offset: number;
  readonly inode: number;
  /** As the last column shows it; '' for none. */
  readonly name: string;
}

/** Where the heap and the stack of a space are. */
interface Marks {
  readonly startBrk: VirtAddr;
  readonly brk: VirtAddr;
  readonly startStack: VirtAddr;
}

/** All areas of a space, in ascending order. */
export function areaRows(cpu: Cpu, space: SpaceBlock, names: ObjectNames): AreaRow[] {
  const { protocol } = cpu.machine;
  protocol.lockAreas(cpu, space);
  const areas = areasOf(cpu, space).iter();
  const { machine } = cpu;
  const marks: Marks = {
    startBrk: loadWide(machine, space + SPACE.START_BRK),
    brk: loadWide(machine, space + SPACE.BRK),
    startStack: loadWide(machine, space + SPACE.START_STACK),
  };
  const rows: AreaRow[] = [];
  // Under the lock: the area's reference keeps its record alive, and the record its object.
  for (const area of areas) rows.push(areaRow(cpu, area, marks, names));
  protocol.unlockAreas(cpu, space);
  return rows;
}

function areaRow(cpu: Cpu, area: Area, marks: Marks, names: ObjectNames): AreaRow {
  const { start, end, flags, backend } = area;
  const { kind } = backend;
  const hasGuards = (backend.anon & ANON_GUARDS) !== 0;
  const row = { startAddress: start, endAddress: end, flags, hasGuards, kind };
  if (backend.record === 0) {
    const name = privateName(cpu.machine, area, marks);
    return { ...row, offset: 0, inode: 0, name };
  }
  const { words, machine } = cpu;
  const at = recordAt(machine, backend.record);
  const object: ObjectBlock = peek(words, at + RECORD.OBJECT);
  const host = peek(words, object + OBJECT.HOST);
  const offset = bytesOf(peek(words, at + RECORD.DELTA)) + start;
  const inode = peek(words, object + OBJECT.INODE);
  // Only anonymous memory can have been given a name.
  const given = givenName(machine, flags);
  let name = host === 0 ? '/dev/zero (deleted)' : (names.get(host) ?? `object ${host}`);
  if (given !== null) name = `[anon_shmem:${given}]`;
  return { ...row, offset, inode, name };
}

/** The name of private anonymous memory, by the first of Linux's rules that applies. */
function privateName(machine: Machine, area: Area, marks: Marks): string {
  const { start, end, flags } = area;
  switch (flags & AREA_NAME) {
    case AREA_VVAR:
      return '[vvar]';
    case AREA_VVAR_VCLOCK:
      return '[vvar_vclock]';
    case AREA_VDSO:
      return '[vdso]';
  }
  // vma_is_initial_heap, vma_is_initial_stack: any area that overlaps the heap or touches the mark.
  if (start < marks.brk && end > marks.startBrk) return '[heap]';
  const { startStack } = marks;
  if (startStack !== 0 && start <= startStack && end >= startStack) return '[stack]';
  const given = givenName(machine, flags);
  return given === null ? '' : `[anon:${given}]`;
}

/** The name that PR_SET_VMA_ANON_NAME gave; null for none. */
function givenName(machine: Machine, flags: number): string | null {
  const id = (flags & AREA_NAME) >> AREA_NAME_SHIFT;
  return isCountedName(id) ? nameText(machine, id) : null;
}
