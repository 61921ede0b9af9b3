/*
 * MemorySet: the areas of an address space, as in the seeds, over any area store.
 *
 * *Guarantees*
 * - All or nothing: an operation that fails leaves the set and the page table as they were, and
 *   says which sub-range failed and why. If the page table cannot be restored the result is
 *   NeedsRepair, with the set still unchanged.
 * - Ranged: an operation on k areas touches O(log n + k) nodes, and no area outside its range.
 * - Canonical: an area that is made or changed merges with those that it touches, if their flags
 *   are equal and their backends mergeable. Areas that an operation leaves alone stay apart.
 * - Backends are called in ascending address order, except that map with `unmapOverlap` unmaps
 *   everything before it maps.
 * *Locking*: the area set's lock; for reading in queries, for writing in map, unmap, protect,
 * extend and clear. Areas given out are copies: they stay as they were when the lock is dropped.
 * *Not guaranteed*: page alignment. Addresses are bytes and any byte may be a boundary, as the
 * seeds' tests demand; a backend that needs pages must refuse the rest.
 */
import type { AddrRange } from '../../shared/addr/addr-range.ts';
import type { VirtAddr } from '../../shared/units.ts';
import { ADDR_MAX, isAddr } from '../../shared/addr/addr.ts';
import { KernelPanic } from '../../shared/panic.ts';
import { carryOut, isFull } from './area-change.ts';
import type { AreaChange } from './area-change.ts';
import type { AreaEdit, Piece } from './area-edit.ts';
import {
  abandonEdit,
  keepArea,
  openEdit,
  publishEdit,
  refuseOverlap,
  reserveNodes,
  splitArea,
  undoEdit,
} from './area-edit.ts';
import { sameFlags } from './area-flag-values.ts';
import type { FlagsEqual } from './area-flag-values.ts';
import { NO_GAP, firstHoleIn, highestGap, isGapRequest, lowestGap } from './area-gaps.ts';
import type { AreaStore, Side } from './area-store.ts';
import {
  treeEndingAfter,
  treeFind,
  treeFirst,
  treeFirstIn,
  treeNext,
  treeStartingBefore,
} from './area-tree.ts';
import { verifyAreas } from './area-verify.ts';
import { HeapAreaStore } from './heap-area-store.ts';
import type { MappingBackend, PageTableLike } from './mapping-backend.ts';
import type { MappingResult } from './mapping-result.ts';
import { MAPPED, invalidRange, isRange, mappingFailure, noNodes } from './mapping-result.ts';
import type { MemoryArea } from './memory-area.ts';

/** New flags for old ones, or null to leave an area as it is. Must be pure. */
export type UpdateFlags<F> = (flags: F) => F | null;

/** The areas of an address space, ordered and disjoint. Source: `MemorySet` of the seeds. */
export class MemorySet<F, P extends PageTableLike, B extends MappingBackend<F, P>> {
  // `#`, not `private`: JavaScript cannot get past the invariants either, and names shrink.
  readonly #store: AreaStore<F, P, B>;
  readonly #flagsEqual: FlagsEqual<F>;

  /**
   * `flagsEqual` decides which flags are the same; by default `===`, and field by field for plain
   * objects and arrays. A set for which no flags are the same merges nothing.
   */
  constructor(
    store: AreaStore<F, P, B> = new HeapAreaStore<F, P, B>(),
    flagsEqual: FlagsEqual<F> = sameFlags,
  ) {
    this.#store = store;
    this.#flagsEqual = flagsEqual;
  }

  /** Areas in the set. */
  len(): number {
    return this.#store.count();
  }

  /** Whether there is no area. */
  isEmpty(): boolean {
    return this.#store.count() === 0;
  }

  /** Copies of all areas in address order. */
  iter(): MemoryArea<F, P, B>[] {
    const areas: MemoryArea<F, P, B>[] = [];
    for (let node = treeFirst(this.#store); node !== 0; node = treeNext(this.#store, node)) {
      areas.push(this.#store.readArea(node));
    }
    return areas;
  }

  /**
   * The first area that ends after `addr`, or null: a cursor that needs no state. A walk is
   * `for (a = set.nextArea(0); a !== null; a = set.nextArea(a.end))`.
   */
  nextArea(addr: number): MemoryArea<F, P, B> | null {
    return this.#areaOf(treeEndingAfter(this.#store, addr));
  }

  /** The last area that starts before `addr`, or null. */
  previousArea(addr: number): MemoryArea<F, P, B> | null {
    return this.#areaOf(treeStartingBefore(this.#store, addr));
  }

  /** Whether a byte of `range` is mapped; an empty range overlaps nothing. */
  overlaps(range: AddrRange): boolean {
    return treeFirstIn(this.#store, range.start, range.end) !== 0;
  }

  /** A copy of the area that holds the byte at `addr`, or null. */
  find(addr: number): MemoryArea<F, P, B> | null {
    return this.#areaOf(treeFind(this.#store, addr));
  }

  #areaOf(node: number): MemoryArea<F, P, B> | null {
    return node === 0 ? null : this.#store.readArea(node);
  }

  /** The first unmapped part of `range`, or null if all of it is mapped. */
  firstHole(range: AddrRange): AddrRange | null {
    return firstHoleIn(this.#store, range);
  }

  /**
   * The lowest free range of `size` bytes at or above `hint` and within `limit`: its start, a
   * multiple of `align`; null if there is none, if `size` is 0 or not a multiple of `align` (the
   * seeds' rule), or if `align` is not a power of two. Nothing below `hint` is tried.
   */
  findFreeArea(hint: number, size: number, limit: AddrRange, align = 1): VirtAddr | null {
    if (!isAddr(hint) || !isGapRequest(size, align)) return null;
    const low = Math.max(hint, limit.start);
    const start = lowestGap(this.#store, low, limit.end, size, align);
    return start === NO_GAP ? null : start;
  }

  /** The highest such range within `limit`: where Linux places an mmap without a hint. */
  findFreeAreaTopDown(size: number, limit: AddrRange, align = 1): VirtAddr | null {
    if (!isGapRequest(size, align)) return null;
    const start = highestGap(this.#store, limit.start, limit.end, size, align);
    return start === NO_GAP ? null : start;
  }

  /**
   * Maps a Created area, which becomes FullMapped and part of the set. Where it overlaps others,
   * `unmapOverlap` unmaps them first; without it, the result is AlreadyExists. InvalidParam for an
   * empty area, BadState for one that is not Created.
   */
  map(area: MemoryArea<F, P, B>, pt: P, unmapOverlap: boolean): MappingResult {
    const { start, end } = area;
    if (area.state !== 'Created' || start === end) return area.mapArea(pt);
    const refusal = unmapOverlap ? null : refuseOverlap(this.#store, start, end);
    if (refusal !== null) return refusal;
    return this.#replaceRange(openEdit(this.#store, start, end), start, end, area, pt);
  }

  /**
   * Unmaps whatever is mapped in the `size` bytes from `start`; holes are fine. InvalidParam unless
   * they are addresses.
   */
  unmap(start: number, size: number, pt: P): MappingResult {
    if (!isRange(start, size)) return invalidRange(start, size);
    const end = start + size;
    const edit = openEdit(this.#store, start, end);
    return edit.old.length === 0 ? MAPPED : this.#replaceRange(edit, start, end, null, pt);
  }

  /** Unmaps what is mapped in [start, end), and maps `area` there if there is one. */
  #replaceRange(
    edit: AreaEdit<F, P, B>,
    start: number,
    end: number,
    area: MemoryArea<F, P, B> | null,
    pt: P,
  ): MappingResult {
    const first = edit.old[0]?.area;
    const splits = first !== undefined && first.start < start && first.end > end ? 1 : 0;
    if (splits > 0 && isFull(this.#store, splits)) return noNodes(start, end);
    const nodes = area === null ? splits : splits + 1;
    return this.#apply(edit, { start, end, nodes, area, flags: null, side: 'both' }, pt);
  }

  /**
   * Gives what is mapped in [start, start + size) the flags that `update` returns. It is called
   * once for each area there, in address order, before anything changes. Holes are fine; call
   * firstHole where they are not. InvalidParam unless the bytes are addresses.
   */
  protect(start: number, size: number, update: UpdateFlags<F>, pt: P): MappingResult {
    if (!isRange(start, size)) return invalidRange(start, size);
    const end = start + size;
    const edit = openEdit(this.#store, start, end);
    const flags: (F | null)[] = [];
    let nodes = 0;
    let updates = 0;
    for (let i = 0; i < edit.old.length; i++) {
      const { area } = edit.old[i] as Piece<F, P, B>;
      const newFlags = update(area.flags);
      flags.push(newFlags);
      if (newFlags === null) continue;
      updates++;
      nodes += (area.start < start ? 1 : 0) + (area.end > end ? 1 : 0);
    }
    if (updates === 0) return MAPPED;
    return this.#apply(edit, { start, end, nodes, area: null, flags, side: 'both' }, pt);
  }

  /**
   * Splits the area around `addr` in two: they stay two until an operation changes one. Nothing
   * happens where no area is, or where one begins. InvalidParam unless `addr` is an address.
   */
  divide(addr: number): MappingResult {
    if (!isAddr(addr)) return invalidRange(addr, 1);
    const edit = openEdit(this.#store, addr, addr + 1);
    const piece = edit.old[0];
    if (piece === undefined || piece.area.start === addr) return MAPPED;
    const { node, area } = piece;
    const right = splitArea(area, addr);
    if (!reserveNodes(edit, 1)) return noNodes(area.start, right.end);
    keepArea(edit, node, area);
    keepArea(edit, 0, right);
    publishEdit(edit);
    return MAPPED;
  }

  /**
   * Grows the area that holds the byte at `addr` by `extra` bytes on one side. AlreadyExists if
   * another area is in the way, InvalidParam if there is no area or no room in the address space; 0
   * bytes are no change. It merges with an area that it reaches on that side, but not with one on
   * its other side.
   */
  extend(addr: number, extra: number, pt: P, side: Side = 'right'): MappingResult {
    // To the left, the bytes lie below the address.
    const low = side === 'left' ? 0 : addr;
    if (!isAddr(addr) || !isRange(low, extra)) return invalidRange(addr, extra);
    if (extra === 0) return MAPPED;
    const edit = openEdit(this.#store, addr, addr + 1);
    const area = edit.old[0]?.area;
    if (area === undefined)
      return mappingFailure('InvalidParam', null, 'no area holds the address');
    const start = side === 'left' ? area.start - extra : area.end;
    const end = side === 'left' ? area.start : area.end + extra;
    if (start < 0 || end > ADDR_MAX) return invalidRange(start, extra);
    const refusal = refuseOverlap(this.#store, start, end);
    if (refusal !== null) return refusal;
    return this.#apply(edit, { start, end, nodes: 0, area: null, flags: null, side }, pt);
  }

  /** Carries a change out, or puts everything back: also when a backend throws. */
  #apply(edit: AreaEdit<F, P, B>, change: AreaChange<F, P, B>, pt: P): MappingResult {
    const checkpoint = pt.checkpoint();
    if (!reserveNodes(edit, change.nodes)) return noNodes(change.start, change.end);
    let result: MappingResult;
    // eslint-disable-next-line no-restricted-syntax -- a user's backend may throw
    try {
      result = carryOut(edit, change, this.#flagsEqual, pt);
    } catch (error) {
      // After a panic nothing can be relied on.
      if (!(error instanceof KernelPanic)) undoEdit(edit, pt, checkpoint);
      throw error;
    }
    if (!result.ok) return abandonEdit(edit, pt, checkpoint, result);
    publishEdit(edit);
    return MAPPED;
  }

  /** Unmaps everything. */
  clear(pt: P): MappingResult {
    return this.unmap(0, ADDR_MAX, pt);
  }

  /**
   * Violations of the set's invariants, one sentence each; for the audit and for tests. Without
   * `canonical`, touching areas may be equal: some operations of Linux leave such areas behind.
   */
  verify(canonical = true): string[] {
    return verifyAreas(this.#store, canonical ? this.#flagsEqual : null);
  }
}
