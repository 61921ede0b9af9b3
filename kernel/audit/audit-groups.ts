/** The audit of memory groups: their counts against those of the spaces in them. */
import { peek } from '../../shared/atomics.ts';
import * as BOOT from '../../shared/layout/boot.ts';
import * as GROUP from '../../shared/layout/group.ts';
import { MEMORY_GROUPS_MAX } from '../../shared/limits.ts';
import type { Cpu } from '../machine/cpu.ts';
import type { AuditLedger } from './audit-ledger.ts';

/** After the spaces, which tell what they count in their group. */
export function auditGroups(cpu: Cpu, ledger: AuditLedger): void {
  const { words } = cpu;
  for (let i = 0; i < MEMORY_GROUPS_MAX; i++) {
    const group = BOOT.GROUPS + i * GROUP.WORDS;
    const limit = peek(words, group + GROUP.LIMIT);
    const spaces = peek(words, group + GROUP.SPACES);
    const resident = peek(words, group + GROUP.RESIDENT);
    const found = ledger.groups.get(group) ?? { spaces: 0, resident: 0 };
    ledger.check((limit === 0) === (spaces === 0), `group ${i}: limit ${limit}, ${spaces} spaces`);
    ledger.check(
      spaces === found.spaces,
      `group ${i}: counts ${spaces} spaces, has ${found.spaces}`,
    );
    ledger.check(
      resident === found.resident,
      `group ${i}: counts ${resident} resident pages, has ${found.resident}`,
    );
    if (limit !== 0) ledger.tally('memoryGroups', 1);
  }
}
