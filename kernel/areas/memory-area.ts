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
import { ADDR_MAX, checkInteger, isAddr } from '../../shared/addr/addr.ts';
import type { MappingBackend, PageTableLike } from './mapping-backend.ts';
import type { MappingFailure, MappingResult } from './mapping-result.ts';
import { MAPPED, backendOutcome, mappingFailure } from './mapping-result.ts';
import { copyFlags, sameFlags } from './area-flag-values.ts';
import type { FlagsEqual } from './area-flag-values.ts';

/** The states of an area's life; memory-area.ts draws them. */
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
  | {
      /** Tells it from a failure. */
      readonly ok: true;
      /** The part above the address; the area that was split is the part below. */
      readonly right: MemoryArea<F, P, B>;
    }
  | MappingFailure;

/**
 * A range of addresses with one set of flags and one backend. What it is can be read from outside,
 * and changes by its methods alone. Source: `MemoryArea` of the seeds.
 */
export class MemoryArea<F, P extends PageTableLike, B extends MappingBackend<F, P>> {
  #start: VirtAddr;
  #end: VirtAddr;
  #flags: F;
  readonly #backend: B;
  #state: AreaState;

  /**
   * A Created area of `size` bytes. TypeError or RangeError unless start and start + size are
   * addresses. An empty area can be made, but not mapped. Flags are values: a plain object or array
   * is copied unless it is frozen, any other object must never change. `state` is for area stores.
   */
  constructor(start: number, size: number, flags: F, backend: B, state: AreaState = 'Created') {
    checkInteger('the start of an area', start, 0, ADDR_MAX);
    checkInteger('the size of an area', size, 0, ADDR_MAX - start);
    this.#start = start;
    this.#end = start + size;
    this.#flags = copyFlags(flags);
    this.#backend = backend;
    this.#state = state;
  }

  /** The address of its first byte. */
  get start(): VirtAddr {
    return this.#start;
  }

  /** The address after its last byte. */
  get end(): VirtAddr {
    return this.#end;
  }

  /** The flags of all its bytes: a value, not to be changed in place. */
  get flags(): F {
    return this.#flags;
  }

  /** How its addresses are backed. */
  get backend(): B {
    return this.#backend;
  }

  /** Where it is in its life. */
  get state(): AreaState {
    return this.#state;
  }

  /** Its addresses. */
  get vaRange(): AddrRange {
    return new AddrRange(this.#start, this.#end);
  }

  /** In bytes. */
  get size(): number {
    return this.#end - this.#start;
  }

  /** An independent value with the same backend object. */
  copy(): MemoryArea<F, P, B> {
    return new MemoryArea<F, P, B>(this.#start, this.size, this.#flags, this.#backend, this.#state);
  }

  /** Created to FullMapped: the backend maps the whole range. */
  mapArea(pt: P): MappingResult {
    if (this.#state !== 'Created') return refuseState(this, 'mapArea');
    if (this.#start === this.#end) return refuseSize(this, 'mapArea', 0);
    const result = this.#mapPart(this.#start, this.#end, pt);
    if (result.ok) this.#state = 'FullMapped';
    return result;
  }

  /** Created to Unmapped, "never mapped": there is nothing to undo. */
  abandon(): MappingResult {
    if (this.#state !== 'Created') return refuseState(this, 'abandon');
    this.#state = 'Unmapped';
    return MAPPED;
  }

  /** Mapped to Unmapped, the end of an area: the backend unmaps the whole range. */
  unmapArea(pt: P): MappingResult {
    if (!isMapped(this)) return refuseState(this, 'unmapArea');
    const result = this.#unmapPart(this.#start, this.#end, pt);
    if (result.ok) this.#state = 'Unmapped';
    return result;
  }

  /**
   * The whole range gets `newFlags`. A mapped area becomes Protected; a Protected one whose flags
   * differ from the new ones is Mapped again, as in the seeds' diagram. BadState when it is not
   * mapped, or the backend fails.
   */
  protectArea(newFlags: F, pt: P, flagsEqual: FlagsEqual<F> = sameFlags): MappingResult {
    if (!isMapped(this)) return refuseState(this, 'protectArea');
    const result = this.#backend.protect(this.#start, this.size, newFlags, pt);
    if (result === true) {
      const again = this.#state === 'Protected' && !flagsEqual(this.#flags, newFlags);
      this.#state = again ? 'FullMapped' : 'Protected';
      this.#flags = copyFlags(newFlags);
    }
    return backendOutcome(result, 'protect', this.#start, this.#end);
  }

  /**
   * Keeps the last `newSize` bytes, 0 < newSize < size; start grows by old size - newSize.
   * InvalidParam for other sizes; BadState when it is not mapped, or the backend fails.
   */
  shrinkLeft(newSize: number, pt: P): MappingResult {
    const refusal = refuse(this, 'shrinkLeft', newSize, this.size - 1);
    if (refusal !== null) return refusal;
    const start = this.#end - newSize;
    const result = this.#unmapPart(this.#start, start, pt);
    if (result.ok) {
      this.#start = start;
      this.#state = 'LeftShrunk';
    }
    return result;
  }

  /** Keeps the first `newSize` bytes, 0 < newSize < size. Errors as for shrinkLeft. */
  shrinkRight(newSize: number, pt: P): MappingResult {
    const refusal = refuse(this, 'shrinkRight', newSize, this.size - 1);
    if (refusal !== null) return refusal;
    const end = this.#start + newSize;
    const result = this.#unmapPart(end, this.#end, pt);
    if (result.ok) {
      this.#end = end;
      this.#state = 'RightShrunk';
    }
    return result;
  }

  /**
   * Maps `extra` more bytes, at least 1, below the start: the seeds' "conceptual expansion".
   * InvalidParam when there are no such addresses; BadState when it is not mapped, or the backend
   * fails.
   */
  extendLeft(extra: number, pt: P): MappingResult {
    const refusal = refuse(this, 'extendLeft', extra, this.#start);
    if (refusal !== null) return refusal;
    const start = this.#start - extra;
    const result = this.#mapPart(start, this.#start, pt);
    if (result.ok) {
      this.#start = start;
      this.#state = 'FullMapped';
    }
    return result;
  }

  /** Maps `extra` more bytes, at least 1, after the end. Errors as for extendLeft. */
  extendRight(extra: number, pt: P): MappingResult {
    const refusal = refuse(this, 'extendRight', extra, ADDR_MAX - this.#end);
    if (refusal !== null) return refusal;
    const end = this.#end + extra;
    const result = this.#mapPart(this.#end, end, pt);
    if (result.ok) {
      this.#end = end;
      this.#state = 'FullMapped';
    }
    return result;
  }

  /**
   * Divides the area at the address `pos`, start < pos < end: this becomes the left part, the right
   * one gets the same flags and a clone of the backend. The page table is not involved.
   */
  split(pos: number): SplitResult<F, P, B> {
    const refusal = refuse(this, 'split', pos - this.#start, this.size - 1);
    if (refusal !== null) return refusal;
    const state = this.#state;
    this.#state = 'Split';
    // eslint-disable-next-line no-restricted-syntax -- a user's clone may throw
    try {
      const backend = this.#backend.clone() as B;
      const size = this.#end - pos;
      const right = new MemoryArea<F, P, B>(pos, size, this.#flags, backend, 'FullMapped');
      this.#end = pos;
      this.#state = 'FullMapped';
      return { ok: true, right };
    } catch (error) {
      this.#state = state;
      throw error;
    }
  }

  #mapPart(start: number, end: number, pt: P): MappingResult {
    const result = this.#backend.map(start, end - start, this.#flags, pt);
    return backendOutcome(result, 'map', start, end);
  }

  #unmapPart(start: number, end: number, pt: P): MappingResult {
    return backendOutcome(this.#backend.unmap(start, end - start, pt), 'unmap', start, end);
  }
}

interface AreaLike {
  readonly vaRange: AddrRange;
  readonly state: AreaState;
}

function isMapped({ state }: AreaLike): boolean {
  return state !== 'Created' && state !== 'Split' && state !== 'Unmapped';
}

/** Why an operation with `bytes`, which must be 1 to `most`, is illegal; null if it is legal. */
function refuse(
  area: AreaLike,
  operation: string,
  bytes: number,
  most: number,
): MappingFailure | null {
  if (!isMapped(area)) return refuseState(area, operation);
  const isLegal = isAddr(bytes) && bytes > 0 && bytes <= most;
  return isLegal ? null : refuseSize(area, operation, bytes);
}

function refuseState(area: AreaLike, operation: string): MappingFailure {
  const cause = `${operation} is illegal in the state ${area.state}`;
  return mappingFailure('BadState', area.vaRange, cause);
}

function refuseSize(area: AreaLike, operation: string, bytes: number): MappingFailure {
  const range = area.vaRange;
  const cause = `${operation}: ${bytes} bytes of an area of ${range.size}`;
  return mappingFailure('InvalidParam', range, cause);
}
