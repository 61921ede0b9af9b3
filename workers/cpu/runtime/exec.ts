/**
 * execve on the process's CPU: the new program is loaded while the old one still runs, then the
 * kernel worker exchanges the address space while this Worker sleeps, and nothing of the old
 * program runs again: its promises never settle, its timers meet ProcessKilled.
 */
import { dropContext } from '../../../kernel/index.ts';
import { TRAP_STAGED } from '../../../shared/wire.ts';
import type { ExecOptions, Program } from '../../api/machine-api.ts';
import type { WireStart } from '../../../shared/wire.ts';
import { moduleName } from '../../boot/spawn-request.ts';
import { SyscallError } from '../../wire/errors.ts';
import { loadProgram } from './load-program.ts';
import type { RunningProcess } from './running-process.ts';

/** Never settles: `replaced` begins the program. Or -errno; rejects if it does not load. */
export async function execProgram(
  runner: RunningProcess,
  module: string,
  { args = [], name = moduleName(module) }: ExecOptions,
  replaced: (start: WireStart, main: Program) => void,
): Promise<number> {
  const { pid, context, guard, mmu } = runner;
  const { mode } = context;
  const main = await loadProgram(module, 'default');
  if (typeof main !== 'function') throw new SyscallError('execve', main.errno, main.status.reason);
  runner.check();
  context.kernel.stage(pid, { call: 'exec', name: String(name) }).catch(() => {});
  const outcome = mode.inKernel(() => {
    // Not to be interrupted: the CPU must forget the old space if it is gone.
    const result = context.trap(TRAP_STAGED, pid, [], () => false);
    if (result === 0) dropContext(mode.user, mmu.context);
    return result;
  });
  if (outcome < 0) return outcome;
  guard.end('exec');
  context.timers.stop(runner.account);
  mmu.close();
  replaced({ pid, module, entry: 'default', args, stack: null }, main);
  return new Promise(() => {});
}
