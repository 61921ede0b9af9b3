/**
 * The page-table entry: one 32-bit word, so that an aligned access can never tear.
 *
 * Present entry (V = 1)
 *
 *      31                    12 11  10   9   8   7   6   5   4   3   2   1   0
 *     +------------------------+-------+---+---+---+---+---+---+---+---+---+---+
 *     |   PFN (20 bits)        |   0   |SH |COW| S | D | A | U | X | W | R | V |
 *     +------------------------+-------+---+---+---+---+---+---+---+---+---+---+
 *
 *   S      a leaf above the lowest level: a superpage of 4 MiB. Above the lowest level an entry
 *          with V and without S is a pointer to the next table.
 *   A, D   accessed and dirty, set by the MMU at any moment, by compare-exchange.
 *   COW    the area allows writing, this frame does not: a write copies it first.
 *   SH     the frame belongs to a shared object; a write must not copy it.
 *   R W X  what the MMU allows now. A present entry may allow nothing (PROT_NONE keeps contents).
 *   PFN 0  the zero page: private anonymous memory that was read and never written. Never W. With S
 *          all pages of the span are the zero page.
 *
 * Reserved entry (V = 0, U = 1): mapped, not yet backed. It says how to resolve the fault.
 *
 *      31                          10   9   8   7 6 5   4   3   2   1   0
 *     +------------------------------+---+---+---------+---+---+---+---+---+
 *     |   mapping record (22 bits)   |SH | 0 |  kind   | 1 | X | W | R | 0 |
 *     +------------------------------+---+---+---------+---+---+---+---+---+
 *
 * Empty entry: 0. A reserved entry above the lowest level stands for its whole span.
 */
import { assert } from './panic.ts';
import type { Pfn, Pte, RecordId, SwapSlot } from './units.ts';

/** Present, or the pointer to a table. */
export const PTE_V = 0x1;
/** May be read. */
export const PTE_R = 0x2;
/** May be written. */
export const PTE_W = 0x4;
/** May be executed; nothing here executes. */
export const PTE_X = 0x8;
/** A leaf of user memory, or a reserved entry. */
export const PTE_U = 0x10;
/** Accessed: set by the MMU before it fills a TLB. */
export const PTE_A = 0x20;
/** Dirty: set by the MMU at the first write. */
export const PTE_D = 0x40;
/** A superpage: the leaf stands for 1024 frames. */
export const PTE_S = 0x80;
/** Copied at the next write. */
export const PTE_COW = 0x100;
/** The frame is an object's page, written in place. */
export const PTE_SHARED = 0x200;

/** All permissions. */
export const PTE_RWX: number = PTE_R | PTE_W | PTE_X;

const PFN_SHIFT = 12;
const KIND_SHIFT = 5;
const KIND_MASK = 7;
const RECORD_SHIFT = 10;

/** Kinds of reserved entry: who supplies the frame. */
export const RESERVED_LAZY = 0;
/** The page of an object. */
export const RESERVED_OBJECT = 1;
/** A device: never resolved. */
export const RESERVED_DEVICE = 2;
/** A guard (MADV_GUARD_INSTALL): what the area allows is refused as if nothing were mapped. */
export const RESERVED_GUARD = 3;
/** The page was swapped out; the payload is its slot, not a record. */
export const RESERVED_SWAP = 4;

/** Permission bits in the order of the PROT_* constants, shifted by one. */
export const RWX_SHIFT = 1;
assert(PTE_R === 1 << RWX_SHIFT && PTE_X === 4 << RWX_SHIFT, 'pte: permission bits moved');

/** Whether an entry has a frame or a table. */
export function isPresent(entry: Pte): boolean {
  return (entry & PTE_V) !== 0;
}

/** Whether an entry is reserved: not present, and not empty. */
export function isReserved(entry: Pte): boolean {
  return (entry & (PTE_V | PTE_U)) === PTE_U;
}

/** A pointer to the next table; only meaningful above the lowest level. */
export function isTable(entry: Pte): boolean {
  return (entry & (PTE_V | PTE_S | PTE_U)) === PTE_V;
}

/** A present leaf of the shared zero frame, which has no reference count; a page or a span. */
export function isZeroPage(entry: Pte): boolean {
  return (entry & (PTE_V | PTE_U)) === (PTE_V | PTE_U) && entry >>> PFN_SHIFT === 0;
}

/** The frame of a present entry, 0 to 2^20 - 1. */
export function pfnOf(entry: Pte): Pfn {
  return entry >>> PFN_SHIFT;
}

/** The frame of the page at `within` of a present leaf: a span of the zero page has one for all. */
export function frameOfPage(entry: Pte, within: number): Pfn {
  return isZeroPage(entry) ? 0 : pfnOf(entry) + within;
}

/** The bits of a present leaf, without its frame. */
export function leafBits(entry: Pte): number {
  return entry & ((1 << PFN_SHIFT) - 1);
}

/** The entry that points to a table in frame `pfn`. */
export function makeTable(pfn: Pfn): Pte {
  return (pfn << PFN_SHIFT) | PTE_V;
}

/** A present leaf. `bits` are PTE_* flags; V and U are added. */
export function makeLeaf(pfn: Pfn, bits: number): Pte {
  return (pfn << PFN_SHIFT) | bits | PTE_V | PTE_U;
}

/** Leaf bits for a page whose area allows `rwx`, but which a write must copy first. */
export function copyOnWriteBits(rwx: number): number {
  return (rwx & PTE_W) === 0 ? rwx : (rwx & ~PTE_W) | PTE_COW;
}

/** A reserved entry. `rwx` are PTE_R, PTE_W, PTE_X as the area allows them. */
export function makeReserved(
  kind: number,
  record: RecordId | SwapSlot,
  rwx: number,
  shared: boolean,
): Pte {
  return (record << RECORD_SHIFT) | (shared ? PTE_SHARED : 0) | (kind << KIND_SHIFT) | PTE_U | rwx;
}

/** The same reserved entry for an area with another mapping record. */
export function withRecord(entry: Pte, record: RecordId): Pte {
  return (entry & ((1 << RECORD_SHIFT) - 1)) | (record << RECORD_SHIFT);
}

const KIND_BITS: number = (KIND_MASK << KIND_SHIFT) | PTE_V | PTE_U;

/** The guard in place of a reserved entry: it keeps what the area allows, and its record. */
export function guardOf(reserved: Pte): Pte {
  return (reserved & ~(KIND_MASK << KIND_SHIFT)) | (RESERVED_GUARD << KIND_SHIFT);
}

/** A guard, at any level. */
export function isGuard(entry: Pte): boolean {
  return (entry & KIND_BITS) === ((RESERVED_GUARD << KIND_SHIFT) | PTE_U);
}

/** A page that was swapped out: the entry is one of its slot's references. */
export function isSwapped(entry: Pte): boolean {
  return (entry & KIND_BITS) === ((RESERVED_SWAP << KIND_SHIFT) | PTE_U);
}

/** The RESERVED_ kind of a reserved entry. */
export function reservedKind(entry: Pte): number {
  return (entry >>> KIND_SHIFT) & KIND_MASK;
}

/** The mapping record of a reserved entry, unless that is RESERVED_SWAP. */
export function reservedRecord(entry: Pte): RecordId {
  return entry >>> RECORD_SHIFT;
}

/** The slot that a RESERVED_SWAP entry names in the record's place. */
export function reservedSlot(entry: Pte): SwapSlot {
  return entry >>> RECORD_SHIFT;
}

/** The area's permission that an entry stands for: COW hides a W that the area grants. */
export function logicalRwx(entry: Pte): number {
  const rwx = entry & PTE_RWX;
  return (entry & (PTE_V | PTE_COW)) === (PTE_V | PTE_COW) ? rwx | PTE_W : rwx;
}

/** Entry bits for PROT_* bits. On x86 a writable or executable page is readable too. */
export function rwxOfProt(prot: number): number {
  const rwx = (prot & 7) << RWX_SHIFT;
  return rwx === 0 ? 0 : rwx | PTE_R;
}
