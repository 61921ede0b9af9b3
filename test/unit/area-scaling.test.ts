/*
 * Goal: the cost of every operation grows with log n + k, n areas in the set and k in the range.
 * Method: count the distinct nodes that an operation touches in the store, which no clock blurs.
 * The seeds touch all n in unmap, protect and the gap search.
 */
import { expect, test } from 'vitest';
import type { AreaStore } from '../../kernel/areas/area-store.ts';
import { HeapAreaStore } from '../../kernel/areas/heap-area-store.ts';
import { MemoryArea } from '../../kernel/areas/memory-area.ts';
import { MemorySet } from '../../kernel/areas/memory-set.ts';
import type { MockMemorySet } from '../../kernel/areas/mock-backend.ts';
import { MockBackend, MockPageTable } from '../../kernel/areas/mock-backend.ts';
import { AddrRange } from '../../shared/addr/addr-range.ts';

type Store = AreaStore<number, MockPageTable, MockBackend>;

const STRIDE = 0x2000;
const SIZE = 0x1000;
const BACKEND = new MockBackend();

interface Counted {
  set: MockMemorySet;
  /** Distinct nodes touched by `run`. */
  nodesIn(run: (set: MockMemorySet) => unknown): number;
}

/** A set of n areas of 4 KiB, one every 8 KiB, that counts the nodes it touches. */
function countedSet(n: number): Counted {
  const store: Store = new HeapAreaStore();
  const build: MockMemorySet = new MemorySet(store);
  const pt = new MockPageTable(0);
  // In an order that is neither ascending nor descending.
  for (let i = 0; i < n; i++) {
    const k = (i * 7919) % n;
    const area = new MemoryArea<number, MockPageTable, MockBackend>(k * STRIDE, SIZE, 1, BACKEND);
    expect(build.map(area, pt, false).ok).toBe(true);
  }
  const touched = new Set<unknown>();
  const counting = new Proxy(store, {
    get(target, name) {
      const method = Reflect.get(target, name) as (...args: unknown[]) => unknown;
      return (...args: unknown[]) => {
        if (name !== 'setRoot' && name !== 'setCount' && args.length > 0) touched.add(args[0]);
        return method.apply(target, args);
      };
    },
  });
  const set: MockMemorySet = new MemorySet(counting);
  const nodesIn = (run: (set: MockMemorySet) => unknown): number => {
    touched.clear();
    run(set);
    return touched.size;
  };
  return { set, nodesIn };
}

const pt = new MockPageTable(0);

/** Each operation with the number of areas in its range; all leave n areas or nearly so. */
const operations: Record<string, [number, (set: MockMemorySet, n: number) => unknown]> = {
  find: [1, (set, n) => set.find((n >> 1) * STRIDE)],
  'find in a hole': [0, (set, n) => set.find((n >> 1) * STRIDE + SIZE)],
  overlaps: [1, (set, n) => set.overlaps(new AddrRange((n >> 2) * STRIDE, (n >> 1) * STRIDE))],
  firstHole: [1, (set, n) => set.firstHole(new AddrRange(0, n * STRIDE))],
  'gap search, only behind all areas': [
    0,
    (set, n) => set.findFreeArea(0, SIZE + 1, new AddrRange(0, (n + 2) * STRIDE)),
  ],
  'gap search, no fit': [
    0,
    (set, n) => set.findFreeArea(0, SIZE + 1, new AddrRange(0, n * STRIDE)),
  ],
  'gap search from a hint in the middle': [
    0,
    (set, n) => set.findFreeArea((n >> 1) * STRIDE, SIZE, new AddrRange(0, n * STRIDE)),
  ],
  'gap search downward, no fit': [
    0,
    (set, n) => set.findFreeAreaTopDown(SIZE + 1, new AddrRange(0, n * STRIDE)),
  ],
  'protect one area': [
    1,
    (set, n) => set.protect((n >> 1) * STRIDE, SIZE, (flags) => flags + 1, pt),
  ],
  'protect the middle of an area': [
    1,
    (set, n) => set.protect((n >> 1) * STRIDE + 0x100, 0x100, (flags) => flags + 1, pt),
  ],
  'protect 100 areas': [
    100,
    (set, n) => set.protect((n >> 2) * STRIDE, 100 * STRIDE, (flags) => flags + 1, pt),
  ],
  'unmap a hole': [0, (set, n) => set.unmap((n >> 3) * STRIDE + SIZE, SIZE, pt)],
  'unmap the middle of an area': [1, (set, n) => set.unmap((n >> 3) * STRIDE + 0x100, 0x100, pt)],
  'unmap 100 areas': [100, (set, n) => set.unmap((n >> 4) * STRIDE + 1, 100 * STRIDE, pt)],
  'map into a hole': [
    0,
    (set, n) => set.map(new MemoryArea((n >> 5) * STRIDE + SIZE, 1, 9, BACKEND), pt, false),
  ],
  extend: [1, (set, n) => set.extend((n >> 6) * STRIDE, 1, pt)],
};

test('distinct nodes touched by each operation at 1,000 and at 100,000 areas', () => {
  const small = countedSet(1_000);
  const large = countedSet(100_000);
  for (const [name, [inRange, run]] of Object.entries(operations)) {
    const few = small.nodesIn((set) => run(set, 1_000));
    const many = large.nodesIn((set) => run(set, 100_000));
    // log2(100,000) is 17; a treap's paths are about 1.4 log2 n long on average, 3 at worst here.
    expect(many, name).toBeLessThan(17 * 9 + 3 * inRange);
    expect(many, name).toBeLessThan(few * 4 + 40);
    expect(many, name).toBeGreaterThan(0);
  }
  expect(small.set.verify()).toEqual([]);
  expect(large.set.verify()).toEqual([]);
});

test('the tree stays shallow when areas are mapped in ascending order', () => {
  const store: Store = new HeapAreaStore();
  const set: MockMemorySet = new MemorySet(store);
  for (let k = 0; k < 20_000; k++) {
    const area = new MemoryArea<number, MockPageTable, MockBackend>(k * STRIDE, SIZE, 1, BACKEND);
    expect(set.map(area, pt, false).ok).toBe(true);
  }
  let depthMax = 0;
  for (let node = 1; node <= 20_000; node++) {
    let depth = 0;
    for (let up = store.parent(node); up !== 0; up = store.parent(up)) depth++;
    depthMax = Math.max(depthMax, depth);
  }
  expect(depthMax).toBeLessThan(60);
});
