/**
 * The area set's nodes in the machine: one slab block each, addresses in VPNs.
 *
 * Locking: the areas' lock of the space. Guarantees: a node's area holds one reference on its
 * mapping record, from writeArea to freeNode, and counts in the space's sums of pages.
 */
import { add, load, peek, poke, store } from '../../shared/atomics.ts';
import * as L from '../../shared/layout/regions.ts';
import { PAGE_SIZE } from '../../shared/limits.ts';
import { AREA_GROWSDOWN, AREA_LOCKED, AREA_SEALED, isDataArea } from '../machine/area-flags.ts';
import type { AreaStore } from '../areas/area-store.ts';
import type { MachineBackend } from '../backends/backend.ts';
import { backendOf } from '../backends/registry.ts';
import type { Cpu } from '../machine/cpu.ts';
import { AREA_STATES, MemoryArea } from '../areas/memory-area.ts';
import type { MemorySet } from '../areas/memory-set.ts';
import { treeFind } from '../areas/area-tree.ts';
import { SharedAreaIndex } from './shared-area-index.ts';
import type { RangeOp } from '../paging/range-op.ts';
import { getRecord, putRecord } from '../objects/record.ts';
import { slabAlloc, slabFree } from '../frames/slab.ts';

/** An area of the running machine. */
export type Area = MemoryArea<number, RangeOp, MachineBackend>;
/** The area set of the running machine. */
export type AreaSet = MemorySet<number, RangeOp, MachineBackend>;

/** Stores `area` over the one of the same range, with neither merge nor page table concerned. */
export function replaceArea(cpu: Cpu, space: number, area: Area): void {
  const store = new SharedAreaStore(cpu, space);
  store.writeArea(treeFind(store, area.start), area);
}

export class SharedAreaStore
  extends SharedAreaIndex
  implements AreaStore<number, RangeOp, MachineBackend>
{
  beginChange(): void {
    // ORDER: odd before the first change; readers that saw an even value compare it again.
    add(this.cpu.words, this.space + L.S_INDEX_SEQ, 1);
  }

  endChange(): void {
    // ORDER: even again after the last change.
    add(this.cpu.words, this.space + L.S_INDEX_SEQ, 1);
  }

  /** 0 when memory is exhausted. */
  allocNode(): number {
    return slabAlloc(this.cpu, L.SLAB_AREA);
  }

  freeNode(node: number): void {
    this.account(node, -1);
    putRecord(this.cpu, peek(this.cpu.words, node + L.A_RECORD));
    slabFree(this.cpu, L.SLAB_AREA, node);
  }

  readArea(node: number): Area {
    const { words, machine } = this.cpu;
    const start = this.start(node);
    const state = AREA_STATES[peek(words, node + L.A_STATE)];
    const flags = peek(words, node + L.A_FLAGS);
    const anon = peek(words, node + L.A_ANON);
    const delta = peek(words, node + L.A_DELTA);
    const backend = backendOf(machine, peek(words, node + L.A_RECORD), anon, delta);
    return new MemoryArea(start, this.end(node) - start, flags, backend, state);
  }

  writeArea(node: number, area: Area): void {
    const { words } = this.cpu;
    const before = peek(words, node + L.A_RECORD);
    if (before !== area.backend.record) {
      getRecord(this.cpu, area.backend.record);
      putRecord(this.cpu, before);
    }
    // ORDER: locked for writing before it can be found; unlocked when the operation ends.
    store(words, node + L.A_SEQ, load(words, this.space + L.S_AREA_SEQ));
    poke(words, node + L.A_SPACE, this.space);
    this.account(node, -1);
    poke(words, node + L.A_START, area.start / PAGE_SIZE);
    poke(words, node + L.A_END, area.end / PAGE_SIZE);
    poke(words, node + L.A_FLAGS, area.flags);
    poke(words, node + L.A_RECORD, area.backend.record);
    poke(words, node + L.A_ANON, area.backend.anon);
    poke(words, node + L.A_DELTA, area.backend.delta);
    poke(words, node + L.A_STATE, AREA_STATES.indexOf(area.state));
    this.account(node, 1);
    if ((area.flags & AREA_GROWSDOWN) !== 0) poke(words, this.space + L.S_GROWS, 1);
    if ((area.flags & AREA_SEALED) !== 0) poke(words, this.space + L.S_SEALS, 1);
  }

  /** Adds the node's pages to the space's sums, or takes them away. A fresh node has none. */
  private account(node: number, sign: number): void {
    const { words } = this.cpu;
    const pages = sign * (peek(words, node + L.A_END) - peek(words, node + L.A_START));
    if (pages === 0) return;
    const flags = peek(words, node + L.A_FLAGS);
    this.addPages(L.S_TOTAL_PAGES, pages);
    const total = peek(words, this.space + L.S_TOTAL_PAGES);
    if (total > peek(words, this.space + L.S_TOTAL_PEAK)) {
      poke(words, this.space + L.S_TOTAL_PEAK, total);
    }
    if (isDataArea(flags)) this.addPages(L.S_DATA_PAGES, pages);
    if ((flags & AREA_LOCKED) !== 0) this.addPages(L.S_LOCKED_PAGES, pages);
  }

  private addPages(field: number, pages: number): void {
    const { words } = this.cpu;
    poke(words, this.space + field, peek(words, this.space + field) + pages);
  }
}
