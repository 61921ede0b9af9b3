/**
 * The backends of the running machine: what stands behind an area, and how its range is entered
 * into the page table. A backend object is a value {kind, record, anon, delta}. Two areas merge
 * when their records and deltas are equal, because both are offsets relative to absolute addresses,
 * and their private pages have one identity (anon-identity.ts). A kind has a class of its own only
 * if it acts differently when mapped; all other differences are in objects/kinds.ts.
 *
 * Locking: map, unmap and protect run under the areas' lock with the range locked by the RangeOp.
 * `faults/fault.ts` resolves faults, under the page's lock.
 */
import type { AddrRange } from '../../shared/addr/addr-range.ts';
import { ANON_GUARDS, ANON_INHERITED } from '../../shared/layout/area.ts';
import { makeReserved, rwxOfProt } from '../../shared/pte.ts';
import { vpnOf } from '../../shared/units.ts';
import type { Pte, RecordId, VirtAddr } from '../../shared/units.ts';
import { AREA_PROT, AREA_SHARED } from '../machine/area-flags.ts';
import type { BackendFailure, BackendResult, MappingBackend } from '../areas/mapping-backend.ts';
import type { ObjectKind } from '../objects/kinds.ts';
import { clearRange, protectRange, reserveRange } from '../paging/map-range.ts';
import type { RangeOp } from '../paging/range-op.ts';

const NO_MEMORY: BackendFailure = { cause: 'ENOMEM' };

/** A backend of the machine: what its areas write into the page table through a RangeOp. */
export abstract class MachineBackend implements MappingBackend<number, RangeOp> {
  /** What the object behind it is and can do. */
  readonly kind: ObjectKind;
  /** Mapping record, 0 for private anonymous memory. */
  readonly record: RecordId;
  /**
   * Identity of the private pages, 0 as long as there are none (Linux: anon_vma), and whether there
   * have been guards (VM_MAYBE_GUARD): AREA.ANON.
   */
  readonly anon: number;
  /** For private anonymous memory: page offset - VPN (Linux: vm_pgoff). */
  readonly delta: number;

  constructor(kind: ObjectKind, record: RecordId, anon = 0, delta = 0) {
    this.kind = kind;
    this.record = record;
    this.anon = anon;
    this.delta = delta;
  }

  /** The same with another value of AREA.ANON. */
  abstract withAnon(anon: number): MachineBackend;

  /** Whether there have been private pages: AREA.ANON has an identity. */
  get hasIdentity(): boolean {
    return (this.anon & ~ANON_GUARDS) !== 0;
  }

  /** Linux's VM_SPECIAL: a driver's mapping. */
  get isSpecial(): boolean {
    return this.kind.isSpecial;
  }

  /** What stands in the page table for an untouched page of an area with these flags. */
  reserved(flags: number): Pte {
    const isShared = (flags & AREA_SHARED) !== 0;
    return makeReserved(this.kind.entryKind, this.record, rwxOfProt(flags & AREA_PROT), isShared);
  }

  map(start: VirtAddr, size: number, flags: number, op: RangeOp): BackendResult {
    const entry = this.reserved(flags);
    return done(reserveRange(op, vpnOf(start), vpnOf(start + size), entry));
  }

  unmap(start: VirtAddr, size: number, op: RangeOp): BackendResult {
    return done(clearRange(op, vpnOf(start), vpnOf(start + size)));
  }

  protect(start: VirtAddr, size: number, newFlags: number, op: RangeOp): BackendResult {
    if (op.flagsOnly) return true;
    const rwx = rwxOfProt(newFlags & AREA_PROT);
    return done(protectRange(op, vpnOf(start), vpnOf(start + size), rwx));
  }

  /** Immutable, so both halves of a split share it. */
  clone(): this {
    return this;
  }

  canMerge(_left: AddrRange, other: MachineBackend, _right: AddrRange): boolean {
    if (other.record !== this.record || other.delta !== this.delta) return false;
    if (this.isSpecial) return false;
    // Linux's is_mergeable_anon_vma.
    if (((other.anon ^ this.anon) & ~ANON_GUARDS) === 0) return true;
    const isOneOpen = !other.hasIdentity || !this.hasIdentity;
    return isOneOpen && ((other.anon | this.anon) & ANON_INHERITED) === 0;
  }

  merged(other: MachineBackend): MachineBackend {
    const anon = this.anon | other.anon;
    return anon === this.anon ? this : this.withAnon(anon);
  }
}

/** Translates the outcome of a page-table walk. */
export function done(succeeded: boolean): BackendResult {
  return succeeded ? true : NO_MEMORY;
}
