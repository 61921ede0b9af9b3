/** The area set over its heap store with mock backends, as ArceOS's crate memory_set has it. */
import { HeapAreaStore } from '../../../kernel/areas/heap-area-store.ts';
import { MemoryArea } from '../../../kernel/areas/memory-area.ts';
import { MemorySet } from '../../../kernel/areas/memory-set.ts';
import { MockBackend, MockPageTable } from '../../../kernel/areas/mock-backend.ts';
import type { MockMemorySet } from '../../../kernel/areas/mock-backend.ts';
import { AddrRange } from '../../../shared/addr/addr-range.ts';
import { AREAS_FEW, AREAS_MANY, AREA_OPERATIONS } from './sizes.ts';
import { fastest, nanosecondsEach } from './timing.ts';

const STRIDE = 0x2000;
const SIZE = 0x1000;
const BACKEND: MockBackend = new MockBackend();
const TABLE: MockPageTable = new MockPageTable(0);

function areaAt(index: number): MemoryArea<number, MockPageTable, MockBackend> {
  return new MemoryArea<number, MockPageTable, MockBackend>(index * STRIDE, SIZE, 1, BACKEND);
}

function setOf(areas: number): MockMemorySet {
  const set: MockMemorySet = new MemorySet(new HeapAreaStore());
  for (let i = 0; i < areas; i++) set.map(areaAt((i * 7919) % areas), TABLE, false);
  return set;
}

/** Nanoseconds of each operation on one area. */
export type AreaOperations = Readonly<Record<'find' | 'gap' | 'protect' | 'unmap', number>>;
export type AreaFigures = Readonly<Record<'few' | 'many', AreaOperations>>;

function operationsOn(set: MockMemorySet, areas: number): AreaOperations {
  // Steps through all areas, so that all of the large set is measured, not one part of it.
  const indexOf = (i: number): number => (i * 39_916_801) % areas;
  const whole = new AddrRange(0, (areas + 2) * STRIDE);
  const timed = (operation: (at: number) => void, repair: (at: number) => void): number =>
    fastest(() => {
      const ns = nanosecondsEach(AREA_OPERATIONS, () => {
        for (let i = 0; i < AREA_OPERATIONS; i++) operation(indexOf(i));
      });
      for (let i = 0; i < AREA_OPERATIONS; i++) repair(indexOf(i));
      return ns;
    });
  const nothing = (): void => {};
  return {
    find: timed((at) => set.find(at * STRIDE), nothing),
    gap: timed(() => set.findFreeArea(0, SIZE + 1, whole), nothing),
    protect: timed((at) => set.protect(at * STRIDE, SIZE, (flags) => flags + 1, TABLE), nothing),
    unmap: timed(
      (at) => set.unmap(at * STRIDE, SIZE, TABLE),
      (at) => set.map(areaAt(at), TABLE, false),
    ),
  };
}

let sets: readonly [MockMemorySet, MockMemorySet] | null = null;

export function areaFigures(): AreaFigures {
  sets ??= [setOf(AREAS_FEW), setOf(AREAS_MANY)];
  const [few, many] = sets;
  return { few: operationsOn(few, AREAS_FEW), many: operationsOn(many, AREAS_MANY) };
}
