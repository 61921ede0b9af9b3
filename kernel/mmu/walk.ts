/**
 * The page walk of an MMU: down the tables, A and D set on the entry that allows the access, and
 * the translation into the TLB. Runs in user mode, without locks: a shootdown waits for it, because
 * the CPU acknowledges only between accesses.
 */
import { compareExchange, load, peek } from '../../shared/atomics.ts';
import * as SPACE from '../../shared/layout/space.ts';
import * as pte from '../../shared/pte.ts';
import type { Pfn, Pte, Vpn, WordIndex } from '../../shared/units.ts';
import type { Cpu } from '../machine/cpu.ts';
import { ROOT_LEVEL, pagesAt } from '../machine/cursor.ts';
import { frameWord } from '../machine/machine.ts';
import { tlbFill } from '../machine/tlb.ts';
import type { Tlb } from '../machine/tlb.ts';
import { entryAt } from '../paging/table.ts';

/**
 * Translates `vpn` for a read or a write, sets A (and D), and fills the TLB.
 * False when the access must fault.
 */
export function walk(cpu: Cpu, tlb: Tlb, vpn: Vpn, write: boolean): boolean {
  const { machine, words } = cpu;
  let table: Pfn = peek(words, tlb.space + SPACE.ROOT);
  for (let level = ROOT_LEVEL; level >= 0; level--) {
    const at = entryAt(machine, table, level, vpn);
    // ORDER: acquires what the entry points to: the child table, or the zeroed frame.
    const entry: Pte = load(words, at);
    if (level > 0 && pte.isTable(entry)) {
      table = pte.pfnOf(entry);
      continue;
    }
    const marked = markEntry(cpu, at, entry, write);
    if (marked === 0) return false;
    const within = vpn & (pagesAt(level) - 1);
    tlbFill(tlb, vpn, frameWord(machine, pte.frameOfPage(marked, within)), write);
    return true;
  }
  return false;
}

/**
 * Sets A, and D for a write, if the entry at `at`, last read as `entry`, allows the access: the
 * entry as it is then. 0 when the access must fault.
 */
export function markEntry(cpu: Cpu, at: WordIndex, entry: Pte, write: boolean): Pte {
  const needed = write ? pte.PTE_W | pte.PTE_R : pte.PTE_R;
  const marks = write ? pte.PTE_A | pte.PTE_D : pte.PTE_A;
  let seen = entry;
  while (pte.isPresent(seen) && (seen & needed) === needed) {
    if ((seen & marks) === marks) return seen;
    // ORDER: sets A and D only on the entry that was checked, as hardware does.
    const before = compareExchange(cpu.words, at, seen, seen | marks);
    if (before === seen) return seen | marks;
    seen = before;
  }
  return 0;
}
