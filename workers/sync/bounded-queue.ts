/**
 * A bounded queue of 32-bit values in shared memory, for any number of producers and consumers.
 *
 *     mutex, not empty, not full, taken, put, closed, then `capacity` slots
 *
 * `taken` and `put` count values modulo 2^32; the queue holds put - taken of them.
 * Guarantees: first in, first out; each value goes to one consumer; `close` loses none.
 */
import { Condition } from './condition.ts';
import type { FutexProcess } from './futex-process.ts';
import { Mutex } from './mutex.ts';

const NOT_EMPTY = 4;
const NOT_FULL = 8;
const TAKEN = 12;
const PUT = 16;
const CLOSED = 20;
const SLOTS = 24;

/** Bytes of a queue for `capacity` values. */
export function queueBytes(capacity: number): number {
  return SLOTS + 4 * capacity;
}

/** A queue of numbers of a fixed capacity, for any number of processes on both ends. */
export class BoundedQueue {
  readonly #proc: FutexProcess;
  readonly #at: number;
  readonly #capacity: number;
  readonly #mutex: Mutex;
  readonly #notEmpty: Condition;
  readonly #notFull: Condition;

  /** `address` is a multiple of 4; `capacity` a power of two, the same for all who use it. */
  constructor(proc: FutexProcess, address: number, capacity: number) {
    if (!(capacity > 0 && capacity <= 2 ** 30 && (capacity & (capacity - 1)) === 0)) {
      throw new RangeError(`BoundedQueue: capacity must be a power of two, got ${capacity}`);
    }
    this.#proc = proc;
    this.#at = address;
    this.#capacity = capacity;
    this.#mutex = new Mutex(proc, address);
    this.#notEmpty = new Condition(proc, address + NOT_EMPTY);
    this.#notFull = new Condition(proc, address + NOT_FULL);
  }

  /** Appends a value; waits while the queue is full. False when it is closed. */
  async push(value: number): Promise<boolean> {
    await this.#mutex.lock();
    while (this.#length() === this.#capacity && !this.#isClosed()) {
      await this.#notFull.wait(this.#mutex);
    }
    return this.#put(value);
  }

  /** The same, asleep with the whole Worker while the queue is full. */
  pushSync(value: number): boolean {
    this.#mutex.lockSync();
    while (this.#length() === this.#capacity && !this.#isClosed()) {
      this.#notFull.waitSync(this.#mutex);
    }
    return this.#put(value);
  }

  /** Takes the oldest value; waits while there is none. null: none will come any more. */
  async pop(): Promise<number | null> {
    await this.#mutex.lock();
    while (this.#length() === 0 && !this.#isClosed()) await this.#notEmpty.wait(this.#mutex);
    return this.#take();
  }

  /** The same, asleep with the whole Worker while the queue is empty. */
  popSync(): number | null {
    this.#mutex.lockSync();
    while (this.#length() === 0 && !this.#isClosed()) this.#notEmpty.waitSync(this.#mutex);
    return this.#take();
  }

  /** Nothing more is accepted; what is in the queue can still be taken. */
  async close(): Promise<void> {
    await this.#mutex.lock();
    this.#proc.mem.store32(this.#at + CLOSED, 1);
    this.#mutex.unlock();
    this.#notEmpty.broadcast();
    this.#notFull.broadcast();
  }

  #length(): number {
    const { mem } = this.#proc;
    return (mem.load32(this.#at + PUT) - mem.load32(this.#at + TAKEN)) | 0;
  }

  #isClosed(): boolean {
    return this.#proc.mem.load32(this.#at + CLOSED) !== 0;
  }

  #slot(counter: number): number {
    return this.#at + SLOTS + 4 * (counter & (this.#capacity - 1));
  }

  /** Under the mutex, which it gives up. */
  #put(value: number): boolean {
    const { mem } = this.#proc;
    const isOpen = !this.#isClosed();
    if (isOpen) {
      const put = mem.load32(this.#at + PUT);
      mem.store32(this.#slot(put), value);
      mem.store32(this.#at + PUT, (put + 1) | 0);
    }
    this.#mutex.unlock();
    if (isOpen) this.#notEmpty.signal();
    return isOpen;
  }

  /** Under the mutex, which it gives up. */
  #take(): number | null {
    const { mem } = this.#proc;
    let value: number | null = null;
    if (this.#length() > 0) {
      const taken = mem.load32(this.#at + TAKEN);
      value = mem.load32(this.#slot(taken));
      mem.store32(this.#at + TAKEN, (taken + 1) | 0);
    }
    this.#mutex.unlock();
    if (value !== null) this.#notFull.signal();
    return value;
  }
}
