/** Goal: the kernel is entered only while the heap has room, and looking is rare while it has. */
import { expect, it } from 'vitest';
import { HeapReserve } from '../../workers/cpu/memory/heap-reserve.ts';

const MB = 2 ** 20;

/** A heap of 100 MiB: old objects, young ones, and the old ones that are garbage. */
class FakeHeap {
  readonly limitBytes = 100 * MB;
  old = 10 * MB;
  young = 0;
  garbage = 0;
  looks = 0;
  collections = 0;

  usedBytes(): number {
    this.looks++;
    return this.old + this.young + this.garbage;
  }

  oldBytes(): number {
    return this.old + this.garbage;
  }

  collect(): void {
    this.collections++;
    this.garbage = 0;
    this.young = 0;
  }
}

it('looks once in about a thousand entries while there is much', () => {
  const heap = new FakeHeap();
  const reserve = new HeapReserve(heap);
  let refused = 0;
  for (let i = 0; i < 100_000; i++) if (!reserve.suffices()) refused++;
  expect(refused).toBe(0);
  expect(heap.looks).toBeLessThan(110);
});

it('refuses before a leak of 64 KiB an entry has used up the limit', () => {
  const heap = new FakeHeap();
  const reserve = new HeapReserve(heap);
  let entries = 0;
  while (reserve.suffices() && entries++ < 5000) heap.old += 65_536;
  expect(heap.old / heap.limitBytes).toBeGreaterThan(0.75);
  expect(heap.old / heap.limitBytes).toBeLessThan(0.85);
  expect(reserve.describe()).toMatch(/^JavaScript heap exhausted: \d\d of 100 MiB are in use$/);
  // And goes on to, until there is room again.
  expect(reserve.suffices()).toBe(false);
  heap.old = 10 * MB;
  expect(reserve.suffices()).toBe(true);
});

it('collects garbage before it refuses, and not at each entry', () => {
  const heap = new FakeHeap();
  const reserve = new HeapReserve(heap);
  heap.old = 70 * MB;
  let refused = 0;
  for (let i = 0; i < 10_000; i++) {
    heap.garbage += 10_000;
    if (!reserve.suffices()) refused++;
  }
  expect(refused).toBe(0);
  expect(heap.collections).toBeGreaterThan(0);
  expect(heap.collections).toBeLessThan(20);
});

it('does not take young objects for live ones', () => {
  const heap = new FakeHeap();
  heap.young = 90 * MB;
  expect(new HeapReserve(heap).suffices()).toBe(true);
  expect(heap.collections).toBe(0);
});

it('allows everything where the host does not tell', () => {
  const reserve = new HeapReserve(null);
  for (let i = 0; i < 5000; i++) expect(reserve.suffices()).toBe(true);
});
