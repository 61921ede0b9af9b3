/**
 * The links of an area set's nodes in the machine: what searching and walking need, without flags
 * and backends. One slab block per node, addresses in VPNs.
 *
 * Locking: the areas' lock of the space; protocols that search without it say how (vma.ts).
 */
import { peek, poke } from '../../shared/atomics.ts';
import * as AREA from '../../shared/layout/area.ts';
import * as BOOT from '../../shared/layout/boot.ts';
import * as SPACE from '../../shared/layout/space.ts';
import { addressOf, bytesOf, pagesOf, vpnOf } from '../../shared/units.ts';
import type { AreaBlock, SpaceBlock, VirtAddr } from '../../shared/units.ts';
import type { Cpu } from '../machine/cpu.ts';
import type { AreaIndexStore } from '../areas/area-store.ts';

export class SharedAreaIndex implements AreaIndexStore {
  protected readonly cpu: Cpu;
  protected readonly space: SpaceBlock;

  constructor(cpu: Cpu, space: SpaceBlock) {
    this.cpu = cpu;
    this.space = space;
  }

  root(): AreaBlock {
    return peek(this.cpu.words, this.space + SPACE.AREA_ROOT);
  }

  setRoot(node: AreaBlock): void {
    poke(this.cpu.words, this.space + SPACE.AREA_ROOT, node);
  }

  count(): number {
    return peek(this.cpu.words, this.space + SPACE.AREA_COUNT);
  }

  setCount(count: number): void {
    poke(this.cpu.words, this.space + SPACE.AREA_COUNT, count);
  }

  countMax(): number {
    return peek(this.cpu.words, BOOT.MAP_COUNT_MAX);
  }

  left(node: AreaBlock): AreaBlock {
    return peek(this.cpu.words, node + AREA.LEFT);
  }

  setLeft(node: AreaBlock, left: AreaBlock): void {
    poke(this.cpu.words, node + AREA.LEFT, left);
  }

  right(node: AreaBlock): AreaBlock {
    return peek(this.cpu.words, node + AREA.RIGHT);
  }

  setRight(node: AreaBlock, right: AreaBlock): void {
    poke(this.cpu.words, node + AREA.RIGHT, right);
  }

  parent(node: AreaBlock): AreaBlock {
    return peek(this.cpu.words, node + AREA.PARENT);
  }

  setParent(node: AreaBlock, parent: AreaBlock): void {
    poke(this.cpu.words, node + AREA.PARENT, parent);
  }

  priority(node: AreaBlock): number {
    return peek(this.cpu.words, node + AREA.PRIORITY);
  }

  setPriority(node: AreaBlock, priority: number): void {
    poke(this.cpu.words, node + AREA.PRIORITY, priority);
  }

  start(node: AreaBlock): VirtAddr {
    return addressOf(peek(this.cpu.words, node + AREA.START));
  }

  end(node: AreaBlock): VirtAddr {
    return addressOf(peek(this.cpu.words, node + AREA.END));
  }

  minStart(node: AreaBlock): VirtAddr {
    return addressOf(peek(this.cpu.words, node + AREA.MIN_START));
  }

  setMinStart(node: AreaBlock, minStart: VirtAddr): void {
    poke(this.cpu.words, node + AREA.MIN_START, vpnOf(minStart));
  }

  maxEnd(node: AreaBlock): VirtAddr {
    return addressOf(peek(this.cpu.words, node + AREA.MAX_END));
  }

  setMaxEnd(node: AreaBlock, maxEnd: VirtAddr): void {
    poke(this.cpu.words, node + AREA.MAX_END, vpnOf(maxEnd));
  }

  maxGap(node: AreaBlock): number {
    return bytesOf(peek(this.cpu.words, node + AREA.MAX_GAP));
  }

  setMaxGap(node: AreaBlock, maxGap: number): void {
    poke(this.cpu.words, node + AREA.MAX_GAP, pagesOf(maxGap));
  }
}
