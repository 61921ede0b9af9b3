/**
 * The process syscalls of `proc` that may take long: waits, sleeps, signals, and those that this
 * CPU carries out itself although they return a promise.
 *
 * Guarantees: a wait that can be interrupted settles once, with its outcome or EINTR.
 */
import type { SyscallName } from '../../../kernel/index.ts';
import { EINTR, EINVAL } from '../../../shared/abi/errno.ts';
import { SYS_FUTEX_WAKE, SYS_WAIT4 } from '../../../shared/abi/syscalls.ts';
import { waitStatusOf } from '../../../shared/abi/wait-status.ts';
import type { Proc, WaitResult } from '../../api/machine-api.ts';
import { futexWaitAsync } from './futex-wait.ts';
import { clearHostTimeout, setHostTimeout } from './host-timers.ts';
import { checkNumbers, checkResult } from './proc-guard.ts';
import type { Resume } from './proc-guard.ts';
import type { RunningProcess } from './running-process.ts';

type ProcessSyscalls = Pick<
  Proc,
  'wait' | 'wait4' | 'kill' | 'nanosleep' | 'schedYield' | 'futexWake' | 'futexWait'
>;

/** Longest timer of JavaScript hosts: 2^31 - 1 ms. */
const TIMER_MS_MAX = 2 ** 31 - 1;

/** Sleeps until the time is over or a signal's handler has run. 0 or -errno. */
async function sleep(runner: RunningProcess, nanoseconds: number): Promise<number> {
  if (!(nanoseconds >= 0)) return -EINVAL;
  let isInterrupted = false;
  let leftMs = nanoseconds / 1e6;
  do {
    const sliceMs = Math.min(leftMs, TIMER_MS_MAX);
    await new Promise<void>((resolve) => {
      const timer = setHostTimeout(done, Math.ceil(sliceMs));
      const settled = runner.signals.onInterrupt(() => {
        isInterrupted = true;
        clearHostTimeout(timer);
        done();
      });
      function done(): void {
        settled();
        resolve();
      }
    });
    leftMs -= sliceMs;
  } while (leftMs > 0 && !isInterrupted);
  return isInterrupted ? -EINTR : 0;
}

/** A wait for a child, by message, until a signal's handler has run. */
async function interruptibly<Result>(
  { pid, context, signals }: RunningProcess,
  wait: () => Promise<Result>,
): Promise<Result> {
  const settled = signals.onInterrupt(() => {
    context.kernel.interruptWaits(pid).catch(() => {});
  });
  const result = await wait();
  settled();
  return result;
}

async function waitFor(runner: RunningProcess, child: number | null): Promise<WaitResult | number> {
  const { pid, context } = runner;
  const result = await interruptibly(runner, async () => context.kernel.wait(pid, child));
  if (typeof result === 'number') return result;
  return { ...result, waitStatus: waitStatusOf(result.status) };
}

export function processSyscalls(runner: RunningProcess): ProcessSyscalls {
  const { pid, guard, context, account } = runner;
  const { kernel, queue } = context;
  /** In a turn of its own, so that a loop of such calls lets others and messages in. */
  const nextTurn: Resume = (run) => queue.add(account, run);
  const call = <Value>(
    name: SyscallName,
    args: readonly unknown[],
    start: () => Promise<Value | number>,
    resume?: Resume,
  ): Promise<Value> =>
    guard.async(async () => {
      checkNumbers(name, args);
      const startedMs = performance.now();
      const result = await start();
      context.record(name, startedMs);
      return checkResult<Value>(name, result);
    }, resume);
  return {
    wait: (child) => call('wait', [child ?? 0], () => waitFor(runner, child ?? null)),
    wait4: (child, status = 0, options = 0, usage = 0) =>
      call('wait4', [child, status, options, usage], () =>
        interruptibly(runner, async () =>
          kernel.syscall(pid, SYS_WAIT4, [child, status, options, usage]),
        ),
      ),
    kill: (target, signal = 'SIGKILL') =>
      call<0>('kill', [target], () => kernel.kill(pid, target, signal)),
    nanosleep: (nanoseconds) =>
      call<0>('nanosleep', [nanoseconds], () => sleep(runner, nanoseconds)),
    schedYield: () => call<0>('sched_yield', [], async () => 0, nextTurn),
    futexWake: (address, count = 1) =>
      call(
        'futex_wake',
        [address, count],
        async () => runner.local(SYS_FUTEX_WAKE, [address, count]),
        nextTurn,
      ),
    futexWait: (address, expected, timeoutMs = Infinity) =>
      call<0>(
        'futex_wait',
        [address, expected, timeoutMs],
        () => futexWaitAsync(runner.futexHost(), address, expected, timeoutMs),
        nextTurn,
      ),
  };
}
