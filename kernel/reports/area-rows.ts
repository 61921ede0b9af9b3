/**
 * A process's areas as reports show them: values, taken at one moment under the areas' lock.
 */
import { peek } from '../../shared/atomics.ts';
import * as OBJECT from '../../shared/layout/object.ts';
import * as RECORD from '../../shared/layout/record.ts';
import * as SPACE from '../../shared/layout/space.ts';
import { HEAP_START } from '../../shared/limits.ts';
import { bytesOf } from '../../shared/units.ts';
import type { ObjectBlock, SpaceBlock, VirtAddr } from '../../shared/units.ts';
import type { Area } from '../space/shared-area-store.ts';
import type { Cpu } from '../machine/cpu.ts';
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
  /** Of what is mapped. */
  readonly kind: ObjectKind;
  /** Bytes from the start of the object; 0 for private anonymous memory. */
  readonly offset: number;
  readonly inode: number;
  /** As the last column shows it; '' for none. */
  readonly name: string;
}

/** All areas of a space, in ascending order. */
export function areaRows(cpu: Cpu, space: SpaceBlock, names: ObjectNames): AreaRow[] {
  const { protocol } = cpu.machine;
  protocol.lockAreas(cpu, space);
  const areas = areasOf(cpu, space).iter();
  const brk = loadWide(cpu.machine, space + SPACE.BRK);
  const rows: AreaRow[] = [];
  // Under the lock: the area's reference keeps its record alive, and the record its object.
  for (const area of areas) rows.push(areaRow(cpu, area, brk, names));
  protocol.unlockAreas(cpu, space);
  return rows;
}

function areaRow(cpu: Cpu, area: Area, brk: VirtAddr, names: ObjectNames): AreaRow {
  const { start, end, flags, backend } = area;
  const { kind } = backend;
  if (backend.record === 0) {
    // Linux's rule: any area that overlaps the heap is called [heap].
    const name = start < brk && end > HEAP_START ? '[heap]' : '';
    return { startAddress: start, endAddress: end, flags, kind, offset: 0, inode: 0, name };
  }
  const { words, machine } = cpu;
  const at = recordAt(machine, backend.record);
  const object: ObjectBlock = peek(words, at + RECORD.OBJECT);
  const host = peek(words, object + OBJECT.HOST);
  const offset = bytesOf(peek(words, at + RECORD.DELTA)) + start;
  const inode = peek(words, object + OBJECT.INODE);
  const name = host === 0 ? '/dev/zero (deleted)' : (names.get(host) ?? `object ${host}`);
  return { startAddress: start, endAddress: end, flags, kind, offset, inode, name };
}
