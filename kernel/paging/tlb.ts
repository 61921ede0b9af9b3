/**
 * A CPU's TLB: direct-mapped, with read and write translations apart, private to its Worker.
 *
 * An entry is the byte address of a page and the word index of its frame. A lookup subtracts: the
 * access at `address` hits when `address - readBase[slot]` is an integer in [0, 4096), properly
 * aligned; NaN never compares, so an empty entry cannot hit, and neither can a fraction, a negative
 * or a NaN address. Write entries exist only for pages whose entry has D set, so dirty tracking and
 * copy-on-write cost nothing on a hit.
 *
 * The TLB holds translations of one space. It is `live` while its CPU is in user mode for that
 * space; anybody else's lookups go through empty arrays and miss.
 *
 * Guarantees: after `catchUp` no entry is older than the generation it read.
 */
import { load, peek } from '../../shared/atomics.ts';
import * as L from '../../shared/layout.ts';
import { PAGE_SIZE, TLB_FLUSH_ALL_PAGES, TLB_RING } from '../../shared/limits.ts';
import * as pte from '../../shared/pte.ts';
import { STAT, count } from '../cpu/cpu.ts';
import type { Cpu } from '../cpu/cpu.ts';
import { frameWord } from '../machine.ts';
import { peekEntry } from './table.ts';

export const TLB_SLOTS = 4096;

export class Tlb {
  readonly readBase: Float64Array = new Float64Array(TLB_SLOTS).fill(NaN);
  readonly writeBase: Float64Array = new Float64Array(TLB_SLOTS).fill(NaN);
  /** Word index of the frame's first word in the machine. */
  readonly frameAt: Int32Array = new Int32Array(TLB_SLOTS);
  /** Slots filled since the last full flush, so that flushing a small working set is cheap. */
  readonly filled: Int32Array = new Int32Array(TLB_SLOTS);
  filledCount = 0;
  /** Space whose translations it holds, 0 for none, and its S_ID: blocks are reused. */
  space = 0;
  spaceId = 0;
  /** Generation of that space that has been applied. */
  generation = 0;
}

/** Enters a translation. The entry was read, and its A (and D for `write`) set, by the caller. */
export function tlbFill(tlb: Tlb, vpn: number, frameAt: number, write: boolean): void {
  const slot = vpn & (TLB_SLOTS - 1);
  const base = vpn * PAGE_SIZE;
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
function tlbFlushPage(tlb: Tlb, vpn: number): void {
  const slot = vpn & (TLB_SLOTS - 1);
  if (tlb.readBase[slot] !== vpn * PAGE_SIZE) return;
  // No access hits this, and unlike NaN it says that the slot is listed already.
  tlb.readBase[slot] = -Infinity;
  tlb.writeBase[slot] = NaN;
}

/**
 * Applies what was invalidated since the TLB's generation, page by page where the space's ring
 * still tells, everything otherwise. Returns the generation reached: the caller acknowledges it.
 */
export function tlbCatchUp(cpu: Cpu, tlb: Tlb): number {
  const { words } = cpu;
  // ORDER: after this CPU published USER (see cpu-mode.ts), so that no invalidation is missed.
  const target = load(words, tlb.space + L.S_TLB_GEN);
  const behind = (target - tlb.generation) | 0;
  if (behind === 0) return target;
  count(cpu, STAT.tlbFlushes, 1);
  let exact = behind > 0 && behind < TLB_RING;
  for (let i = 1; exact && i <= behind; i++) {
    exact = applyRecord(cpu, tlb, (tlb.generation + i) | 0);
  }
  if (!exact) tlbFlushAll(tlb);
  tlb.generation = target;
  return target;
}

/** Applies one shootdown from the ring; false when it is gone, not yet written, or too large. */
function applyRecord(cpu: Cpu, tlb: Tlb, generation: number): boolean {
  const { words } = cpu;
  const at = tlb.space + L.S_TLB_RING + (generation & (TLB_RING - 1)) * L.TLB_RING_WORDS;
  // ORDER: the stamp is read before and after the record, which is written between two stamps.
  if (load(words, at) !== generation) return false;
  const start = load(words, at + 1);
  const pages = load(words, at + 2);
  if (load(words, at) !== generation) return false;
  if (pages > TLB_FLUSH_ALL_PAGES) return false;
  for (let i = 0; i < pages; i++) tlbFlushPage(tlb, start + i);
  return true;
}

/**
 * The pages whose translation says something else than the tables, after what was invalidated has
 * been applied. While the machine is stopped.
 */
export function tlbAudit(cpu: Cpu, tlb: Tlb): number[] {
  const bad: number[] = [];
  if (tlb.space === 0 || peek(cpu.words, tlb.space + L.S_ID) !== tlb.spaceId) return bad;
  tlbCatchUp(cpu, tlb);
  for (let i = 0; i < tlb.filledCount; i++) {
    const slot = tlb.filled[i] as number;
    const base = tlb.readBase[slot] as number;
    if (!(base >= 0)) continue;
    if (!agrees(cpu, tlb, slot, base / PAGE_SIZE)) bad.push(base / PAGE_SIZE);
  }
  return bad;
}

function agrees(cpu: Cpu, tlb: Tlb, slot: number, vpn: number): boolean {
  const entry = peekEntry(cpu, tlb.space, vpn);
  if (!pte.isPresent(entry)) return false;
  const offset = (entry & pte.PTE_S) !== 0 ? vpn & 1023 : 0;
  if (frameWord(cpu.machine, pte.pfnOf(entry) + offset) !== tlb.frameAt[slot]) return false;
  if ((entry & pte.PTE_R) === 0) return false;
  if (tlb.writeBase[slot] !== tlb.readBase[slot]) return true;
  return (entry & pte.PTE_W) !== 0 && (entry & pte.PTE_D) !== 0;
}
