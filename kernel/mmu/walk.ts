/**
 * The MMU's part of the machine: page walks that set A and D and fill the TLB, and the passage of a
 * CPU into user mode. Runs in user mode, without locks: a shootdown waits for it, because the CPU
 * acknowledges only between accesses.
 */
import { compareExchange, load, peek, store } from '../../shared/atomics.ts';
import * as CPU from '../../shared/layout/cpu.ts';
import * as SPACE from '../../shared/layout/space.ts';
import * as pte from '../../shared/pte.ts';
import type { Cpu } from '../machine/cpu.ts';
import { enterUser, signalWaiters } from '../machine/cpu-mode.ts';
import { ROOT_LEVEL } from '../machine/cursor.ts';
import { frameWord } from '../machine/machine.ts';
import { entryAt } from '../paging/table.ts';
import { tlbFill, tlbFlushAll } from '../machine/tlb.ts';
import type { Tlb } from '../machine/tlb.ts';
import { tlbCatchUp } from './tlb-sync.ts';

/** From kernel mode to user mode of `space`, with a TLB that holds nothing outdated. */
export function resumeUser(cpu: Cpu, tlb: Tlb, space: number): void {
  const { words } = cpu;
  const spaceId = peek(words, space + SPACE.ID);
  if (tlb.space !== space || tlb.spaceId !== spaceId) {
    tlbFlushAll(tlb);
    tlb.space = space;
    tlb.spaceId = spaceId;
    // ORDER: an empty TLB is up to date with whatever generation it reads.
    tlb.lazyGeneration = load(words, space + SPACE.LAZY_GEN);
    tlb.generation = load(words, space + SPACE.TLB_GEN);
  }
  // The words may hold acknowledgements of another space, which an initiator must not take for
  // ours. Only this CPU writes them while it runs, so what is right already needs no store.
  // ORDER: before USER is published.
  if (peek(words, cpu.base + CPU.ACK) !== tlb.generation) {
    store(words, cpu.base + CPU.ACK, tlb.generation);
  }
  if (peek(words, cpu.base + CPU.LAZY_ACK) !== tlb.lazyGeneration) {
    store(words, cpu.base + CPU.LAZY_ACK, tlb.lazyGeneration);
  }
  enterUser(cpu, space);
  sweepTlb(cpu, tlb);
  // ORDER: after USER was published (Dekker; cpu-mode.ts). A generation that has not moved is
  // acknowledged already.
  if (load(words, space + SPACE.TLB_GEN) !== tlb.generation) acknowledge(cpu, tlb);
  else signalWaiters(cpu);
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

/**
 * Translates `vpn` for a read or a write, sets A (and D), and fills the TLB.
 * False when the access must fault.
 */
export function walk(cpu: Cpu, tlb: Tlb, vpn: number, write: boolean): boolean {
  const { machine, words } = cpu;
  const needed = write ? pte.PTE_W | pte.PTE_R : pte.PTE_R;
  const marks = write ? pte.PTE_A | pte.PTE_D : pte.PTE_A;
  let table = peek(words, tlb.space + SPACE.ROOT);
  for (let level = ROOT_LEVEL; level >= 0; level--) {
    const at = entryAt(machine, table, level, vpn);
    // ORDER: acquires what the entry points to: the child table, or the zeroed frame.
    let entry = load(words, at);
    if (level > 0 && pte.isTable(entry)) {
      table = pte.pfnOf(entry);
      continue;
    }
    for (;;) {
      if (!pte.isPresent(entry) || (entry & needed) !== needed) return false;
      if ((entry & marks) === marks) break;
      // ORDER: sets A and D only on the entry that was checked, as hardware does.
      const seen = compareExchange(words, at, entry, entry | marks);
      if (seen === entry) break;
      entry = seen;
    }
    const within = level > 0 ? vpn & 1023 : 0;
    tlbFill(tlb, vpn, frameWord(machine, pte.pfnOf(entry) + within), write);
    return true;
  }
  return false;
}
