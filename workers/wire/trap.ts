/**
 * The trap mailbox: one call at a time from a CPU worker, which sleeps, to the kernel worker.
 *
 * Guarantees
 * - Each request is handled once and its answer reaches that request only: both carry a sequence
 *   number that a receiver never resets.
 * - No lost wake-up, on either side. The CPU publishes its request and then looks whether the
 *   kernel polls; the kernel stops polling and then looks for requests (Dekker's argument). The
 *   answer and the sleeper's flag are ordered the same way.
 * - Answers may come out of order between CPUs and at any later time; one that comes after its
 *   caller gave up is dropped.
 * Not guaranteed: anything after the kernel worker's death; the CPU worker is terminated then.
 */
import { load, notify, pause, poke, peek, store, wait } from '../../shared/atomics.ts';
import type { Words } from '../../shared/atomics.ts';
import { EINTR } from '../../shared/abi/errno.ts';
import * as BOOT from '../../shared/layout/boot.ts';
import * as CPU from '../../shared/layout/cpu.ts';
import {
  SPIN_TURNS,
  TRAP_POLL_MS,
  TRAP_POLL_TURNS,
  TRAP_SPIN_TURNS,
  WAIT_SLICE_MS,
} from '../../shared/limits.ts';
import { assert } from '../../shared/panic.ts';

/** Tries between two full attempts, once spinning has proved useless. */
const SPIN_RETRY = 16;
/** A power of two: requests served between two looks at the clock, each of which takes 40 ns. */
const CLOCK_EVERY = 16;

/**
 * How long spinning is worthwhile: doubles with each success up to `max` turns, halves with each
 * failure, and is tried again now and then. Spinning pays only while the peer runs on another core.
 */
class SpinBudget {
  readonly #max: number;
  #turns: number;
  #refusals = 0;

  constructor(max: number) {
    this.#max = max;
    this.#turns = max;
  }

  /** Turns to spin now. */
  take(): number {
    if (this.#turns > 0) return this.#turns;
    if (++this.#refusals < SPIN_RETRY) return 0;
    this.#refusals = 0;
    return this.#max;
  }

  paidOff(didPay: boolean): void {
    if (didPay) this.#turns = Math.min(this.#max, Math.max(SPIN_TURNS, this.#turns * 2));
    else this.#turns = this.#turns > SPIN_TURNS / 8 ? this.#turns >> 1 : 0;
  }
}

function argumentsOf(words: Words, base: number): Float64Array<SharedArrayBuffer> {
  return new Float64Array(words.buffer, (base + CPU.TRAP_ARGS) * 4, CPU.TRAP_ARGS_MAX);
}

function resultOf(words: Words, base: number): Float64Array<SharedArrayBuffer> {
  return new Float64Array(words.buffer, (base + CPU.TRAP_RESULT) * 4, 1);
}

/** The CPU's side. */
export class TrapCaller {
  readonly #words: Words;
  readonly #base: number;
  readonly #ring: () => void;
  readonly #asleep: (sleep: () => boolean) => boolean;
  readonly #arguments: Float64Array<SharedArrayBuffer>;
  readonly #result: Float64Array<SharedArrayBuffer>;
  readonly #budget = new SpinBudget(TRAP_SPIN_TURNS);

  /**
   * `base` is the CPU's block; `ring` wakes the kernel worker's event loop; `asleep` runs a sleep
   * off any process's account: if spinning suffices, the clock is not read.
   */
  constructor(
    words: Words,
    base: number,
    ring: () => void,
    asleep: (sleep: () => boolean) => boolean = (sleep) => sleep(),
  ) {
    this.#words = words;
    this.#base = base;
    this.#ring = ring;
    this.#asleep = asleep;
    this.#arguments = argumentsOf(words, base);
    this.#result = resultOf(words, base);
  }

  /**
   * Calls the kernel worker and sleeps until it has answered. -EINTR when `isInterrupted`, which
   * is polled during a long sleep, returns true.
   */
  call(op: number, pid: number, args: readonly number[], isInterrupted: () => boolean): number {
    assert(args.length <= CPU.TRAP_ARGS_MAX, 'TrapCaller: too many arguments', args.length);
    const words = this.#words;
    poke(words, this.#base + CPU.TRAP_OP, op);
    poke(words, this.#base + CPU.TRAP_PID, pid);
    for (let i = 0; i < CPU.TRAP_ARGS_MAX; i++) this.#arguments[i] = args[i] ?? 0;
    const seq = (peek(words, this.#base + CPU.TRAP_SEQ) + 1) | 0;
    // ORDER: publishes the request words above; then the flag is read (Dekker).
    store(words, this.#base + CPU.TRAP_SEQ, seq);
    if (load(words, BOOT.KERNEL_POLLING) === 0) this.#ring();
    if (!this.#spin(seq) && !this.#asleep(() => this.#sleep(seq, isInterrupted))) return -EINTR;
    return this.#result[0] as number;
  }

  #isDone(seq: number): boolean {
    // ORDER: acquires the result, which was written before.
    return load(this.#words, this.#base + CPU.TRAP_DONE) === seq;
  }

  #spin(seq: number): boolean {
    const turns = this.#budget.take();
    if (turns === 0) return false;
    let isDone = this.#isDone(seq);
    for (let turn = 0; turn < turns && !isDone; turn++) {
      pause();
      isDone = this.#isDone(seq);
    }
    this.#budget.paidOff(isDone);
    return isDone;
  }

  #sleep(seq: number, isInterrupted: () => boolean): boolean {
    const waiting = this.#base + CPU.TRAP_WAITING;
    // ORDER: before the last look at the answer (Dekker with TrapServer's answer).
    store(this.#words, waiting, 1);
    while (!this.#isDone(seq)) {
      const done = peek(this.#words, this.#base + CPU.TRAP_DONE);
      if (done === seq) continue;
      wait(this.#words, this.#base + CPU.TRAP_DONE, done, WAIT_SLICE_MS);
      if (!this.#isDone(seq) && isInterrupted()) break;
    }
    // ORDER: a stale 1 would only cost the kernel a needless notify.
    store(this.#words, waiting, 0);
    return this.#isDone(seq);
  }
}

export interface TrapRequest {
  readonly cpu: number;
  readonly op: number;
  readonly pid: number;
  readonly args: readonly number[];
}

/** What handles a request: at once, or later (I/O). Must not throw; a rejection is a panic. */
export type TrapHandler = (request: TrapRequest) => number | Promise<number>;

interface Mailbox {
  readonly cpu: number;
  readonly block: number;
  /** Views of its arguments and result: making them at each request costs more than serving. */
  readonly args: Float64Array<SharedArrayBuffer>;
  readonly result: Float64Array<SharedArrayBuffer>;
  /** The last sequence number taken from it. */
  taken: number;
}

/** The kernel worker's side. */
export class TrapServer {
  readonly #words: Words;
  readonly #cpuBase: number;
  readonly #handle: TrapHandler;
  readonly #budget = new SpinBudget(TRAP_POLL_TURNS);
  /** By CPU number. A new Worker gets a new mailbox: answers for its predecessor find it gone. */
  readonly #mailboxes = new Map<number, Mailbox>();

  constructor(words: Words, cpuBase: number, handle: TrapHandler) {
    this.#words = words;
    this.#cpuBase = cpuBase;
    this.#handle = handle;
  }

  /** Starts to serve a CPU; what its predecessor asked is not answered. */
  addCpu(cpu: number): void {
    // ORDER: the CPU's Worker has not started yet.
    const block = this.#cpuBase + cpu * CPU.WORDS;
    const taken = load(this.#words, block + CPU.TRAP_SEQ);
    const args = argumentsOf(this.#words, block);
    this.#mailboxes.set(cpu, { cpu, block, args, result: resultOf(this.#words, block), taken });
  }

  removeCpu(cpu: number): void {
    this.#mailboxes.delete(cpu);
  }

  /** Serves all requests, and for a while those that follow. Call it at each doorbell. */
  poll(): void {
    this.#scan();
    // ORDER: CPUs that read 1 do not ring; the last scan below finds their requests.
    store(this.#words, BOOT.KERNEL_POLLING, 1);
    const turns = this.#budget.take();
    const deadline = performance.now() + TRAP_POLL_MS;
    let served = 0;
    for (let idle = 0; idle < turns; idle++) {
      pause();
      if (!this.#scan()) continue;
      served++;
      idle = 0;
      if ((served & (CLOCK_EVERY - 1)) === 0 && performance.now() > deadline) break;
    }
    if (turns > 0) this.#budget.paidOff(served > 0);
    // ORDER: before the last scan (Dekker with TrapCaller.call).
    store(this.#words, BOOT.KERNEL_POLLING, 0);
    this.#scan();
  }

  /** Takes what lies in the mailboxes; true when there was something. */
  #scan(): boolean {
    let found = false;
    for (const mailbox of this.#mailboxes.values()) {
      // ORDER: acquires the request words.
      const seq = load(this.#words, mailbox.block + CPU.TRAP_SEQ);
      if (seq === mailbox.taken) continue;
      mailbox.taken = seq;
      this.#serve(mailbox, seq);
      found = true;
    }
    return found;
  }

  #serve(mailbox: Mailbox, seq: number): void {
    const { cpu, block, args } = mailbox;
    const list: number[] = [];
    // One by one: spreading a typed array takes 190 ns more.
    for (let i = 0; i < CPU.TRAP_ARGS_MAX; i++) list.push(args[i] as number);
    const result = this.#handle({
      cpu,
      op: peek(this.#words, block + CPU.TRAP_OP),
      pid: peek(this.#words, block + CPU.TRAP_PID),
      args: list,
    });
    if (typeof result === 'number') this.#answer(mailbox, seq, result);
    else void result.then((value) => this.#answer(mailbox, seq, value));
  }

  #answer(mailbox: Mailbox, seq: number, result: number): void {
    const { cpu, block, result: target } = mailbox;
    if (this.#mailboxes.get(cpu) !== mailbox) return;
    // ORDER: a caller that gave up has published another number; its mailbox is not touched. One
    // that gives up after this load waits for the other number, and this thread writes that later.
    if (load(this.#words, block + CPU.TRAP_SEQ) !== seq) return;
    target[0] = result;
    // ORDER: publishes the result; then the sleeper's flag is read (Dekker).
    store(this.#words, block + CPU.TRAP_DONE, seq);
    if (load(this.#words, block + CPU.TRAP_WAITING) !== 0) {
      notify(this.#words, block + CPU.TRAP_DONE, 1);
    }
  }
}
