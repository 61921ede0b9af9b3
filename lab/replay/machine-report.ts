/** What a machine tells at the end of a replay, and what its audit finds. */
import { readHistogram } from '../../kernel/reports/histogram.ts';
import type { Quantiles } from '../../kernel/reports/histogram.ts';
import { SYSCALL_NAMES } from '../../shared/abi/syscall-names.ts';
import type { ReplayMachine } from './machine/replay-machine.ts';
import { faultCounts } from './machine/usage-rows.ts';
import type { ReplayReport } from './replay-report.ts';

export function machineReport(
  machine: ReplayMachine,
): Pick<ReplayReport, 'faults' | 'syscalls' | 'violations'> {
  const syscalls: Record<string, Quantiles> = {};
  SYSCALL_NAMES.forEach((name, index) => {
    const quantiles = readHistogram(machine.machine, index);
    if (quantiles.count > 0) syscalls[name] = quantiles;
  });
  return { faults: faultCounts(machine.cpu), syscalls, violations: machine.audit() };
}
