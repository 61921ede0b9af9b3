/**
 * The area set's nodes in the machine: one slab block each, addresses in VPNs.
 *
 * Locking: the areas' lock of the space. Guarantees: a node's area holds one reference on its
 * mapping record, from writeArea to freeNode, and counts in the space's sums of pages.
 */
import { add, load, peek, poke, store } from '../../shared/atomics.ts';
import * as AREA from '../../shared/layout/area.ts';
import * as SLAB from '../../shared/layout/slabs.ts';
import * as SPACE from '../../shared/layout/space.ts';
import { vpnOf } from '../../shared/units.ts';
import type { AreaBlock, RecordId, SpaceBlock } from '../../shared/units.ts';
import {
  AREA_GROWSDOWN,
  AREA_LOCKED,
  AREA_NAME,
  AREA_NAME_SHIFT,
  AREA_SEALED,
  isDataArea,
  isWriter,
} from '../machine/area-flags.ts';
import type { AreaStore } from '../areas/area-store.ts';
import type { MachineBackend } from '../backends/backend.ts';
import { backendOf } from '../backends/registry.ts';
import type { Cpu } from '../machine/cpu.ts';
import { assertAreasHeld } from '../machine/held-locks.ts';
import { AREA_STATES, MemoryArea } from '../areas/memory-area.ts';
import type { MemorySet } from '../areas/memory-set.ts';
import { treeFind } from '../areas/area-tree.ts';
import { SharedAreaIndex } from './shared-area-index.ts';
import type { RangeOp } from '../paging/range-op.ts';
import { getName, putName } from '../objects/area-names.ts';
import { countWriter } from '../objects/seals.ts';
import { ANONYMOUS, getRecord } from '../objects/record.ts';
import { slabAlloc, slabFree } from '../frames/slab.ts';

/** An area of the running machine. */
export type Area = MemoryArea<number, RangeOp, MachineBackend>;
/** The area set of the running machine. */
export type AreaSet = MemorySet<number, RangeOp, MachineBackend>;

/** Replaces the area of the same range by `area`; merges nothing and changes no page table. */
export function replaceArea(cpu: Cpu, space: SpaceBlock, area: Area): void {
  assertAreasHeld(cpu, space);
  const store = new SharedAreaStore(cpu, space);
  store.writeArea(treeFind(store, area.start), area);
}

export class SharedAreaStore
  extends SharedAreaIndex
  implements AreaStore<number, RangeOp, MachineBackend>
{
  /** A node set aside for an operation that must not fail, or 0. */
  private reserve = 0;

  /** Sets aside a node, which the next allocNode gives out; false when memory is exhausted. */
  reserveNode(): boolean {
    this.reserve = slabAlloc(this.cpu, SLAB.AREA);
    return this.reserve !== 0;
  }

  /** Gives back the node set aside, if it was not needed. */
  releaseReserve(): void {
    if (this.reserve !== 0) slabFree(this.cpu, SLAB.AREA, this.reserve);
    this.reserve = 0;
  }

  beginChange(): void {
    assertAreasHeld(this.cpu, this.space);
    // ORDER: odd before the first change; readers that saw an even value compare it again.
    add(this.cpu.words, this.space + SPACE.INDEX_SEQ, 1);
  }

  endChange(): void {
    // ORDER: even again after the last change.
    add(this.cpu.words, this.space + SPACE.INDEX_SEQ, 1);
  }

  /** 0 when memory is exhausted. */
  allocNode(): AreaBlock {
    if (this.reserve === 0) return slabAlloc(this.cpu, SLAB.AREA);
    const node = this.reserve;
    this.reserve = 0;
    return node;
  }

  freeNode(node: AreaBlock): void {
    this.account(node, -1);
    this.dropRecord(peek(this.cpu.words, node + AREA.RECORD));
    putName(this.cpu, peek(this.cpu.words, node + AREA.FLAGS) >> AREA_NAME_SHIFT);
    slabFree(this.cpu, SLAB.AREA, node);
  }

  readArea(node: AreaBlock): Area {
    const { words, machine } = this.cpu;
    const start = this.start(node);
    const state = AREA_STATES[peek(words, node + AREA.STATE)];
    const flags = peek(words, node + AREA.FLAGS);
    const anon = peek(words, node + AREA.ANON);
    const delta = peek(words, node + AREA.DELTA);
    const backend = backendOf(machine, peek(words, node + AREA.RECORD), anon, delta);
    return new MemoryArea(start, this.end(node) - start, flags, backend, state);
  }

  writeArea(node: AreaBlock, area: Area): void {
    assertAreasHeld(this.cpu, this.space);
    const { words } = this.cpu;
    // While its record is still the old one.
    this.account(node, -1);
    const before = peek(words, node + AREA.RECORD);
    if (before !== area.backend.record) {
      getRecord(this.cpu, area.backend.record);
      this.dropRecord(before);
    }
    const flags = peek(words, node + AREA.FLAGS);
    if (((flags ^ area.flags) & AREA_NAME) !== 0) {
      getName(this.cpu, area.flags >> AREA_NAME_SHIFT);
      putName(this.cpu, flags >> AREA_NAME_SHIFT);
    }
    // ORDER: locked for writing before it can be found; unlocked when the operation ends.
    store(words, node + AREA.SEQ, load(words, this.space + SPACE.AREA_SEQ));
    poke(words, node + AREA.SPACE, this.space);
    poke(words, node + AREA.START, vpnOf(area.start));
    poke(words, node + AREA.END, vpnOf(area.end));
    poke(words, node + AREA.FLAGS, area.flags);
    poke(words, node + AREA.RECORD, area.backend.record);
    poke(words, node + AREA.ANON, area.backend.anon);
    poke(words, node + AREA.DELTA, area.backend.delta);
    poke(words, node + AREA.STATE, AREA_STATES.indexOf(area.state));
    this.account(node, 1);
    // ORDER: faults look at it without a lock; a fault that sees 0 came before this area.
    if ((area.flags & AREA_GROWSDOWN) !== 0) store(words, this.space + SPACE.GROWS, 1);
    if ((area.flags & AREA_SEALED) !== 0) poke(words, this.space + SPACE.SEALS, 1);
  }

  /** Its reference goes when the operation has flushed (closeRange). */
  private dropRecord(record: RecordId): void {
    if (record !== ANONYMOUS) this.cpu.droppedRecords.push(record);
  }

  /** Adds the node's pages to the space's sums, or takes them away. A fresh node has none. */
  private account(node: AreaBlock, sign: number): void {
    const { words } = this.cpu;
    const pages = sign * (peek(words, node + AREA.END) - peek(words, node + AREA.START));
    if (pages === 0) return;
    const flags = peek(words, node + AREA.FLAGS);
    this.addPages(SPACE.TOTAL_PAGES, pages);
    const total = peek(words, this.space + SPACE.TOTAL_PAGES);
    if (total > peek(words, this.space + SPACE.TOTAL_PEAK)) {
      poke(words, this.space + SPACE.TOTAL_PEAK, total);
    }
    if (isDataArea(flags)) this.addPages(SPACE.DATA_PAGES, pages);
    if ((flags & AREA_LOCKED) !== 0) this.addPages(SPACE.LOCKED_PAGES, pages);
    if (!isWriter(flags)) return;
    const record = peek(words, node + AREA.RECORD);
    if (sign > 0) countWriter(this.cpu, record, 1);
    else this.cpu.droppedWriters.push(record);
  }

  private addPages(field: number, pages: number): void {
    const { words } = this.cpu;
    poke(words, this.space + field, peek(words, this.space + field) + pages);
  }
}
