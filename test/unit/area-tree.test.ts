/*
 * Goal: the checker of the area index finds every kind of damage, and the index keeps its nodes.
 * Method: break one field of a sound set at a time and expect the sentence about it.
 */
import { describe, expect, test } from 'vitest';
import { treeFind, treeFirst, treeNext, treePrevious } from '../../kernel/areas/area-tree.ts';
import { HeapAreaStore } from '../../kernel/areas/heap-area-store.ts';
import { MemoryArea } from '../../kernel/areas/memory-area.ts';
import { MemorySet } from '../../kernel/areas/memory-set.ts';
import type { MockMemorySet } from '../../kernel/areas/mock-backend.ts';
import { MockBackend, mockMap, MockPageTable } from '../../kernel/areas/mock-backend.ts';

type Store = HeapAreaStore<number, MockPageTable, MockBackend>;

function soundSet(): { store: Store; set: MockMemorySet; pt: MockPageTable } {
  const store: Store = new HeapAreaStore();
  const set: MockMemorySet = new MemorySet(store);
  const pt = new MockPageTable(0x1000);
  for (let k = 0; k < 20; k++) expect(mockMap(set, pt, k * 0x40, 0x20, 1).ok).toBe(true);
  expect(set.verify()).toEqual([]);
  return { store, set, pt };
}

function areaOf(start: number, end: number): MemoryArea<number, MockPageTable, MockBackend> {
  return new MemoryArea<number, MockPageTable, MockBackend>(
    start,
    end - start,
    1,
    new MockBackend(),
    'FullMapped',
  );
}

describe('verify finds', () => {
  const damages: [string, (store: Store) => void, string][] = [
    ['a wrong count', (store) => store.setCount(19), 'counts 19 areas but has 20'],
    [
      'a root with a parent',
      (store) => store.setParent(store.root(), 1),
      'does not know its parent',
    ],
    [
      'a circle of links',
      (store) => store.setRight(treeFind(store, 19 * 0x40), store.root()),
      'reached twice',
    ],
    [
      'a child that does not know its parent',
      (store) => store.setParent(store.left(store.root()), 0),
      'does not know its parent',
    ],
    [
      'a node above one of higher priority',
      (store) => store.setPriority(store.left(store.root()), 2 ** 31 - 1),
      'higher priority',
    ],
    ['a wrong minStart', (store) => store.setMinStart(store.root(), 1), 'wrong minStart'],
    ['a wrong maxEnd', (store) => store.setMaxEnd(store.root(), 1), 'wrong maxEnd'],
    ['a wrong maxGap', (store) => store.setMaxGap(store.root(), 1), 'wrong maxGap'],
    ['an overlap', (store) => store.writeArea(treeFirst(store), areaOf(0, 0x41)), 'overlap'],
    ['an empty area', (store) => store.writeArea(treeFirst(store), areaOf(0, 0)), 'is empty'],
    [
      'neighbours that should be one',
      (store) => store.writeArea(treeFirst(store), areaOf(0, 0x40)),
      'should be one',
    ],
  ];
  test.each(damages)('%s', (_name, damage, sentence) => {
    const { store, set } = soundSet();
    damage(store);
    expect(set.verify().join('\n')).toContain(sentence);
  });
});

test('walks in both directions visit all areas in order', () => {
  const { store } = soundSet();
  const forward: number[] = [];
  let last = 0;
  for (let node = treeFirst(store); node !== 0; node = treeNext(store, node)) {
    forward.push(store.start(node));
    last = node;
  }
  expect(forward).toEqual(Array.from({ length: 20 }, (_, k) => k * 0x40));
  const backward: number[] = [];
  for (let node = last; node !== 0; node = treePrevious(store, node)) {
    backward.push(store.start(node));
  }
  expect(backward.reverse()).toEqual(forward);
});

test('areas that an operation does not meet, and left parts, stay in their nodes', () => {
  const { store, set, pt } = soundSet();
  const nodeAt = (address: number): number => treeFind(store, address);
  const before = [nodeAt(0x40), nodeAt(0x80), nodeAt(0x100)];
  expect(set.unmap(0x90, 0x8, pt).ok).toBe(true);
  expect(set.protect(0x100, 0x10, () => 2, pt).ok).toBe(true);
  expect([nodeAt(0x40), nodeAt(0x80), nodeAt(0x100)]).toEqual(before);
  expect(nodeAt(0x98)).not.toBe(before[1]);
  expect(store.nodesInUse()).toBe(set.len());
});

test('equal operations build equal trees', () => {
  const shape = (store: Store): number[] =>
    Array.from({ length: 20 }, (_, i) => store.parent(i + 1) * 100 + store.left(i + 1));
  expect(shape(soundSet().store)).toEqual(shape(soundSet().store));
});

test('a protect that changes no flags needs no node', () => {
  const store: Store = new HeapAreaStore(1);
  const set: MockMemorySet = new MemorySet(store);
  const pt = new MockPageTable(0x100);
  expect(mockMap(set, pt, 0, 0x40, 1).ok).toBe(true);
  expect(set.protect(0x10, 0x10, () => null, pt)).toEqual({ ok: true });
});

test('a failed operation gives back the nodes it reserved', () => {
  const store: Store = new HeapAreaStore(2);
  const set: MockMemorySet = new MemorySet(store);
  const pt = new MockPageTable(0x100);
  expect(mockMap(set, pt, 0, 0x40, 1).ok).toBe(true);
  // Two splits need two nodes; one is left.
  expect(set.protect(0x10, 0x10, () => 2, pt)).toMatchObject({ error: { kind: 'NoMemory' } });
  expect(pt.entry(0x10)).toBe(1);
  expect(store.nodesInUse()).toBe(1);
  expect(set.protect(0x10, 0x30, () => 2, pt)).toEqual({ ok: true });
  expect(set.len()).toBe(2);
});
