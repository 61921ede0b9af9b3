/*
 * HeapAreaStore: area nodes in a growable buffer on the JavaScript heap, for tests, teaching and
 * single-threaded use. Addresses need 53 bits, hence the Float64Array; what a search reads of a
 * node lies in one cache line.
 *
 * *Guarantees*: nodes are numbered densely from 1 and reused last-freed-first, so that runs are
 * deterministic. *Locking*: none; only one thread can see it. *Not guaranteed*: nothing survives
 * the thread.
 */
import type { AreaStore } from './area-store.ts';
import type { MappingBackend, PageTableLike } from './mapping-backend.ts';
import type { MemoryArea } from './memory-area.ts';

const NODES_INITIAL = 16;

// A node: five doubles, then four integers.
const NODE_BYTES = 64;
const LENGTHS = NODE_BYTES / 8;
const START = 0;
const END = 1;
const MIN_START = 2;
const MAX_END = 3;
const MAX_GAP = 4;
const LINKS = NODE_BYTES / 4;
const LEFT = 10;
const RIGHT = 11;
const PARENT = 12;
const PRIORITY = 13;

/** A store on the JavaScript heap, for one thread. */
export class HeapAreaStore<
  F,
  P extends PageTableLike,
  B extends MappingBackend<F, P>,
> implements AreaStore<F, P, B> {
  // Two views of one buffer.
  #lengths: Float64Array<ArrayBuffer> = new Float64Array(NODES_INITIAL * LENGTHS);
  #links: Int32Array<ArrayBuffer> = new Int32Array(this.#lengths.buffer);
  #areas: (MemoryArea<F, P, B> | null)[] = [null];
  #freeNodes: number[] = [];
  #rootNode = 0;
  #areaCount = 0;
  readonly #nodesMax: number;

  /** `nodesMax` is the most nodes that allocNode gives out. */
  constructor(nodesMax: number = 2 ** 24) {
    this.#nodesMax = nodesMax;
  }

  /** Nodes given out and not taken back; equals count() between operations. */
  nodesInUse(): number {
    return this.#areas.length - 1 - this.#freeNodes.length;
  }

  beginChange(): void {}

  endChange(): void {}

  allocNode(): number {
    const reused = this.#freeNodes.pop();
    if (reused !== undefined) return reused;
    const node = this.#areas.length;
    if (node > this.#nodesMax) return 0;
    if (node * LINKS >= this.#links.length) {
      const lengths = new Float64Array(this.#lengths.length * 2);
      const links = new Int32Array(lengths.buffer);
      links.set(this.#links);
      this.#lengths = lengths;
      this.#links = links;
    }
    this.#areas.push(null);
    return node;
  }

  freeNode(node: number): void {
    this.#areas[node] = null;
    this.#freeNodes.push(node);
  }

  readArea(node: number): MemoryArea<F, P, B> {
    return (this.#areas[node] as MemoryArea<F, P, B>).copy();
  }

  writeArea(node: number, area: MemoryArea<F, P, B>): void {
    this.#areas[node] = area.copy();
    this.#lengths[node * LENGTHS + START] = area.start;
    this.#lengths[node * LENGTHS + END] = area.end;
  }

  root(): number {
    return this.#rootNode;
  }

  setRoot(node: number): void {
    this.#rootNode = node;
  }

  count(): number {
    return this.#areaCount;
  }

  setCount(count: number): void {
    this.#areaCount = count;
  }

  countMax(): number {
    return Infinity;
  }

  left(node: number): number {
    return this.#links[node * LINKS + LEFT] as number;
  }

  setLeft(node: number, left: number): void {
    this.#links[node * LINKS + LEFT] = left;
  }

  right(node: number): number {
    return this.#links[node * LINKS + RIGHT] as number;
  }

  setRight(node: number, right: number): void {
    this.#links[node * LINKS + RIGHT] = right;
  }

  parent(node: number): number {
    return this.#links[node * LINKS + PARENT] as number;
  }

  setParent(node: number, parent: number): void {
    this.#links[node * LINKS + PARENT] = parent;
  }

  priority(node: number): number {
    return this.#links[node * LINKS + PRIORITY] as number;
  }

  setPriority(node: number, priority: number): void {
    this.#links[node * LINKS + PRIORITY] = priority;
  }

  start(node: number): number {
    return this.#lengths[node * LENGTHS + START] as number;
  }

  end(node: number): number {
    return this.#lengths[node * LENGTHS + END] as number;
  }

  minStart(node: number): number {
    return this.#lengths[node * LENGTHS + MIN_START] as number;
  }

  setMinStart(node: number, minStart: number): void {
    this.#lengths[node * LENGTHS + MIN_START] = minStart;
  }

  maxEnd(node: number): number {
    return this.#lengths[node * LENGTHS + MAX_END] as number;
  }

  setMaxEnd(node: number, maxEnd: number): void {
    this.#lengths[node * LENGTHS + MAX_END] = maxEnd;
  }

  maxGap(node: number): number {
    return this.#lengths[node * LENGTHS + MAX_GAP] as number;
  }

  setMaxGap(node: number, maxGap: number): void {
    this.#lengths[node * LENGTHS + MAX_GAP] = maxGap;
  }
}
