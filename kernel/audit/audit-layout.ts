/** The audit's check of words outside every field: a value there means a stray write. */
import { peek } from '../../shared/atomics.ts';
import type { Block } from '../../shared/layout/block.ts';
import { wordName } from '../../shared/layout/names.ts';
import { REGIONS } from '../../shared/layout/regions.ts';
import type { WordIndex } from '../../shared/units.ts';
import type { Machine } from '../machine/machine.ts';
import type { AuditLedger } from './audit-ledger.ts';

/** All blocks before the frames. */
export function auditLayout(machine: Machine, ledger: AuditLedger): void {
  for (const { block, key, count } of REGIONS) {
    if (block === null || block.gaps.length === 0) continue;
    const first = machine[key];
    for (let i = 0; i < count(machine); i++) {
      auditGaps(machine, ledger, block, first + i * block.words);
    }
  }
}

/** One block, whose first word is `at`. */
export function auditGaps(
  machine: Machine,
  ledger: AuditLedger,
  block: Block,
  at: WordIndex,
): void {
  for (const gap of block.gaps) {
    const value = peek(machine.words, at + gap);
    if (value === 0) continue;
    ledger.check(false, `${wordName(machine, at + gap)} is of no field, but holds ${value}`);
  }
}
