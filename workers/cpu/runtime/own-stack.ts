/** The stack that the kernel has mapped for a thread. */
import { loadWide } from '../../../kernel/index.ts';
import type { Machine } from '../../../kernel/index.ts';
import * as PROCESS from '../../../shared/layout/process.ts';
import { PAGE_SIZE } from '../../../shared/limits.ts';
import type { Proc } from '../../api/machine-api.ts';

/** Without the guard page below it; null when the process with block `proc` has none. */
export function ownStack(machine: Machine, proc: number): Proc['stack'] {
  const bytes = loadWide(machine, proc + PROCESS.STACK_BYTES);
  if (bytes === 0) return null;
  const address = loadWide(machine, proc + PROCESS.STACK) + PAGE_SIZE;
  return { address, bytes: bytes - PAGE_SIZE };
}
