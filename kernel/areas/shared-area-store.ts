/**
 * The area set's nodes in the machine: one slab block each, addresses in VPNs.
 *
 * Locking: the areas' lock of the space. Guarantees: a node's area holds one reference on its
 * mapping record, from writeArea to freeNode.
 */
import { add, load, peek, poke, store } from '../../shared/atomics.ts';
import * as L from '../../shared/layout.ts';
import { AREAS_MAX, PAGE_SIZE } from '../../shared/limits.ts';
import type { AreaStore } from './area-store.ts';
import type { MachineBackend } from '../backends/backend.ts';
import { backendOf } from '../backends/registry.ts';
import type { Cpu } from '../cpu/cpu.ts';
import { AREA_STATES, MemoryArea } from './memory-area.ts';
import type { RangeOp } from '../paging/range-op.ts';
import { getRecord, putRecord } from '../objects/record.ts';
import { slabAlloc, slabFree } from '../frames/slab.ts';

/** An area of the running machine. */
export type Area = MemoryArea<number, RangeOp, MachineBackend>;

export class SharedAreaStore implements AreaStore<number, RangeOp, MachineBackend> {
  private readonly cpu: Cpu;
  private readonly space: number;

  constructor(cpu: Cpu, space: number) {
    this.cpu = cpu;
    this.space = space;
  }

  beginChange(): void {
    // ORDER: odd before the first change; readers that saw an even value compare it again.
    add(this.cpu.words, this.space + L.S_INDEX_SEQ, 1);
  }

  endChange(): void {
    // ORDER: even again after the last change.
    add(this.cpu.words, this.space + L.S_INDEX_SEQ, 1);
  }

  /** 0 when memory is exhausted, or the space has AREAS_MAX areas (Linux: max_map_count). */
  allocNode(): number {
    if (this.count() >= AREAS_MAX) return 0;
    return slabAlloc(this.cpu, L.SLAB_AREA);
  }

  freeNode(node: number): void {
    putRecord(this.cpu, peek(this.cpu.words, node + L.A_RECORD));
    slabFree(this.cpu, L.SLAB_AREA, node);
  }

  readArea(node: number): Area {
    const { words, machine } = this.cpu;
    const start = this.start(node);
    const state = AREA_STATES[peek(words, node + L.A_STATE)];
    const backend = backendOf(machine, peek(words, node + L.A_RECORD));
    const flags = peek(words, node + L.A_FLAGS);
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
    poke(words, node + L.A_START, area.start / PAGE_SIZE);
    poke(words, node + L.A_END, area.end / PAGE_SIZE);
    poke(words, node + L.A_FLAGS, area.flags);
    poke(words, node + L.A_RECORD, area.backend.record);
    poke(words, node + L.A_STATE, AREA_STATES.indexOf(area.state));
  }

  root(): number {
    return peek(this.cpu.words, this.space + L.S_AREA_ROOT);
  }

  setRoot(node: number): void {
    poke(this.cpu.words, this.space + L.S_AREA_ROOT, node);
  }

  count(): number {
    return peek(this.cpu.words, this.space + L.S_AREA_COUNT);
  }

  setCount(count: number): void {
    poke(this.cpu.words, this.space + L.S_AREA_COUNT, count);
  }

  left(node: number): number {
    return peek(this.cpu.words, node + L.A_LEFT);
  }

  setLeft(node: number, left: number): void {
    poke(this.cpu.words, node + L.A_LEFT, left);
  }

  right(node: number): number {
    return peek(this.cpu.words, node + L.A_RIGHT);
  }

  setRight(node: number, right: number): void {
    poke(this.cpu.words, node + L.A_RIGHT, right);
  }

  parent(node: number): number {
    return peek(this.cpu.words, node + L.A_PARENT);
  }

  setParent(node: number, parent: number): void {
    poke(this.cpu.words, node + L.A_PARENT, parent);
  }

  priority(node: number): number {
    return peek(this.cpu.words, node + L.A_PRIORITY);
  }

  setPriority(node: number, priority: number): void {
    poke(this.cpu.words, node + L.A_PRIORITY, priority);
  }

  start(node: number): number {
    return peek(this.cpu.words, node + L.A_START) * PAGE_SIZE;
  }

  end(node: number): number {
    return peek(this.cpu.words, node + L.A_END) * PAGE_SIZE;
  }

  minStart(node: number): number {
    return peek(this.cpu.words, node + L.A_MIN_START) * PAGE_SIZE;
  }

  setMinStart(node: number, minStart: number): void {
    poke(this.cpu.words, node + L.A_MIN_START, minStart / PAGE_SIZE);
  }

  maxEnd(node: number): number {
    return peek(this.cpu.words, node + L.A_MAX_END) * PAGE_SIZE;
  }

  setMaxEnd(node: number, maxEnd: number): void {
    poke(this.cpu.words, node + L.A_MAX_END, maxEnd / PAGE_SIZE);
  }

  maxGap(node: number): number {
    return peek(this.cpu.words, node + L.A_MAX_GAP) * PAGE_SIZE;
  }

  setMaxGap(node: number, maxGap: number): void {
    poke(this.cpu.words, node + L.A_MAX_GAP, maxGap / PAGE_SIZE);
  }
}
