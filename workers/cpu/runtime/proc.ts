/** `proc`: what a program gets to talk to its machine. workers/api/ has its types and meaning. */
import type { SyscallName } from '../../../kernel/index.ts';
import type { FaultHandler, Proc, SignalAction, SyncSyscalls } from '../../api/machine-api.ts';
import { asyncSyscalls } from './async-syscalls.ts';
import { ProcessKilled } from '../../wire/errors.ts';
import { messageOrHere, trapOrHere } from './long-calls.ts';
import { UserMemory } from '../memory/memory.ts';
import type { RunningProcess } from './running-process.ts';
import { processSyscalls } from './process-syscalls.ts';
import { checkNumbers, checkResult } from './proc-guard.ts';
import { stagedSyscalls } from './staged-syscalls.ts';
import { syscallMethods } from './syscall-methods.ts';

/** Ends the process, or `endsGroup` with its other threads. */
function exit(runner: RunningProcess, code: number, endsGroup: boolean): never {
  runner.guard.check();
  runner.context.queue.runs(runner.account);
  runner.end({ code: code & 0xff }, endsGroup);
  throw new ProcessKilled(runner.pid, 'exit');
}

export function createProc(runner: RunningProcess): Proc {
  const { pid, guard, context, module } = runner;
  const { kernel, init } = context;
  const timed = <Result extends number>(
    name: SyscallName,
    args: readonly number[],
    run: () => number,
  ): Result =>
    guard.sync(() => {
      checkNumbers(name, args);
      const startedMs = performance.now();
      const result = run();
      context.record(name, startedMs);
      return checkResult<Result>(name, result);
    });
  const methods = (run: (op: number, args: readonly number[]) => number): SyncSyscalls => ({
    ...syscallMethods((name, number, args) => timed(name, args, () => run(number, args))),
    futexWait: (address, expected, timeoutMs = Infinity) =>
      timed('futex_wait', [address, expected, timeoutMs], () =>
        runner.futexWait(address, expected, timeoutMs),
      ),
  });
  return {
    pid,
    cpu: init.cpu,
    seed: init.seed,
    mem: new UserMemory(runner.mmu),
    stack: runner.stack(),
    sync: { ...methods((op, args) => trapOrHere(runner, op, args)), ...stagedSyscalls(runner) },
    local: methods((op, args) => runner.local(op, args)),
    ...asyncSyscalls({
      pid,
      guard,
      kernel,
      module,
      pages: runner.pages,
      call: (number, args) => messageOrHere(runner, number, args),
      exec: (child, options) => runner.exec(child, options),
      record: (name, startedMs) => context.record(name, startedMs),
    }),
    ...processSyscalls(runner),
    exit: (code = 0) => exit(runner, code, false),
    exitGroup: (code = 0) => exit(runner, code, true),
    sigaction: (signal: string, action: SignalAction | FaultHandler) =>
      guard.sync(() => {
        guard.check();
        runner.signals.sigaction(signal, action);
      }),
    sigprocmask: (how, signals) =>
      guard.sync(() => {
        guard.check();
        return runner.signals.sigprocmask(how, signals);
      }),
    sigpending: () => {
      guard.check();
      return runner.signals.sigpending();
    },
    print: (line) => {
      guard.check();
      kernel.print(pid, String(line)).catch(() => {});
    },
  };
}
