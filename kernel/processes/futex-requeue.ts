/**
 * futex(2), for the operations that do not sleep: FUTEX_WAKE, FUTEX_REQUEUE, FUTEX_CMP_REQUEUE. A
 * requeue wakes some waiters of a word and lets others wait for another word instead, so that a
 * broadcast does not wake everybody for one lock.
 *
 * Guarantees: waiters keep their order; a waiter is at each moment in the queue of the word that a
 * wake for it would look in. FUTEX_CMP_REQUEUE compares the word under both queues' locks.
 * Locking: areas; then the page of the word that is compared; then both queues, in ascending order.
 * Checks and their order are Linux's (6.18). Not here: FUTEX_WAIT, which is futexWait, and the
 * operations about priorities.
 */
import { load, peek } from '../../shared/atomics.ts';
import * as E from '../../shared/abi/errno.ts';
import * as F from '../../shared/abi/futex-operations.ts';
import * as FUTEX from '../../shared/layout/futex.ts';
import * as FUTEX_QUEUE from '../../shared/layout/futex-queue.ts';
import * as PROCESS from '../../shared/layout/process.ts';
import type {
  FutexBlock,
  ProcessBlock,
  SpaceBlock,
  VirtAddr,
  WordIndex,
} from '../../shared/units.ts';
import type { Cpu } from '../machine/cpu.ts';
import { lock, unlock } from '../machine/spinlock.ts';
import { WAIT_PAGE } from '../machine/wait-codes.ts';
import { intArgument } from '../space/wrapping.ts';
import { REFUSED, lockUserPage, userByte } from '../mmu/user-copy.ts';
import { checkFutex, futexWake } from './futex.ts';
import { bucketOf, futexKey, moveWaiter, waitsFor, wakeWaiter } from './futex-queue.ts';
import type { FutexKey } from './futex-queue.ts';

/** What a requeue is to do. */
interface Requeue {
  readonly from: FutexKey;
  readonly to: FutexKey;
  /** Waiters to wake. */
  readonly wake: number;
  /** Further waiters to move. */
  readonly move: number;
}

/**
 * futex(2): `value` and `value2` are how many waiters to wake and to move, `value3` what the word
 * must hold. How many waiters were woken or moved; -EAGAIN, -EFAULT, -EINVAL, -ENOSYS, -WAIT_PAGE.
 */
export function sysFutex(
  cpu: Cpu,
  proc: ProcessBlock,
  address: VirtAddr,
  operation: number,
  value: number,
  value2: number,
  address2: VirtAddr,
  value3: number,
): number {
  if (![operation, value, value2, value3].every(Number.isInteger)) return -E.EINVAL;
  // Linux declares them as int, or as unsigned int and takes them for one.
  const [wake, move] = [intArgument(value), intArgument(value2)];
  switch (operation & ~F.FUTEX_PRIVATE_FLAG) {
    case F.FUTEX_WAKE:
      // Linux wakes one waiter even if none or less is asked for.
      return futexWake(cpu, proc, address, Math.max(1, wake));
    case F.FUTEX_REQUEUE:
      return requeue(cpu, proc, address, address2, wake, move, null);
    case F.FUTEX_CMP_REQUEUE:
      return requeue(cpu, proc, address, address2, wake, move, intArgument(value3));
    default:
      return -E.ENOSYS;
  }
}

/** `expected`: what the word at `address` must hold, null for anything. */
function requeue(
  cpu: Cpu,
  proc: ProcessBlock,
  address: VirtAddr,
  address2: VirtAddr,
  wake: number,
  move: number,
  expected: number | null,
): number {
  if (wake < 0 || move < 0) return -E.EINVAL;
  const space: SpaceBlock = peek(cpu.words, proc + PROCESS.SPACE);
  const bad = checkFutex(address);
  if (bad !== 0) return bad;
  const from = futexKey(cpu, space, address);
  if (from === null) return -E.EFAULT;
  const bad2 = checkFutex(address2);
  if (bad2 !== 0) return bad2;
  const to = futexKey(cpu, space, address2);
  if (to === null) return -E.EFAULT;
  const work = { from, to, wake, move };
  if (expected === null) return moveWaiters(cpu, work, 0, 0);
  const entryWord = lockUserPage(cpu, space, address, false);
  if (entryWord < 0) return entryWord === REFUSED ? -E.EFAULT : -WAIT_PAGE;
  // Entry and word are looked at again under the queues' locks.
  const outcome = moveWaiters(cpu, work, entryWord, address, expected);
  cpu.machine.protocol.unlockPage(cpu, cpu.faultCursor);
  return outcome;
}

/** `entryWord`: the entry of the page of `address`, which is locked; 0 not to compare. */
function moveWaiters(
  cpu: Cpu,
  { from, to, wake, move }: Requeue,
  entryWord: WordIndex,
  address: VirtAddr,
  expected = 0,
): number {
  const { words } = cpu;
  const source = bucketOf(cpu.machine, from);
  const target = bucketOf(cpu.machine, to);
  lockBoth(cpu, source, target);
  // ORDER: as in futexBegin: whoever changed the word, and wakes for it, has done so or waits.
  const isRefused =
    entryWord !== 0 && load(words, userByte(cpu, entryWord, address) / 4) !== expected;
  let done = 0;
  let waiter: FutexBlock = isRefused ? 0 : peek(words, source + FUTEX_QUEUE.FIRST);
  while (waiter !== 0 && done - wake < move) {
    const next = peek(words, waiter + FUTEX.NEXT);
    if (waitsFor(cpu, waiter, from)) {
      done++;
      if (done <= wake) wakeWaiter(cpu, source, waiter);
      else moveWaiter(cpu, source, target, waiter, to);
    }
    waiter = next;
  }
  unlock(cpu, source + FUTEX_QUEUE.LOCK);
  if (target !== source) unlock(cpu, target + FUTEX_QUEUE.LOCK);
  return isRefused ? -E.EAGAIN : done;
}

/** Two requeues in opposite directions must not wait for each other. */
function lockBoth(cpu: Cpu, one: WordIndex, other: WordIndex): void {
  lock(cpu, Math.min(one, other) + FUTEX_QUEUE.LOCK);
  if (one !== other) lock(cpu, Math.max(one, other) + FUTEX_QUEUE.LOCK);
}
