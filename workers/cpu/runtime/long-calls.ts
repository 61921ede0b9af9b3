/**
 * Syscalls that would keep the kernel worker from everybody else's for long: one step over many
 * resident pages, in which no lock can be let go. The CPU of the process carries them out itself,
 * as a real one does.
 */
import { processOf, residentPages } from '../../../kernel/index.ts';
import type { Call } from '../../../kernel/index.ts';
import { peek } from '../../../shared/atomics.ts';
import {
  SYS_BRK,
  SYS_MPROTECT,
  SYS_MREMAP,
  SYS_MUNMAP,
} from '../../../shared/abi/syscall-numbers.ts';
import * as PROCESS from '../../../shared/layout/process.ts';
import { RANGE_BATCH_PAGES } from '../../../shared/limits.ts';
import { pagesOf } from '../../../shared/units.ts';
import { TRAP_DONE_HERE } from '../../../shared/wire.ts';
import type { RunningProcess } from './running-process.ts';

/** Whether it may be long, by its arguments. NaN is not long. */
function mayBeLong(number: number, [, length = NaN]: readonly number[]): boolean {
  switch (number) {
    case SYS_MUNMAP:
    case SYS_MPROTECT:
    case SYS_MREMAP:
      return pagesOf(length) > RANGE_BATCH_PAGES;
    default:
      return number === SYS_BRK;
  }
}

function isLong({ pid, context }: RunningProcess, call: Call): boolean {
  if (!mayBeLong(call.number, call.args)) return false;
  const { machine } = context.cpu;
  const proc = processOf(machine, pid);
  if (proc === 0) return false;
  return residentPages(machine, peek(machine.words, proc + PROCESS.SPACE)) > RANGE_BATCH_PAGES;
}

/** A syscall by trap, or on this CPU if it is long. The result, or -errno. */
export function trapOrHere(
  runner: RunningProcess,
  number: number,
  args: readonly number[],
): number {
  if (!isLong(runner, { number, args })) return runner.trap(number, args);
  const result = runner.local(number, args);
  runner.trap(TRAP_DONE_HERE, [number]);
  return result;
}

/** A syscall by message, or on this CPU if it is long. The result, or -errno. */
export async function messageOrHere(
  runner: RunningProcess,
  number: number,
  args: readonly number[],
): Promise<number> {
  const { pid, context } = runner;
  if (!isLong(runner, { number, args })) return context.kernel.syscall(pid, number, args);
  const result = runner.local(number, args);
  await context.kernel.syscall(pid, TRAP_DONE_HERE, [number]);
  return result;
}
