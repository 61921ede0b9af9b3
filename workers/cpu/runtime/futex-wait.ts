/**
 * A process's waits on futexes, which its own CPU carries out: asleep with the whole Worker, or as
 * a promise while others run. The waiter's state is one word in the machine; both sleep on it.
 *
 * Guarantees: a woken wait reports it even if its time ran out or a signal came at that moment.
 * Nothing of an ended process is touched: the kernel frees its waiters.
 */
import {
  WAIT_PAGE,
  futexBegin,
  futexFinish,
  releaseFaultObject,
  blockCpu,
  canBeWoken,
  futexSleep,
  unblockCpu,
  FAULT_DONE,
  hasSignal,
} from '../../../kernel/index.ts';
import type { Cpu } from '../../../kernel/index.ts';
import { load, notify } from '../../../shared/atomics.ts';
import { EDEADLK, EFAULT, EINTR, EINVAL, ETIMEDOUT } from '../../../shared/abi/errno.ts';
import * as FUTEX from '../../../shared/layout/futex.ts';
import { CPUS_MAX } from '../../../shared/limits.ts';
import { sleepOn } from './wait-async.ts';

/** What the waits need from their process. */
export interface FutexHost {
  readonly cpu: Cpu;
  /** Its block. */
  readonly proc: number;
  inKernel<Result>(work: () => Result): Result;
  /** In kernel mode: has the page of `address` supplied. A FAULT_* code, or -EINTR. */
  supply(address: number): number;
  /** Blocks the thread; no process is charged for the time. */
  asleep<Result>(sleep: () => Result): Result;
  isOver(): boolean;
  /** BLOCKED: ends other processes of the CPU that were killed. */
  endKilled(): void;
  onInterrupt(interrupt: () => void): () => void;
}

/** One sleep of a synchronous wait, after which killed processes of the CPU are ended. */
const LOOK_MS = 100;
/** Longest wait with a limit: that of a timer, 2^31 - 1 ms. */
const TIMEOUT_MS_MAX = 2 ** 31 - 1;

/** In kernel mode: the waiter's block, or a negative errno. */
function begin(host: FutexHost, address: number, expected: number): number {
  for (;;) {
    const waiter = futexBegin(host.cpu, host.proc, address, expected);
    if (waiter !== -WAIT_PAGE) return waiter;
    releaseFaultObject(host.cpu, host.cpu.faultObject);
    const outcome = host.supply(address);
    if (outcome !== FAULT_DONE) return outcome === -EINTR ? -EINTR : -EFAULT;
  }
}

function checkTimeout(timeoutMs: number): boolean {
  return timeoutMs >= 0 && (timeoutMs <= TIMEOUT_MS_MAX || timeoutMs === Infinity);
}

/** Sleeps in slices: other processes of the Worker may be killed meanwhile. */
function sleepSync(host: FutexHost, waiter: number, timeoutMs: number): void {
  const { cpu, proc } = host;
  let leftMs = timeoutMs;
  // ORDER: a momentary value: futexSleep and futexFinish look again.
  while (load(cpu.words, waiter + FUTEX.STATE) === FUTEX.WAITING) {
    if (leftMs <= 0 || hasSignal(cpu, proc)) return;
    const sliceMs = Math.min(leftMs, LOOK_MS);
    futexSleep(cpu, proc, waiter, sliceMs);
    leftMs -= sliceMs;
    host.endKilled();
  }
}

/** Sleeps with the Worker. 0, or a negative errno. */
export function futexWaitSync(
  host: FutexHost,
  address: number,
  expected: number,
  timeoutMs: number,
): number {
  if (!checkTimeout(timeoutMs)) return -EINVAL;
  const { cpu, proc } = host;
  return host.inKernel(() => {
    const waiter = begin(host, address, expected);
    if (waiter < 0) return waiter;
    if (timeoutMs === Infinity && !canBeWoken(cpu, proc, waiter)) {
      return futexFinish(cpu, proc, waiter) ? 0 : -EDEADLK;
    }
    host.asleep(() => {
      blockCpu(cpu);
      sleepSync(host, waiter, timeoutMs);
      unblockCpu(cpu);
    });
    if (futexFinish(cpu, proc, waiter)) return 0;
    return hasSignal(cpu, proc) ? -EINTR : -ETIMEDOUT;
  });
}

/** Waits while others run. 0, or a negative errno; never settles when the process has ended. */
export async function futexWaitAsync(
  host: FutexHost,
  address: number,
  expected: number,
  timeoutMs: number,
): Promise<number> {
  if (!checkTimeout(timeoutMs)) return -EINVAL;
  const { words } = host.cpu;
  const deadlineMs = performance.now() + timeoutMs;
  const waiter = host.inKernel(() => begin(host, address, expected));
  if (waiter < 0) return waiter;
  let isInterrupted = false;
  const settled = host.onInterrupt(() => {
    isInterrupted = true;
    notify(words, waiter + FUTEX.STATE, CPUS_MAX);
  });
  for (;;) {
    const leftMs = deadlineMs - performance.now();
    if (leftMs <= 0 || isInterrupted) break;
    // ORDER: `sleepOn` compares again; a wake in between is not missed.
    if (load(words, waiter + FUTEX.STATE) !== FUTEX.WAITING) break;
    await sleepOn(words, waiter + FUTEX.STATE, FUTEX.WAITING, leftMs);
    if (host.isOver()) return new Promise(() => {});
  }
  settled();
  const isWoken = host.inKernel(() => futexFinish(host.cpu, host.proc, waiter));
  if (isWoken) return 0;
  return isInterrupted ? -EINTR : -ETIMEDOUT;
}
