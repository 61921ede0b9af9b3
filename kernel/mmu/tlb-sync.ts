/**
 * Keeping a TLB in step with its space: applying shootdowns, and comparing it with the tables.
 *
 * Guarantees: after `tlbCatchUp` no TLB entry is older than the generation that it read.
 */
import { load, peek, store } from '../../shared/atomics.ts';
import * as CPU from '../../shared/layout/cpu.ts';
import * as SPACE from '../../shared/layout/space.ts';
import { SPAN_PAGES, TLB_FLUSH_ALL_PAGES, TLB_RING } from '../../shared/limits.ts';
import * as pte from '../../shared/pte.ts';
import { vpnOf } from '../../shared/units.ts';
import type { Vpn } from '../../shared/units.ts';
import { STAT, count } from '../machine/cpu.ts';
import type { Cpu } from '../machine/cpu.ts';
import { signalWaiters } from '../machine/cpu-mode.ts';
import { frameWord } from '../machine/machine.ts';
import { peekEntry } from '../paging/table.ts';
import { tlbFlushAll, tlbFlushPage } from '../machine/tlb.ts';
import type { Tlb } from '../machine/tlb.ts';

/**
 * Applies the invalidations since the TLB's generation: page by page where the space's ring still
 * has them, else by a full flush. Returns the generation reached, which the caller acknowledges.
 */
export function tlbCatchUp(cpu: Cpu, tlb: Tlb): number {
  const { words } = cpu;
  // ORDER: after this CPU published USER (see cpu-mode.ts), so that no invalidation is missed.
  const target = load(words, tlb.space + SPACE.TLB_GEN);
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

/** Applies pending invalidations in user mode and tells their initiators. */
export function acknowledge(cpu: Cpu, tlb: Tlb): void {
  const generation = tlbCatchUp(cpu, tlb);
  // ORDER: after the stale entries are gone; the initiator frees frames when it reads this.
  store(cpu.words, cpu.base + CPU.ACK, generation);
  signalWaiters(cpu);
}

/** Applies lazy invalidations, in user mode: at its entry and at the ordered polls. */
export function sweepTlb(cpu: Cpu, tlb: Tlb): void {
  // ORDER: read before the entries are dropped; what is announced later is swept later.
  const generation = load(cpu.words, tlb.space + SPACE.LAZY_GEN);
  if (generation === tlb.lazyGeneration) return;
  tlbFlushAll(tlb);
  tlb.lazyGeneration = generation;
  // ORDER: after the entries are gone; frames are released when this is read.
  store(cpu.words, cpu.base + CPU.LAZY_ACK, generation);
}

/** Applies one shootdown from the ring; false when it is gone, not yet written, or too large. */
function applyRecord(cpu: Cpu, tlb: Tlb, generation: number): boolean {
  const { words } = cpu;
  const at = tlb.space + SPACE.TLB_RING + (generation & (TLB_RING - 1)) * SPACE.TLB_RING_WORDS;
  // ORDER: the stamp is read before and after the record, which is written between two stamps.
  if (load(words, at + SPACE.RING_STAMP) !== generation) return false;
  const startVpn = load(words, at + SPACE.RING_START_VPN);
  const pages = load(words, at + SPACE.RING_PAGES);
  if (load(words, at + SPACE.RING_STAMP) !== generation) return false;
  if (pages > TLB_FLUSH_ALL_PAGES) return false;
  for (let i = 0; i < pages; i++) tlbFlushPage(tlb, startVpn + i);
  return true;
}

/**
 * The pages whose translation disagrees with the tables after all pending invalidations have been
 * applied. While the machine is stopped.
 */
export function tlbAudit(cpu: Cpu, tlb: Tlb): Vpn[] {
  const bad: Vpn[] = [];
  if (tlb.space === 0 || peek(cpu.words, tlb.space + SPACE.ID) !== tlb.spaceId) return bad;
  // ORDER: the machine is stopped. What was announced lazily may still be here; a sweep is due
  // before the TLB is used again.
  if (load(cpu.words, tlb.space + SPACE.LAZY_GEN) !== tlb.lazyGeneration) return bad;
  tlbCatchUp(cpu, tlb);
  for (let i = 0; i < tlb.filledCount; i++) {
    const slot = tlb.filled[i] as number;
    const base = tlb.readBase[slot] as number;
    if (!(base >= 0)) continue;
    if (!agrees(cpu, tlb, slot, vpnOf(base))) bad.push(vpnOf(base));
  }
  return bad;
}

function agrees(cpu: Cpu, tlb: Tlb, slot: number, vpn: Vpn): boolean {
  const entry = peekEntry(cpu, tlb.space, vpn);
  if (!pte.isPresent(entry)) return false;
  const offset = (entry & pte.PTE_S) !== 0 ? vpn & (SPAN_PAGES - 1) : 0;
  const frame = pte.frameOfPage(entry, offset);
  if (frameWord(cpu.machine, frame) !== tlb.frameAt[slot]) return false;
  if ((entry & pte.PTE_R) === 0) return false;
  if (tlb.writeBase[slot] !== tlb.readBase[slot]) return true;
  return (entry & pte.PTE_W) !== 0 && (entry & pte.PTE_D) !== 0;
}
