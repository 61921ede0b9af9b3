/**
 * Futexes: a program waits on a word of user memory until another program wakes its waiters.
 *
 *     wait:  key → page lock → bucket lock → value still as expected? → queued → asleep
 *     wake:  (the program has stored the new value) → key → bucket lock → queued ones woken
 *
 * Guarantees: no lost wake-up. The value is compared under the bucket's lock: a waker whose section
 * came before has stored its value before, and the waiter reads it and does not wait; one whose
 * section comes after finds the waiter in the queue. Waiters are woken in the order of waiting. A
 * waiter that is woken while it gives up counts as woken: it reports success.
 * Locking: areas; then page, then bucket (futex-queue.ts). The waiter's block is its process's.
 * Not guaranteed: that a waiter is woken only for its word, or that the value is still a new one
 * when it runs; programs must loop.
 */
import { load, notify, peek, poke, wait } from '../../shared/atomics.ts';
import * as E from '../../shared/abi/errno.ts';
import * as FUTEX from '../../shared/layout/futex.ts';
import * as FUTEX_QUEUE from '../../shared/layout/futex-queue.ts';
import * as PROCESS from '../../shared/layout/process.ts';
import * as SLAB from '../../shared/layout/slabs.ts';
import { CPUS_MAX, USER_SPACE_END, WAIT_SLICE_MS } from '../../shared/limits.ts';
import type { FutexBlock, ProcessBlock, SpaceBlock, VirtAddr } from '../../shared/units.ts';
import type { Cpu } from '../machine/cpu.ts';
import { lock, unlock } from '../machine/spinlock.ts';
import { slabAlloc, slabFree } from '../frames/slab.ts';
import { REFUSED, lockUserPage, userByte } from '../mmu/user-copy.ts';
import { WAIT_PAGE } from '../machine/wait-codes.ts';
import { bucketOf, dequeue, enqueue, futexKey, lockBucketOf, wakeKey } from './futex-queue.ts';
import type { FutexKey } from './futex-queue.ts';
import { hasSignal } from '../mmu/poll.ts';

/** 0, or the errno for an address that cannot be a futex's. */
export function checkFutex(address: VirtAddr): number {
  if (!Number.isInteger(address) || address % 4 !== 0) return -E.EINVAL;
  return address < 0 || address >= USER_SPACE_END ? -E.EFAULT : 0;
}

/**
 * Queues the process as a waiter of the word at `address`, if that holds `expected` (as 32 bits).
 * Returns the waiter's block, which must go to `futexFinish`; or -EAGAIN when the word holds
 * another value, -EFAULT, -EINVAL, -ENOMEM, -WAIT_PAGE (wait-codes.ts).
 */
export function futexBegin(
  cpu: Cpu,
  proc: ProcessBlock,
  address: VirtAddr,
  expected: number,
): FutexBlock {
  const bad = checkFutex(address);
  if (bad !== 0) return bad;
  if (!Number.isInteger(expected)) return -E.EINVAL;
  const space: SpaceBlock = peek(cpu.words, proc + PROCESS.SPACE);
  const waiter = slabAlloc(cpu, SLAB.FUTEX);
  if (waiter === 0) return -E.ENOMEM;
  const key = futexKey(cpu, space, address);
  const outcome =
    key === null
      ? -E.EFAULT
      : compareAndQueue(cpu, space, address, expected, {
          key,
          waiter,
        });
  if (outcome !== 0) {
    slabFree(cpu, SLAB.FUTEX, waiter);
    return outcome;
  }
  own(cpu, proc, waiter);
  return waiter;
}

function compareAndQueue(
  cpu: Cpu,
  space: SpaceBlock,
  address: VirtAddr,
  expected: number,
  { key, waiter }: { readonly key: FutexKey; readonly waiter: FutexBlock },
): number {
  const { words } = cpu;
  const entryWord = lockUserPage(cpu, space, address, false);
  if (entryWord < 0) return entryWord === REFUSED ? -E.EFAULT : -WAIT_PAGE;
  const bucket = bucketOf(cpu.machine, key);
  lock(cpu, bucket + FUTEX_QUEUE.LOCK);
  // ORDER: after the lock, entry and value: a waker whose section is over has stored its value,
  // and entered the copy of a COW page that it stored to, before that.
  const value = load(words, userByte(cpu, entryWord, address) / 4);
  const isAsExpected = value === (expected | 0);
  if (isAsExpected) enqueue(cpu, bucket, waiter, key);
  unlock(cpu, bucket + FUTEX_QUEUE.LOCK);
  cpu.machine.protocol.unlockPage(cpu, cpu.faultCursor);
  return isAsExpected ? 0 : -E.EAGAIN;
}

/**
 * Sleeps until the waiter is woken, a signal is to be handled, or the time is over. The CPU must be
 * BLOCKED. `timeoutMs` may be Infinity; without a clock, whole slices count.
 */
export function futexSleep(
  cpu: Cpu,
  proc: ProcessBlock,
  waiter: FutexBlock,
  timeoutMs: number,
): void {
  let leftMs = timeoutMs;
  // ORDER: `wait` compares, so a wake between the load and the sleep is not missed.
  while (load(cpu.words, waiter + FUTEX.STATE) === FUTEX.WAITING) {
    if (leftMs <= 0 || hasSignal(cpu, proc)) return;
    const sliceMs = Math.min(leftMs, WAIT_SLICE_MS);
    if (wait(cpu.words, waiter + FUTEX.STATE, FUTEX.WAITING, sliceMs)) leftMs -= sliceMs;
  }
}

/** Ends a wait, woken or not, and frees the waiter. True when it was woken. */
export function futexFinish(cpu: Cpu, proc: ProcessBlock, waiter: FutexBlock): boolean {
  const bucket = lockBucketOf(cpu, waiter);
  // ORDER: under the lock nobody changes it; a waker that did is done with the block.
  const isWoken = load(cpu.words, waiter + FUTEX.STATE) === FUTEX.WOKEN;
  if (!isWoken) dequeue(cpu, bucket, waiter);
  unlock(cpu, bucket + FUTEX_QUEUE.LOCK);
  disown(cpu, proc, waiter);
  slabFree(cpu, SLAB.FUTEX, waiter);
  return isWoken;
}

/** Wakes up to `count` waiters of the word at `address`. How many, -EFAULT or -EINVAL. */
export function futexWake(cpu: Cpu, proc: ProcessBlock, address: VirtAddr, count: number): number {
  const bad = checkFutex(address);
  if (bad !== 0) return bad;
  if (!Number.isInteger(count) || count < 0) return -E.EINVAL;
  const key = futexKey(cpu, peek(cpu.words, proc + PROCESS.SPACE), address);
  return key === null ? -E.EFAULT : wakeKey(cpu, key, count);
}

/** Ends all waits of a process that has ended. Its CPU does not touch them any more. */
export function dropFutexes(cpu: Cpu, proc: ProcessBlock): void {
  let waiter: FutexBlock = peek(cpu.words, proc + PROCESS.FUTEXES);
  while (waiter !== 0) {
    const next = peek(cpu.words, waiter + FUTEX.OWN_NEXT);
    // A promise that sleeps on the word is released by this, and finds its process ended.
    notify(cpu.words, waiter + FUTEX.STATE, CPUS_MAX);
    futexFinish(cpu, proc, waiter);
    waiter = next;
  }
}

function own(cpu: Cpu, proc: ProcessBlock, waiter: FutexBlock): void {
  const { words } = cpu;
  const first = peek(words, proc + PROCESS.FUTEXES);
  poke(words, waiter + FUTEX.OWNER, proc);
  poke(words, waiter + FUTEX.OWN_NEXT, first);
  if (first !== 0) poke(words, first + FUTEX.OWN_PREVIOUS, waiter);
  poke(words, proc + PROCESS.FUTEXES, waiter);
}

function disown(cpu: Cpu, proc: ProcessBlock, waiter: FutexBlock): void {
  const { words } = cpu;
  const next = peek(words, waiter + FUTEX.OWN_NEXT);
  const previous = peek(words, waiter + FUTEX.OWN_PREVIOUS);
  poke(words, previous === 0 ? proc + PROCESS.FUTEXES : previous + FUTEX.OWN_NEXT, next);
  if (next !== 0) poke(words, next + FUTEX.OWN_PREVIOUS, previous);
}
