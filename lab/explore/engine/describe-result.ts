/** What operations returned, in words: 'CPU 0: write 0=7 → 0, read 0 → SIGSEGV'. */
import {
  FAULT_ACCERR,
  FAULT_BUS,
  FAULT_MAPERR,
  FAULT_NO_MEMORY,
} from '../../../kernel/machine/fault-codes.ts';
import { errnoName } from '../../../shared/abi/errno.ts';
import { signalName } from '../../../shared/abi/signals.ts';
import type { Operation } from '../model/kit.ts';
import { KILLED, REFUSED } from '../model/result-codes.ts';

const FAULTS: Readonly<Record<number, string>> = {
  [FAULT_MAPERR]: 'SIGSEGV (SEGV_MAPERR)',
  [FAULT_ACCERR]: 'SIGSEGV (SEGV_ACCERR)',
  [FAULT_BUS]: 'SIGBUS',
  [FAULT_NO_MEMORY]: 'out of memory',
};

/** `results` by CPU; an operation that did not end has none. */
export function describeResults(
  cpus: readonly (readonly Operation[])[],
  results: readonly (readonly number[])[],
): string {
  const lists = cpus.map((operations, cpu) => {
    const each = operations.map(({ name }, i) => `${name} → ${describeResult(results[cpu]?.[i])}`);
    return `CPU ${cpu}: ${each.join(', ')}`;
  });
  return lists.join(' | ');
}

function describeResult(result: number | undefined): string {
  if (result === undefined) return 'no end';
  if (result <= KILLED && result > 2 * KILLED) {
    return result === KILLED ? 'ended' : `ended by ${signalName(KILLED - result)}`;
  }
  if (result <= REFUSED && result > KILLED) {
    return FAULTS[REFUSED - result] ?? `refused (${REFUSED - result})`;
  }
  return result < 0 && result > -200 ? `${errnoName(-result)}` : String(result);
}
