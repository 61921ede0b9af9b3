/**
 * Goal: whatever the seeds' two documents name works through 'faultline/memory-set' alone. Method:
 * their diagrams in order, one test each, on the built entry.
 */
import { describe, expect, it } from 'vitest';
import {
  ADDR_MAX,
  AREA_STATES,
  AddrRange,
  HeapAreaStore,
  MAPPED,
  MemoryArea,
  MemorySet,
  MockBackend,
  MockFaults,
  MockPageTable,
  PAGE_SIZE,
  alignDown,
  alignUp,
  isAligned,
  virtAddr,
} from 'faultline/memory-set';
import type {
  AreaState,
  BackendResult,
  MappingBackend,
  PageTableLike,
  VirtAddr,
  VirtAddrRange,
} from 'faultline/memory-set';

type Flags = 'r' | 'rw' | 'none';

/** A page table of page numbers, with an undo log. */
class PageTable implements PageTableLike {
  readonly entries = new Map<number, string>();
  readonly #log: [page: number, entry: string | undefined][] = [];

  write(page: number, entry: string | undefined): void {
    this.#log.push([page, this.entries.get(page)]);
    this.#set(page, entry);
  }

  checkpoint(): number {
    return this.#log.length;
  }

  rollback(checkpoint: number): boolean {
    for (const [page, entry] of this.#log.splice(checkpoint).reverse()) this.#set(page, entry);
    return true;
  }

  #set(page: number, entry: string | undefined): void {
    if (entry === undefined) this.entries.delete(page);
    else this.entries.set(page, entry);
  }
}

/** Both strategies of the seeds: the target known at map time, or left to the page fault. */
class PagesBackend implements MappingBackend<Flags, PageTable> {
  readonly strategy: 'linear' | 'lazy';
  clones = 0;

  constructor(strategy: 'linear' | 'lazy') {
    this.strategy = strategy;
  }

  map(start: number, size: number, flags: Flags, pt: PageTable): BackendResult {
    return this.#write(start, size, this.strategy === 'lazy' ? 'empty' : flags, pt);
  }

  unmap(start: number, size: number, pt: PageTable): BackendResult {
    return this.#write(start, size, undefined, pt);
  }

  protect(start: number, size: number, newFlags: Flags, pt: PageTable): BackendResult {
    return this.map(start, size, newFlags, pt);
  }

  clone(): PagesBackend {
    this.clones++;
    return new PagesBackend(this.strategy);
  }

  canMerge(_left: AddrRange, other: PagesBackend): boolean {
    return other.strategy === this.strategy;
  }

  merged(): PagesBackend {
    return this;
  }

  #write(start: number, size: number, entry: string | undefined, pt: PageTable): BackendResult {
    if (!isAligned(start, PAGE_SIZE) || !isAligned(size, PAGE_SIZE)) return false;
    for (let page = start / PAGE_SIZE; page < (start + size) / PAGE_SIZE; page++) {
      pt.write(page, entry);
    }
    return true;
  }
}

const START: VirtAddr = virtAddr(0x10000);

function newArea(
  strategy: 'linear' | 'lazy' = 'linear',
): MemoryArea<Flags, PageTable, PagesBackend> {
  return new MemoryArea(START, 4 * PAGE_SIZE, 'rw', new PagesBackend(strategy));
}

function mappedArea(pt: PageTable): MemoryArea<Flags, PageTable, PagesBackend> {
  const area = newArea();
  expect(area.mapArea(pt)).toBe(MAPPED);
  return area;
}

describe('MappingBackend', () => {
  it('is called by the map, the unmap and the protect operation flow', () => {
    const faults = new MockFaults();
    const pt = new MockPageTable();
    const area = new MemoryArea(0x1000, 0x800, 1, new MockBackend('mock', faults));
    expect(area.mapArea(pt)).toEqual({ ok: true });
    expect(area.protectArea(2, pt)).toEqual({ ok: true });
    expect(area.unmapArea(pt)).toEqual({ ok: true });
    const range = '0x1000 0x800';
    expect(faults.calls).toEqual([`map ${range}`, `protect ${range}`, `unmap ${range}`]);
  });

  it('may be linear or lazy, side by side in one set', () => {
    const set = new MemorySet<Flags, PageTable, PagesBackend>();
    const pt = new PageTable();
    expect(set.map(newArea('lazy'), pt, false).ok).toBe(true);
    const next = new MemoryArea(
      START + 4 * PAGE_SIZE,
      PAGE_SIZE,
      'rw' as const,
      new PagesBackend('linear'),
    );
    expect(set.map(next, pt, false).ok).toBe(true);
    expect([...pt.entries.values()]).toEqual(['empty', 'empty', 'empty', 'empty', 'rw']);
    expect(set.iter().map((area) => area.backend.strategy)).toEqual(['lazy', 'linear']);
  });

  it('that returns false makes the operation BadState and nothing else', () => {
    const set = new MemorySet<Flags, PageTable, PagesBackend>(new HeapAreaStore());
    const pt = new PageTable();
    expect(set.map(newArea(), pt, false).ok).toBe(true);
    const entries = [...pt.entries];
    expect(set.unmap(START + PAGE_SIZE, 0x800, pt)).toMatchObject({ error: { kind: 'BadState' } });
    expect(set.verify()).toEqual([]);
    expect([...pt.entries]).toEqual(entries);
    expect(set.len()).toBe(1);
  });
});

describe('MemoryArea', () => {
  it('has the accessors of the class diagram', () => {
    const area = newArea();
    const range: VirtAddrRange = area.vaRange;
    expect([range.start, range.end, range.size]).toEqual([START, 0x14000, 0x4000]);
    expect([area.start, area.end, area.size, area.flags]).toEqual([START, 0x14000, 0x4000, 'rw']);
    expect(area.backend.strategy).toBe('linear');
    expect(range.containedIn(AddrRange.fromStartSize(0, ADDR_MAX))).toBe(true);
    expect([alignDown(START + 1, PAGE_SIZE), alignUp(START - 1, PAGE_SIZE)]).toEqual([
      START,
      START,
    ]);
  });

  it('goes through the states of the life cycle', () => {
    const pt = new PageTable();
    const seen: AreaState[] = [];
    const area = newArea();
    const step = (result: { readonly ok: boolean }): void => {
      expect(result.ok).toBe(true);
      seen.push(area.state);
    };
    seen.push(area.state);
    step(area.mapArea(pt));
    step(area.shrinkLeft(3 * PAGE_SIZE, pt));
    step(area.extendLeft(PAGE_SIZE, pt));
    step(area.shrinkRight(3 * PAGE_SIZE, pt));
    step(area.extendRight(PAGE_SIZE, pt));
    step(area.protectArea('r', pt));
    step(area.protectArea('none', pt));
    step(area.unmapArea(pt));
    const wanted: AreaState[] = ['Created', 'FullMapped', 'LeftShrunk', 'FullMapped'];
    wanted.push('RightShrunk', 'FullMapped', 'Protected', 'FullMapped', 'Unmapped');
    expect(seen).toEqual(wanted);
    expect(new Set([...seen, 'Split'])).toEqual(new Set(AREA_STATES));
    expect(pt.entries.size).toBe(0);
  });

  it('that was never mapped ends as Unmapped', () => {
    const area = newArea();
    expect(area.abandon().ok).toBe(true);
    expect(area.state).toBe('Unmapped');
    expect(area.mapArea(new PageTable())).toMatchObject({ error: { kind: 'BadState' } });
  });

  it('shrinks by unmapping the part that goes', () => {
    const pt = new PageTable();
    const area = mappedArea(pt);
    expect(area.shrinkLeft(3 * PAGE_SIZE, pt).ok).toBe(true);
    expect(area.shrinkRight(2 * PAGE_SIZE, pt).ok).toBe(true);
    expect([area.start, area.end]).toEqual([START + PAGE_SIZE, START + 3 * PAGE_SIZE]);
    expect([...pt.entries.keys()]).toEqual([0x11, 0x12]);
  });

  it('splits into two areas that are mapped, the right one with a clone of the backend', () => {
    const pt = new PageTable();
    const area = mappedArea(pt);
    const parts = area.split(START + PAGE_SIZE);
    if (!parts.ok) throw new Error(parts.error.cause);
    expect([area.end, parts.right.start, parts.right.end]).toEqual([0x11000, 0x11000, 0x14000]);
    expect([area.state, parts.right.state, area.backend.clones]).toEqual([
      'FullMapped',
      'FullMapped',
      1,
    ]);
    expect(parts.right.unmapArea(pt).ok && area.unmapArea(pt).ok).toBe(true);
    for (const pos of [START, START + PAGE_SIZE])
      expect(mappedArea(pt).split(pos).ok).toBe(pos > START);
  });
});
