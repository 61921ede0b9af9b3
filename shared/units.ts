/**
 * The units of the kernel's numbers. A number in the wrong place does not compile: a frame number
 * or an address where a page number is expected, a process's block where a space's is expected.
 *
 * Each unit is a number with an *optional* brand. A plain number (a literal, the result of
 * arithmetic, a word just loaded) is accepted as any unit, but a value of one unit is not accepted
 * as another. With a required brand every `vpn + 1` would need a cast, and a cast accepts a wrong
 * unit too. The price is that arithmetic forgets the unit; the next signature states it again.
 *
 * 0 means "none" for frames, blocks, records and slots. Where a function says so, a negative number
 * in place of its unit is an errno or another outcome.
 */
import { PAGE_SIZE } from './limits.ts';

/** A number with an optional brand. */
export type Unit<Name extends string> = number & {
  /** Never there: the name of the unit, for the compiler. */
  readonly __unit?: Name;
};

/** A virtual address in bytes. */
export type VirtAddr = Unit<'VirtAddr'>;
/** A physical address in bytes. */
export type PhysAddr = Unit<'PhysAddr'>;
/** A virtual page number: 30 bits of user space. */
export type Vpn = Unit<'Vpn'>;
/** A physical frame number. A table is named by the PFN of its frame. */
export type Pfn = Unit<'Pfn'>;
/** The number of a page within a memory object, counted from the object's start. */
export type ObjectPage = Unit<'ObjectPage'>;
/** The value of a page-table entry. */
export type Pte = Unit<'Pte'>;

/** Blocks in the machine: each is named by the index of its first word. */
export type SpaceBlock = Unit<'SpaceBlock'>;
/** A process. */
export type ProcessBlock = Unit<'ProcessBlock'>;
/** A node of an area index. */
export type AreaBlock = Unit<'AreaBlock'>;
/** A table of descriptors. */
export type DescriptorsBlock = Unit<'DescriptorsBlock'>;
/** A memory object. */
export type ObjectBlock = Unit<'ObjectBlock'>;
/** An open file description. */
export type FileBlock = Unit<'FileBlock'>;
/** A waiter in a futex queue. */
export type FutexBlock = Unit<'FutexBlock'>;
/** A memory group. */
export type GroupBlock = Unit<'GroupBlock'>;
/** First word of a pin's block. */
export type PinBlock = Unit<'PinBlock'>;
/** A record of the lazy flush policy. */
export type LazyBlock = Unit<'LazyBlock'>;

/** The brands of all blocks. */
export type AnyBlock =
  | 'SpaceBlock'
  | 'ProcessBlock'
  | 'AreaBlock'
  | 'ObjectBlock'
  | 'DescriptorsBlock'
  | 'FileBlock'
  | 'FutexBlock'
  | 'GroupBlock'
  | 'PinBlock'
  | 'LazyBlock';

/** The index of one of the machine's words. A block is one, but not every index is a block. */
export type WordIndex = Unit<'WordIndex' | AnyBlock>;

/** The number of a mapping record, 0 for private anonymous memory (kernel/objects/record.ts). */
export type RecordId = Unit<'RecordId'>;
/** The number of a slot of the swap store, from 1. */
export type SwapSlot = Unit<'SwapSlot'>;
/** The number of a process. */
export type Pid = Unit<'Pid'>;

/*
 * Conversions between bytes and pages: divisions and products, because a bit operation would cut an
 * address to 32 bits. All are exact up to 2^53, and none checks its argument.
 */

/** The page that holds an address. */
export function vpnOf(address: VirtAddr): Vpn {
  return Math.floor(address / PAGE_SIZE);
}

/** The first byte of a page. */
export function addressOf(vpn: Vpn): VirtAddr {
  return vpn * PAGE_SIZE;
}

/** The page of an object that holds its byte `offset`. */
export function objectPageOf(offset: number): ObjectPage {
  return Math.floor(offset / PAGE_SIZE);
}

/** Pages that `bytes` bytes need. */
export function pagesOf(bytes: number): number {
  return Math.ceil(bytes / PAGE_SIZE);
}

/** Pages that `bytes` bytes fill. */
export function fullPagesOf(bytes: number): number {
  return Math.floor(bytes / PAGE_SIZE);
}

/** The bytes in `pages` pages. */
export function bytesOf(pages: number): number {
  return pages * PAGE_SIZE;
}

/** A size in bytes, or an address, rounded up to whole pages. */
export function roundUpToPages(bytes: number): number {
  return Math.ceil(bytes / PAGE_SIZE) * PAGE_SIZE;
}
