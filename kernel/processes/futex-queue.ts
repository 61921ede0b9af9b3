/**
 * Futex queues: the waiters for each user word, hashed to buckets by the word's key.
 *
 * A key names the word, not its address: for a shared mapping the object, its page and the byte
 * within, so that processes that map it at different addresses meet; for a private one the address
 * space and the address. Like Linux's get_futex_key.
 *
 *     waiter:  FUTEX.WAITING, in its bucket's queue → FUTEX.WOKEN, in no queue → freed by itself
 *
 * A requeue moves a waiter to another bucket while it sleeps. Whoever wants a given waiter's bucket
 * reads FUTEX.BUCKET, locks that bucket, and looks again (lockBucketOf; Linux: q->lock_ptr).
 *
 * Locking: a bucket's lock for its queue, for FUTEX.STATE, the key and the links in between. It
 * nests inside a page's lock. Only a requeue holds two, in ascending order, and nothing else nests
 * inside it. OWN_* belong to the process's CPU.
 * Not guaranteed: that a key's object still exists. A waiter whose mapping is gone keeps the key
 * and may be woken for a later object in the same block: any futex may wake up spuriously.
 */
import { load, notify, peek, poke, store } from '../../shared/atomics.ts';
import * as FUTEX from '../../shared/layout/futex.ts';
import * as FUTEX_QUEUE from '../../shared/layout/futex-queue.ts';
import * as RECORD from '../../shared/layout/record.ts';
import * as SPACE from '../../shared/layout/space.ts';
import { FAULT_RETRIES_MAX, FUTEX_BUCKETS, PAGE_SIZE } from '../../shared/limits.ts';
import { panic } from '../../shared/panic.ts';
import { isPresent, pfnOf } from '../../shared/pte.ts';
import { vpnOf } from '../../shared/units.ts';
import type {
  FutexBlock,
  ObjectBlock,
  ObjectPage,
  Pfn,
  SpaceBlock,
  VirtAddr,
  Vpn,
  WordIndex,
} from '../../shared/units.ts';
import { AREA_SHARED } from '../machine/area-flags.ts';
import type { Cpu } from '../machine/cpu.ts';
import { assertHeld } from '../machine/held-locks.ts';
import { lock, unlock } from '../machine/spinlock.ts';
import type { Machine } from '../machine/machine.ts';
import { pageFrame } from '../objects/pages.ts';
import { recordAt } from '../objects/record.ts';
import { peekEntry } from '../paging/table.ts';
import { areasOf } from '../space/space.ts';

export interface FutexKey {
  /** An object's block, or minus the number of a space. */
  readonly id: number;
  /** Page of the object, its frame if pages may be anywhere, or VPN. */
  readonly page: number;
  /** Byte within the page. */
  readonly offset: number;
}

/** All sleepers on a word: a waiter's word has one, and perhaps stale ones of its predecessors. */
const EVERYBODY: number = 2 ** 31 - 1;

/** The key of the word at `address`, which is mapped; null when nothing is mapped there. */
export function futexKey(cpu: Cpu, space: SpaceBlock, address: VirtAddr): FutexKey | null {
  const { protocol } = cpu.machine;
  const vpn = vpnOf(address);
  protocol.lockAreas(cpu, space);
  const area = areasOf(cpu, space).find(address);
  let key: FutexKey | null = null;
  if (area !== null) {
    const isShared = (area.flags & AREA_SHARED) !== 0;
    const record = isShared ? recordAt(cpu.machine, area.backend.record) : 0;
    const id = isShared
      ? peek(cpu.words, record + RECORD.OBJECT)
      : privateId(peek(cpu.words, space + SPACE.ID));
    let page = isShared ? vpn + peek(cpu.words, record + RECORD.DELTA) : vpn;
    if (area.backend.kind.isArranged) page = frameAt(cpu, space, vpn, id, page);
    key = { id, page, offset: address % PAGE_SIZE };
  }
  protocol.unlockAreas(cpu, space);
  return key;
}

/**
 * What tells a page from others where one may stand at several addresses: its frame. 0 for a page
 * that was never touched: nobody has compared a word of it, so nobody sleeps there.
 */
function frameAt(
  cpu: Cpu,
  space: SpaceBlock,
  vpn: Vpn,
  object: ObjectBlock,
  page: ObjectPage,
): Pfn {
  const entry = peekEntry(cpu, space, vpn);
  return isPresent(entry) ? pfnOf(entry) : pageFrame(cpu, object, page);
}

/** A negative number, apart from all objects; space ids wrap. */
function privateId(spaceId: number): number {
  return -1 - (spaceId & 0x7fffffff);
}

/** First word of the key's bucket. */
export function bucketOf(machine: Machine, key: FutexKey): WordIndex {
  let hash = Math.imul(key.id, 0x9e3779b1) ^ Math.imul(key.page, 0x85ebca6b) ^ (key.offset >>> 2);
  hash = Math.imul(hash ^ (hash >>> 15), 0xc2b2ae35);
  const bucket = (hash >>> 16) & (FUTEX_BUCKETS - 1);
  return machine.futexQueues + bucket * FUTEX_QUEUE.WORDS;
}

/** The key that a waiter carries. */
export function keyOf(machine: Machine, waiter: FutexBlock): FutexKey {
  const { words } = machine;
  return {
    id: peek(words, waiter + FUTEX.ID),
    page: peek(words, waiter + FUTEX.PAGE),
    offset: peek(words, waiter + FUTEX.OFFSET),
  };
}

/** Appends a waiter to its bucket's queue. The caller holds the bucket's lock. */
export function enqueue(cpu: Cpu, bucket: WordIndex, waiter: FutexBlock, key: FutexKey): void {
  assertHeld(cpu, bucket + FUTEX_QUEUE.LOCK);
  const { words } = cpu;
  // ORDER: the waiter's own sleep reads it without the lock.
  store(words, waiter + FUTEX.STATE, FUTEX.WAITING);
  setKey(cpu, waiter, key);
  append(cpu, bucket, waiter);
}

function setKey({ words }: Cpu, waiter: FutexBlock, key: FutexKey): void {
  // ORDER: a momentary value for canBeWoken, which holds no bucket's lock.
  store(words, waiter + FUTEX.ID, key.id);
  poke(words, waiter + FUTEX.PAGE, key.page);
  poke(words, waiter + FUTEX.OFFSET, key.offset);
}

function append(cpu: Cpu, bucket: WordIndex, waiter: FutexBlock): void {
  const { words } = cpu;
  const last = peek(words, bucket + FUTEX_QUEUE.LAST);
  poke(words, waiter + FUTEX.NEXT, 0);
  poke(words, waiter + FUTEX.PREVIOUS, last);
  poke(words, last === 0 ? bucket + FUTEX_QUEUE.FIRST : last + FUTEX.NEXT, waiter);
  poke(words, bucket + FUTEX_QUEUE.LAST, waiter);
  // ORDER: whoever reads it without the lock locks this bucket and compares it again.
  store(words, waiter + FUTEX.BUCKET, bucket);
}

/** Locks the bucket that a waiter is, or was last, queued in. */
export function lockBucketOf(cpu: Cpu, waiter: FutexBlock): WordIndex {
  for (let attempt = 0; attempt < FAULT_RETRIES_MAX; attempt++) {
    // ORDER: only a hint until it is compared under the lock, which a requeue holds to change it.
    const bucket: WordIndex = load(cpu.words, waiter + FUTEX.BUCKET);
    lock(cpu, bucket + FUTEX_QUEUE.LOCK);
    if (load(cpu.words, waiter + FUTEX.BUCKET) === bucket) return bucket;
    unlock(cpu, bucket + FUTEX_QUEUE.LOCK);
  }
  return panic('lockBucketOf: livelock', waiter);
}

/** Takes a waiter out of its bucket's queue. The caller holds the bucket's lock. */
export function dequeue(cpu: Cpu, bucket: WordIndex, waiter: FutexBlock): void {
  assertHeld(cpu, bucket + FUTEX_QUEUE.LOCK);
  const { words } = cpu;
  const next = peek(words, waiter + FUTEX.NEXT);
  const previous = peek(words, waiter + FUTEX.PREVIOUS);
  poke(words, previous === 0 ? bucket + FUTEX_QUEUE.FIRST : previous + FUTEX.NEXT, next);
  poke(words, next === 0 ? bucket + FUTEX_QUEUE.LAST : next + FUTEX.PREVIOUS, previous);
}

/** Wakes the first `count` waiters for the key, longest waiting first. Returns how many. */
export function wakeKey(cpu: Cpu, key: FutexKey, count: number): number {
  const { words } = cpu;
  const bucket = bucketOf(cpu.machine, key);
  let woken = 0;
  lock(cpu, bucket + FUTEX_QUEUE.LOCK);
  let waiter: FutexBlock = peek(words, bucket + FUTEX_QUEUE.FIRST);
  while (waiter !== 0 && woken < count) {
    const next = peek(words, waiter + FUTEX.NEXT);
    if (waitsFor(cpu, waiter, key)) {
      wakeWaiter(cpu, bucket, waiter);
      woken++;
    }
    waiter = next;
  }
  unlock(cpu, bucket + FUTEX_QUEUE.LOCK);
  return woken;
}

/** Whether a waiter in a queue waits for that key. */
export function waitsFor({ words }: Cpu, waiter: FutexBlock, key: FutexKey): boolean {
  return (
    peek(words, waiter + FUTEX.ID) === key.id &&
    peek(words, waiter + FUTEX.PAGE) === key.page &&
    peek(words, waiter + FUTEX.OFFSET) === key.offset
  );
}

/** Takes a waiter out of its queue and wakes it. The caller holds the bucket's lock. */
export function wakeWaiter(cpu: Cpu, bucket: WordIndex, waiter: FutexBlock): void {
  const { words } = cpu;
  dequeue(cpu, bucket, waiter);
  // ORDER: before the notify. The waiter frees its block under this bucket's lock only.
  store(words, waiter + FUTEX.STATE, FUTEX.WOKEN);
  notify(words, waiter + FUTEX.STATE, EVERYBODY);
}

/** Moves a waiter to the end of the queue for another key. The caller holds both buckets' locks. */
export function moveWaiter(
  cpu: Cpu,
  from: WordIndex,
  to: WordIndex,
  waiter: FutexBlock,
  key: FutexKey,
): void {
  assertHeld(cpu, to + FUTEX_QUEUE.LOCK);
  setKey(cpu, waiter, key);
  // As in Linux, it keeps its place in a queue that both words share.
  if (from === to) return;
  dequeue(cpu, from, waiter);
  append(cpu, to, waiter);
}
