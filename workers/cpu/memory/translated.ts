/**
 * Where in the machine an address is whose page is in the TLB, until the next poll. Computed from
 * the address's low 32 bits: `%` of a large double takes 40 ns.
 */
import { TLB_SLOTS } from '../../../kernel/index.ts';
import { PAGE_SIZE } from '../../../shared/limits.ts';
import type { Mmu } from './program-mmu.ts';

/** Position of an address in its page. */
export function offsetIn(address: number): number {
  return (address | 0) & (PAGE_SIZE - 1);
}

/** The TLB's slot for an address. */
export function slotOf(address: number): number {
  return ((address | 0) >>> 12) & (TLB_SLOTS - 1);
}

/** Index in `mmu.bytes`. */
export function byteAt(mmu: Mmu, address: number): number {
  const frame = mmu.frameAt[slotOf(address)] as number;
  return (frame - mmu.frameBase) * 4 + offsetIn(address);
}

/** Index in `mmu.words`, of an aligned address. */
export function wordAt(mmu: Mmu, address: number): number {
  return (mmu.frameAt[slotOf(address)] as number) + (offsetIn(address) >> 2);
}
