/** `proc`: what a program gets to talk to its machine. Its types, with their meaning: api.ts. */
import type { Proc, SyncSyscalls } from '../api.ts';
import { asyncSyscalls } from './async-syscalls.ts';
import { ProcessKilled } from '../wire/errors.ts';
import { UserMemory } from '../user/memory.ts';
import type { ProcessRunner } from './process-runner.ts';
import { checkNumbers, checkResult } from './proc-guard.ts';
import { syscallMethods } from './syscall-methods.ts';

export function createProc(runner: ProcessRunner): Proc {
  const { pid, guard, context, module } = runner;
  const { kernel, init } = context;
  const timed = (run: (op: number, args: readonly number[]) => number): SyncSyscalls =>
    syscallMethods((name, number, args) =>
      guard.sync(() => {
        checkNumbers(name, args);
        const startedMs = performance.now();
        const result = run(number, args);
        context.record(name, startedMs);
        return checkResult(name, result);
      }),
    );
  return {
    pid,
    cpu: init.cpu,
    seed: init.seed,
    mem: new UserMemory(runner.mmu),
    sync: timed((op, args) => runner.trap(op, args)),
    local: timed((op, args) => runner.local(op, args)),
    ...asyncSyscalls({
      pid,
      guard,
      kernel,
      module,
      record: (name, startedMs) => context.record(name, startedMs),
    }),
    exit: (code = 0) => {
      guard.check();
      runner.end({ code: code & 0xff });
      throw new ProcessKilled(pid, 'exit');
    },
    sigaction: (signal, handler) => {
      guard.check();
      runner.setHandler(signal, handler);
    },
    print: (line) => {
      guard.check();
      kernel.print(pid, String(line)).catch(() => {});
    },
  };
}
