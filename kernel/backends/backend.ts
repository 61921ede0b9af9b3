/**
 * The backends of the running machine: what stands behind an area, and how its range is entered
 * into the page table. A backend object is a value {kind, record, anon, delta}. Two areas merge
 * when their records and deltas are equal, because both are offsets relative to absolute addresses,
 * and their private pages are of one family (anon-identity.ts).
 *
 * Locking: map, unmap and protect run under the areas' lock with the range locked by the RangeOp.
 * fault.ts resolves faults, under the page's lock.
 */
import type { AddrRange } from '../../shared/addr/addr-range.ts';
import { PAGE_SIZE } from '../../shared/limits.ts';
import { rwxOfProt } from '../../shared/pte.ts';
import { AREA_PROT } from '../machine/area-flags.ts';
import type { BackendFailure, BackendResult, MappingBackend } from '../areas/mapping-backend.ts';
import { clearRange, protectRange, reserveRange } from '../paging/map-range.ts';
import type { RangeOp } from '../paging/range-op.ts';

const NO_MEMORY: BackendFailure = { cause: 'ENOMEM' };

export abstract class MachineBackend implements MappingBackend<number, RangeOp> {
  /** As in `maps`: 'anonymous', 'file', … */
  abstract readonly kind: string;
  /** Mapping record, 0 for private anonymous memory. */
  readonly record: number;
  /** Linux's VM_SPECIAL: not memory to be locked, merged or grown. */
  readonly isSpecial: boolean = false;
  /** Identity of the private pages, 0 as long as there are none (Linux: anon_vma). */
  readonly anon: number;
  /** Of private anonymous memory: page offset - VPN (Linux: vm_pgoff). */
  readonly delta: number;

  constructor(record: number, anon = 0, delta = 0) {
    this.record = record;
    this.anon = anon;
    this.delta = delta;
  }

  /** What stands in the page table for an untouched page of an area with these flags. */
  abstract reserved(flags: number): number;

  map(start: number, size: number, flags: number, op: RangeOp): BackendResult {
    const entry = this.reserved(flags);
    return done(reserveRange(op, start / PAGE_SIZE, (start + size) / PAGE_SIZE, entry));
  }

  unmap(start: number, size: number, op: RangeOp): BackendResult {
    return done(clearRange(op, start / PAGE_SIZE, (start + size) / PAGE_SIZE));
  }

  protect(start: number, size: number, newFlags: number, op: RangeOp): BackendResult {
    const rwx = rwxOfProt(newFlags & AREA_PROT);
    return done(protectRange(op, start / PAGE_SIZE, (start + size) / PAGE_SIZE, rwx));
  }

  /** Immutable, so both halves of a split share it. */
  clone(): this {
    return this;
  }

  canMerge(_left: AddrRange, other: MachineBackend, _right: AddrRange): boolean {
    if (other.record !== this.record || other.delta !== this.delta) return false;
    // Linux's is_mergeable_anon_vma, for a process that was not forked.
    return !this.isSpecial && (other.anon === this.anon || other.anon === 0 || this.anon === 0);
  }

  merged(other: MachineBackend): MachineBackend {
    return this.anon !== 0 ? this : other;
  }
}

/** Translates the outcome of a page-table walk. */
export function done(succeeded: boolean): BackendResult {
  return succeeded ? true : NO_MEMORY;
}
