/**
 * A CPU's TLB: direct-mapped, with separate read and write translations, private to its Worker.
 *
 * An entry is the byte address of a page and the word index of its frame. The access at `address`
 * hits when `readBase[slot]` plus the low bits of the address, aligned as the access is, gives the
 * address again. NaN never compares, so an empty entry cannot hit, and neither can a fraction, a
 * negative or a NaN address, nor any entry with a base that is not a multiple of 4096. Write
 * entries exist only for pages whose entry has D set, so dirty tracking and copy-on-write cost
 * nothing on a hit.
 *
 * The TLB holds translations of one space. It is `live` while its CPU is in user mode for that
 * space; all other lookups go through empty arrays and miss.
 */
import { POLL_ACCESSES } from '../../shared/limits.ts';
import { addressOf } from '../../shared/units.ts';
import type { Vpn, WordIndex } from '../../shared/units.ts';
import { TLB_SLOTS, privateMemory } from './private-memory.ts';
import type { PrivateMemory } from './private-memory.ts';
import { TlbState } from './tlb-state.ts';

export { TLB_SLOTS } from './private-memory.ts';

/** The translation cache of a CPU. */
export class Tlb extends TlbState {
  /** What an address that may be read is compared with, by slot; NaN for none. */
  readonly readBase: Float64Array;
  /** The same for an address that may be written. */
  readonly writeBase: Float64Array;
  /** Word index of the frame's first word in the machine. */
  readonly frameAt: Int32Array;
  /** Slots filled since the last full flush, so that flushing a small working set is cheap. */
  readonly filled: Int32Array;
  /**
   * Word 0: accesses left until the next ordered poll. The only word that every access writes, so
   * each access depends on the one before it. An Int32Array, whose words need no untagging, large
   * enough not to lie in the engine's heap.
   */
  readonly polls: Int32Array = new Int32Array(32).fill(POLL_ACCESSES);

  constructor(memory: PrivateMemory = privateMemory()) {
    super(memory.state.fill(0));
    this.readBase = memory.readBase.fill(NaN);
    this.writeBase = memory.writeBase.fill(NaN);
    this.frameAt = memory.frameAt;
    this.filled = memory.filled;
  }
}

/** Enters a translation. The entry was read, and its A (and D for `write`) set, by the caller. */
export function tlbFill(tlb: Tlb, vpn: Vpn, frameAt: WordIndex, write: boolean): void {
  const slot = vpn & (TLB_SLOTS - 1);
  const base = addressOf(vpn);
  const known = tlb.readBase[slot] as number;
  if (Number.isNaN(known)) {
    tlb.filled[tlb.filledCount] = slot;
    tlb.filledCount++;
  }
  tlb.readBase[slot] = base;
  if (write) tlb.writeBase[slot] = base;
  else if (known !== base) tlb.writeBase[slot] = NaN;
  tlb.frameAt[slot] = frameAt;
}

export function tlbFlushAll(tlb: Tlb): void {
  for (let i = 0; i < tlb.filledCount; i++) {
    const slot = tlb.filled[i] as number;
    tlb.readBase[slot] = NaN;
    tlb.writeBase[slot] = NaN;
  }
  tlb.filledCount = 0;
}

/** Forgets the space as well: its block may be reused. */
export function tlbReset(tlb: Tlb): void {
  tlbFlushAll(tlb);
  tlb.space = 0;
}

/** Drops the translation of one page. Its slot stays listed as filled: that is only a hint. */
export function tlbFlushPage(tlb: Tlb, vpn: Vpn): void {
  const slot = vpn & (TLB_SLOTS - 1);
  if (tlb.readBase[slot] !== addressOf(vpn)) return;
  // No access hits this, and unlike NaN it says that the slot is listed already.
  tlb.readBase[slot] = -1;
  tlb.writeBase[slot] = NaN;
}
