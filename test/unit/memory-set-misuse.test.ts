/*
 * Goal: no mistake of a caller or of a backend loses an area, a node or an entry of the page table.
 * Method: one test for each kind of mistake, on a set whose nodes are counted.
 */
import { describe, expect, test } from 'vitest';
import { HeapAreaStore } from '../../kernel/areas/heap-area-store.ts';
import type { BackendResult, MappingBackend } from '../../kernel/areas/mapping-backend.ts';
import { MemoryArea } from '../../kernel/areas/memory-area.ts';
import { MemorySet } from '../../kernel/areas/memory-set.ts';
import { MockBackend, MockPageTable } from '../../kernel/areas/mock-backend.ts';
import { ADDR_MAX } from '../../shared/addr/addr.ts';

const OK = { ok: true };
const INVALID = { ok: false, error: { kind: 'InvalidParam' } };
type Calls = 'map' | 'unmap' | 'protect' | 'clone' | 'canMerge' | 'merged';

/** A mock whose one method throws, once it is armed; map, unmap and protect do so half way. */
class ThrowingBackend extends MockBackend {
  armed: Calls | null = null;

  override map(start: number, size: number, flags: number, pt: MockPageTable): BackendResult {
    super.map(start, this.armed === 'map' ? size / 2 : size, flags, pt);
    return this.#check('map');
  }
  override unmap(start: number, size: number, pt: MockPageTable): BackendResult {
    super.unmap(start, this.armed === 'unmap' ? size / 2 : size, pt);
    return this.#check('unmap');
  }
  override protect(start: number, size: number, flags: number, pt: MockPageTable): BackendResult {
    super.protect(start, this.armed === 'protect' ? size / 2 : size, flags, pt);
    return this.#check('protect');
  }
  override clone(): this {
    this.#check('clone');
    return this;
  }
  override canMerge(): boolean {
    return this.#check('canMerge');
  }
  override merged(): this {
    this.#check('merged');
    return this;
  }
  #check(call: Calls): boolean {
    if (this.armed === call) throw new Error(`no ${call}`);
    return true;
  }
}

interface World {
  readonly backend: ThrowingBackend;
  readonly store: HeapAreaStore<number, MockPageTable, ThrowingBackend>;
  readonly set: MemorySet<number, MockPageTable, ThrowingBackend>;
  readonly pt: MockPageTable;
}

function areaOf({ backend }: World, start: number, end: number, flags = 1) {
  return new MemoryArea<number, MockPageTable, ThrowingBackend>(start, end - start, flags, backend);
}

/** Two areas: [0x1000, 0x4000) with flags 1 and [0x4000, 0x5000) with flags 2. */
function worldOf(): World {
  const store = new HeapAreaStore<number, MockPageTable, ThrowingBackend>();
  const backend = new ThrowingBackend();
  const world = { backend, store, set: new MemorySet(store), pt: new MockPageTable() };
  expect(world.set.map(areaOf(world, 0x1000, 0x4000), world.pt, false)).toEqual(OK);
  expect(world.set.map(areaOf(world, 0x4000, 0x5000, 2), world.pt, false)).toEqual(OK);
  return world;
}

function look({ set, store, pt }: World): unknown {
  const areas = set.iter().map((area) => [area.start, area.end, area.flags, area.state]);
  return { areas, nodes: store.nodesInUse(), entries: [...pt.entries], wrong: set.verify() };
}

describe('a backend that throws', () => {
  const operations: [Calls, string, (world: World) => unknown][] = [
    ['map', 'map', (w) => w.set.map(areaOf(w, 0x6000, 0x7000), w.pt, false)],
    ['map', 'map over others', (w) => w.set.map(areaOf(w, 0x2000, 0x6000), w.pt, true)],
    ['map', 'extend', (w) => w.set.extend(0x1000, 0x800, w.pt, 'left')],
    ['unmap', 'unmap', (w) => w.set.unmap(0x2000, 0x1000, w.pt)],
    ['unmap', 'clear', (w) => w.set.clear(w.pt)],
    ['protect', 'protect', (w) => w.set.protect(0x2000, 0x1000, () => 3, w.pt)],
    ['clone', 'unmap', (w) => w.set.unmap(0x2000, 0x1000, w.pt)],
    ['clone', 'unmap of two', (w) => w.set.map(areaOf(w, 0x2000, 0x3000), w.pt, true)],
    ['clone', 'protect', (w) => w.set.protect(0x2000, 0x2800, () => 3, w.pt)],
    ['clone', 'divide', (w) => w.set.divide(0x2000)],
    ['canMerge', 'protect', (w) => w.set.protect(0x4000, 0x1000, () => 1, w.pt)],
    ['canMerge', 'map', (w) => w.set.map(areaOf(w, 0x5000, 0x6000, 2), w.pt, false)],
    ['merged', 'protect', (w) => w.set.protect(0x1000, 0x4000, () => 3, w.pt)],
  ];
  test.each(operations)('in %s loses nothing: %s', (call, _name, operation) => {
    const world = worldOf();
    const before = look(world);
    world.backend.armed = call;
    expect(() => operation(world)).toThrow(`no ${call}`);
    expect(look(world)).toEqual(before);
    world.backend.armed = null;
    expect(operation(world)).toEqual(OK);
    expect(world.set.verify(call !== 'clone')).toEqual([]);
  });

  test('leaves an area of its own as it was', () => {
    const world = worldOf();
    const area = areaOf(world, 0x8000, 0x9000);
    expect(area.mapArea(world.pt)).toEqual(OK);
    expect(area.protectArea(4, world.pt)).toEqual(OK);
    world.backend.armed = 'clone';
    expect(() => area.split(0x8800)).toThrow('no clone');
    expect([area.start, area.end, area.state]).toEqual([0x8000, 0x9000, 'Protected']);
    expect(area.unmapArea(world.pt)).toEqual(OK);
  });

  test('leaves the area that it did not map Created', () => {
    const world = worldOf();
    const area = areaOf(world, 0x5000, 0x6000, 2);
    for (const call of ['canMerge', 'map'] as const) {
      world.backend.armed = call;
      expect(() => world.set.map(area, world.pt, false)).toThrow(`no ${call}`);
      expect(area.state).toBe('Created');
    }
  });
});

describe('a caller', () => {
  test('cannot write to an area', () => {
    const world = worldOf();
    const area = world.set.find(0x1000);
    for (const key of ['start', 'end', 'flags', 'backend', 'state', 'size', 'vaRange']) {
      expect(() => Object.assign(area!, { [key]: 0x800 }), key).toThrow(TypeError);
    }
    const created = areaOf(world, 0x8000, 0x9000);
    expect(() => Object.assign(created, { end: 0x800 })).toThrow(TypeError);
    Object.assign(created.vaRange, { end: 0x800 });
    expect(created.end).toBe(0x9000);
  });

  test.each([NaN, -1, 2 ** 53, 0x1000 + 0.5, Infinity, '4096', null])('divides not at %s', (at) => {
    const world = worldOf();
    const before = look(world);
    expect(world.set.divide(at as number)).toMatchObject(INVALID);
    expect(look(world)).toEqual(before);
    expect(world.set.divide(ADDR_MAX)).toEqual(OK);
  });

  test('extends to the left below the highest address', () => {
    const { set, store, backend } = worldOf();
    const pt = new MockPageTable(1);
    const at = ADDR_MAX - 0x1000;
    const area = new MemoryArea<number, MockPageTable, ThrowingBackend>(at, 0x1000, 1, backend);
    expect(set.map(area, pt, false)).toEqual(OK);
    expect(set.extend(at, 0x2000, pt, 'left')).toEqual(OK);
    expect(set.extend(at, ADDR_MAX, pt, 'left')).toMatchObject(INVALID);
    expect(set.extend(at, 1, pt, 'right')).toMatchObject(INVALID);
    expect(set.find(at)).toMatchObject({ start: at - 0x2000, end: ADDR_MAX });
    expect(store.nodesInUse()).toBe(3);
  });

  test.each([1, 5, 0.5, NaN, Infinity, -1])('cannot roll a mock back to a mark at %s', (mark) => {
    const pt = new MockPageTable(8);
    expect(pt.rollback(mark)).toBe(false);
    expect([pt.checkpoint(), Object.keys(pt.entries).length]).toEqual([0, 8]);
    pt.write(0, 1);
    pt.forget();
    pt.write(1, 2);
    expect([pt.rollback(0), pt.rollback(3), pt.entry(1)]).toEqual([false, false, 2]);
    expect([pt.rollback(1), pt.entry(0), pt.entry(1)]).toEqual([true, 1, 0]);
  });
});

/** A backend with what the seeds demand, and no more. */
class PlainBackend implements MappingBackend<{ w: boolean }, MockPageTable> {
  map(): boolean {
    return true;
  }
  unmap(): boolean {
    return true;
  }
  protect(): boolean {
    return true;
  }
  clone(): PlainBackend {
    return this;
  }
}

describe('flags that are objects', () => {
  type Flags = { w: boolean };
  const pt = new MockPageTable(1);
  function setOf(flags: Flags, flagsEqual?: (a: Flags, b: Flags) => boolean) {
    const set = new MemorySet<Flags, MockPageTable, PlainBackend>(undefined, flagsEqual);
    expect(set.map(new MemoryArea(0, 10, flags, new PlainBackend()), pt, false)).toEqual(OK);
    return set;
  }

  test('are copied, so that no two areas share them', () => {
    const mine = { w: false };
    const set = setOf(mine);
    mine.w = true;
    set.find(1)!.flags.w = true;
    expect(set.find(1)!.flags).toEqual({ w: false });
    expect(set.divide(5)).toEqual(OK);
    const [left, right] = set.iter();
    expect(left!.flags).not.toBe(right!.flags);
    const given = { w: true };
    expect(set.protect(0, 10, () => given, pt)).toEqual(OK);
    given.w = false;
    expect(set.iter().map((area) => area.flags)).toEqual([{ w: true }]);
    const area = setOf({ w: true }).find(0)!;
    const parts = area.split(5);
    expect(parts.ok && parts.right.flags !== area.flags).toBe(true);
  });

  test('are shared where they cannot change, or are of a class', () => {
    const frozen = Object.freeze({ w: true });
    expect(setOf(frozen).find(0)!.flags).toBe(frozen);
    class Access {
      w = true;
    }
    const access = new Access();
    expect(setOf(access).find(0)!.flags).toBe(access);
  });

  test('are compared by the rule of the set, also for the state Protected', () => {
    const set = setOf({ w: true }, (a, b) => a.w === b.w);
    for (const state of ['Protected', 'Protected']) {
      expect(set.protect(0, 10, () => ({ w: false }), pt)).toEqual(OK);
      expect(set.find(0)!.state).toBe(state);
    }
    expect(set.protect(0, 10, () => ({ w: true }), pt)).toEqual(OK);
    expect(set.find(0)!.state).toBe('FullMapped');
  });

  test('are the same field by field if the set has no rule', () => {
    const set = setOf({ w: true });
    const next = (start: number, flags: object, backend: PlainBackend) =>
      set.map(new MemoryArea(start, 10, flags as Flags, backend), pt, false);
    const { backend } = set.find(0)!;
    expect([next(10, { w: true }, backend), set.len()]).toEqual([OK, 1]);
    expect([next(20, { w: true, x: 1 }, backend), set.len()]).toEqual([OK, 2]);
    expect([next(30, { w: false, x: 1 }, backend), set.len()]).toEqual([OK, 3]);
  });

  test('without canMerge and merged, areas of one backend object merge', () => {
    const set = setOf({ w: true });
    const other = new MemoryArea(10, 10, { w: true }, new PlainBackend());
    expect([set.map(other, pt, false), set.len()]).toEqual([OK, 2]);
    expect([set.unmap(3, 3, pt), set.len()]).toEqual([OK, 3]);
    expect([set.extend(0, 3, pt), set.len()]).toEqual([OK, 2]);
    expect(set.verify()).toEqual([]);
  });
});
