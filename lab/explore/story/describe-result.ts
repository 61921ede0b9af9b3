/** What operations returned: 'write 7 to page 0 → 0', 'read page 2 → SIGSEGV at page 2'. */
import * as CODES from '../../../kernel/machine/fault-codes.ts';
import { errnoName } from '../../../shared/abi/errno.ts';
import { signalName } from '../../../shared/abi/signals.ts';
import { PAGE_SIZE } from '../../../shared/limits.ts';
import { BASE } from '../model/kit.ts';
import type { Operation } from '../model/kit.ts';
import { KILLED, REFUSED } from '../model/result-codes.ts';
import { pageName } from '../model/page-names.ts';

const FAULTS: Readonly<Record<number, string>> = {
  [CODES.FAULT_DONE]: 'resolved',
  [CODES.FAULT_SPURIOUS]: 'resolved by another CPU',
  [CODES.FAULT_MAPERR]: 'SIGSEGV, nothing is mapped',
  [CODES.FAULT_ACCERR]: 'SIGSEGV, not permitted',
  [CODES.FAULT_BUS]: 'SIGBUS',
  [CODES.FAULT_NO_MEMORY]: 'out of memory',
  [CODES.FAULT_WAIT]: 'waits for the page',
};
/** What is returned below this is an address. */
const ERRNO_MAX = 200;

/** An operation and what it returned. */
export function describeDone(operation: Operation, result: number | undefined): string {
  return `${operation.name} → ${describeResult(operation, result)}`;
}

export function describeResult({ page, returns }: Operation, result: number | undefined): string {
  if (result === undefined) return 'no end';
  const where = page === undefined ? '' : ` at page ${page}`;
  if (returns === 'fault') return FAULTS[result] ?? `fault code ${result}`;
  if (result <= KILLED && result > 2 * KILLED) {
    return result === KILLED ? 'ended' : `ended by ${signalName(KILLED - result)}`;
  }
  if (result <= REFUSED && result > KILLED) return refusal(REFUSED - result, where);
  if (result < 0 && result > -ERRNO_MAX) return errnoName(-result);
  const isAddress = result >= BASE && result % PAGE_SIZE === 0;
  return isAddress ? `address of ${pageName(result / PAGE_SIZE)}` : String(result);
}

/** 'SIGSEGV at page 2, not permitted'. */
function refusal(code: number, where: string): string {
  const text = FAULTS[code] ?? `refused (${code})`;
  return /^SIG\w+/.test(text) ? text.replace(/^SIG\w+/, (signal) => signal + where) : text;
}
