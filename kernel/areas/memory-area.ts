/*
 * MemoryArea: a range of addresses with one set of flags and one backend, and its life.
 *
 *     Created --mapArea--> FullMapped --protectArea--> Protected --protectArea, other flags--+
 *        |                  ^   |  ^  ^                    |                                  |
 *        |     extendLeft / |   |  |  +--------------------|----------------------------------+
 *     abandon  extendRight  |   |  +-- Split (transient) <-+-- split
 *        |                  |   v
 *        |      LeftShrunk, RightShrunk   <--shrinkLeft, shrinkRight-- every mapped state
 *        v
 *     Unmapped <--unmapArea-- every mapped state
 *
 * FullMapped, LeftShrunk, RightShrunk and Protected are the mapped states, and every operation on
 * a mapped area is legal in all four: a partial munmap must be able to shrink a protected area,
 * and a shrunk one again. Everything else is refused and changes nothing.
 *
 * *Guarantees*: the area changes only after its backend has succeeded. Split calls no backend
 * operation. *Locking*: an area is a private copy; the area set's lock must be held for writing
 * for every method that takes a page table. *Not guaranteed*: after a backend failure the page
 * table may hold a written prefix; MemorySet rolls it back.
 */
import { AddrRange } from '../../shared/addr/addr-range.ts';
import type { VirtAddr } from '../../shared/units.ts';
import { ADDR_MAX, checkInteger } from '../../shared/addr/addr.ts';
import type { MappingBackend, PageTableLike } from './mapping-backend.ts';
import type { MappingFailure, MappingResult } from './mapping-result.ts';
import { backendOutcome, mappingFailure } from './mapping-result.ts';

export type AreaState =
  'Created' | 'FullMapped' | 'LeftShrunk' | 'RightShrunk' | 'Protected' | 'Split' | 'Unmapped';

/** The index of a state is its code in a stored area. */
export const AREA_STATES: readonly AreaState[] = [
  'Created',
  'FullMapped',
  'LeftShrunk',
  'RightShrunk',
  'Protected',
  'Split',
  'Unmapped',
];

/** The right part of a split, or why there is none. */
export type SplitResult<F, P extends PageTableLike, B extends MappingBackend<F, P>> =
  { readonly ok: true; readonly right: MemoryArea<F, P, B> } | MappingFailure;

export class MemoryArea<F, P extends PageTableLike, B extends MappingBackend<F, P>> {
  // Changed by the methods below only.
  start: VirtAddr;
  /** Exclusive. */
  end: VirtAddr;
  flags: F;
  readonly backend: B;
  state: AreaState;

  /**
   * A Created area of `size` bytes. TypeError or RangeError unless start and start + size are
   * addresses. An empty area can be made, but not mapped. `state` is for area stores.
   */
  constructor(start: number, size: number, flags: F, backend: B, state: AreaState = 'Created') {
    checkInteger('the start of an area', start, 0, ADDR_MAX);
    checkInteger('the size of an area', size, 0, ADDR_MAX - start);
    this.start = start;
    this.end = start + size;
    this.flags = flags;
    this.backend = backend;
    this.state = state;
  }

  get vaRange(): AddrRange {
    return new AddrRange(this.start, this.end);
  }

  /** In bytes. */
  get size(): number {
    return this.end - this.start;
  }

  /** An independent value with the same backend object. */
  copy(): MemoryArea<F, P, B> {
    return new MemoryArea<F, P, B>(
      this.start,
      this.end - this.start,
      this.flags,
      this.backend,
      this.state,
    );
  }

  /** Created to FullMapped: the backend maps the whole range. */
  mapArea(pt: P): MappingResult {
    if (this.state !== 'Created') return refuseState(this, 'mapArea');
    if (this.start === this.end) return refuseParam(this, 'mapArea');
    const result = this.backend.map(this.start, this.end - this.start, this.flags, pt);
    if (result === true) this.state = 'FullMapped';
    return backendOutcome(result, 'map', this.start, this.end);
  }

  /** Created to Unmapped, "never mapped": there is nothing to undo. */
  abandon(): MappingResult {
    if (this.state !== 'Created') return refuseState(this, 'abandon');
    this.state = 'Unmapped';
    return backendOutcome(true, 'abandon', this.start, this.end);
  }

  /** Mapped to Unmapped, the end of an area: the backend unmaps the whole range. */
  unmapArea(pt: P): MappingResult {
    if (!isMapped(this.state)) return refuseState(this, 'unmapArea');
    const result = this.backend.unmap(this.start, this.end - this.start, pt);
    if (result === true) this.state = 'Unmapped';
    return backendOutcome(result, 'unmap', this.start, this.end);
  }

  /**
   * The whole range gets `newFlags`. A mapped area becomes Protected; a Protected one that gets
   * other flags than it has is Mapped again, as the seeds draw it.
   */
  protectArea(newFlags: F, pt: P): MappingResult {
    if (!isMapped(this.state)) return refuseState(this, 'protectArea');
    const result = this.backend.protect(this.start, this.end - this.start, newFlags, pt);
    if (result === true) {
      const again = this.state === 'Protected' && this.flags !== newFlags;
      this.state = again ? 'FullMapped' : 'Protected';
      this.flags = newFlags;
    }
    return backendOutcome(result, 'protect', this.start, this.end);
  }

  /** Keeps the last `newSize` bytes, 0 < newSize < size; start grows by old size - newSize. */
  shrinkLeft(newSize: number, pt: P): MappingResult {
    if (!isMapped(this.state)) return refuseState(this, 'shrinkLeft');
    if (!isPartOf(this, newSize)) return refuseParam(this, `shrinkLeft to ${newSize} bytes`);
    const from = this.start;
    const to = (this.end - newSize) as VirtAddr;
    const result = this.backend.unmap(from, to - from, pt);
    if (result === true) {
      this.start = to;
      this.state = 'LeftShrunk';
    }
    return backendOutcome(result, 'unmap', from, to);
  }

  /** Keeps the first `newSize` bytes, 0 < newSize < size. */
  shrinkRight(newSize: number, pt: P): MappingResult {
    if (!isMapped(this.state)) return refuseState(this, 'shrinkRight');
    if (!isPartOf(this, newSize)) return refuseParam(this, `shrinkRight to ${newSize} bytes`);
    const from = (this.start + newSize) as VirtAddr;
    const to = this.end;
    const result = this.backend.unmap(from, to - from, pt);
    if (result === true) {
      this.end = from;
      this.state = 'RightShrunk';
    }
    return backendOutcome(result, 'unmap', from, to);
  }

  /** Maps `extra` more bytes, at least 1, below the start: the seeds' "conceptual expansion". */
  extendLeft(extra: number, pt: P): MappingResult {
    if (!isMapped(this.state)) return refuseState(this, 'extendLeft');
    if (!(Number.isSafeInteger(extra) && extra > 0 && extra <= this.start)) {
      return refuseParam(this, `extendLeft by ${extra} bytes`);
    }
    const from = (this.start - extra) as VirtAddr;
    const to = this.start;
    const result = this.backend.map(from, extra, this.flags, pt);
    if (result === true) {
      this.start = from;
      this.state = 'FullMapped';
    }
    return backendOutcome(result, 'map', from, to);
  }

  /** Maps `extra` more bytes, at least 1, after the end. */
  extendRight(extra: number, pt: P): MappingResult {
    if (!isMapped(this.state)) return refuseState(this, 'extendRight');
    if (!(Number.isSafeInteger(extra) && extra > 0 && extra <= ADDR_MAX - this.end)) {
      return refuseParam(this, `extendRight by ${extra} bytes`);
    }
    const from = this.end;
    const to = (this.end + extra) as VirtAddr;
    const result = this.backend.map(from, extra, this.flags, pt);
    if (result === true) {
      this.end = to;
      this.state = 'FullMapped';
    }
    return backendOutcome(result, 'map', from, to);
  }

  /**
   * Divides the area at the address `pos`, start < pos < end: this becomes the left part, the
   * right one gets the same flags and a clone of the backend. The page table is not concerned.
   */
  split(pos: number): SplitResult<F, P, B> {
    if (!isMapped(this.state)) return refuseState(this, 'split');
    if (!(Number.isSafeInteger(pos) && this.start < pos && pos < this.end)) {
      return refuseParam(this, `split at ${pos}`);
    }
    this.state = 'Split';
    const backend = this.backend.clone() as B;
    const size = this.end - pos;
    const right = new MemoryArea<F, P, B>(pos, size, this.flags, backend, 'FullMapped');
    this.end = pos;
    this.state = 'FullMapped';
    return { ok: true, right };
  }
}

interface AreaLike {
  readonly start: number;
  readonly end: number;
  readonly state: AreaState;
}

function isMapped(state: AreaState): boolean {
  return state !== 'Created' && state !== 'Split' && state !== 'Unmapped';
}

function isPartOf(area: AreaLike, size: number): boolean {
  return Number.isSafeInteger(size) && 0 < size && size < area.end - area.start;
}

function refuseState(area: AreaLike, operation: string): MappingFailure {
  const range = new AddrRange(area.start, area.end);
  return mappingFailure('BadState', range, `${operation} is illegal in the state ${area.state}`);
}

function refuseParam(area: AreaLike, what: string): MappingFailure {
  const range = new AddrRange(area.start, area.end);
  return mappingFailure('InvalidParam', range, `${what} of an area of ${area.end - area.start}`);
}
