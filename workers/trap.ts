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
import { load, notify, pause, poke, peek, store, wait } from '../shared/atomics.ts';
import type { Words } from '../shared/atomics.ts';
import { EINTR } from '../shared/errno.ts';
import * as L from '../shared/layout.ts';
import {
  SPIN_TURNS,
  TRAP_POLL_MS,
  TRAP_POLL_TURNS,
  TRAP_SPIN_TURNS,
  WAIT_SLICE_MS,
} from '../shared/limits.ts';
import { assert } from '../shared/panic.ts';

/** Calls between two attempts to spin, once spinning has proved useless. */
const SPIN_RETRY_CALLS = 16;

function argumentsOf(words: Words, base: number): Float64Array<SharedArrayBuffer> {
  return new Float64Array(words.buffer, (base + L.C_TRAP_ARGS) * 4, L.TRAP_ARGS);
}

function resultOf(words: Words, base: number): Float64Array<SharedArrayBuffer> {
  return new Float64Array(words.buffer, (base + L.C_TRAP_RESULT) * 4, 1);
}

/** The CPU's side. */
export class TrapCaller {
  readonly #words: Words;
  readonly #base: number;
  readonly #ring: () => void;
  readonly #arguments: Float64Array<SharedArrayBuffer>;
  readonly #result: Float64Array<SharedArrayBuffer>;
  #spinTurns = SPIN_TURNS;
  #callsWithoutSpin = 0;

  /** `base` is the CPU's block; `ring` wakes the kernel worker's event loop. */
  constructor(words: Words, base: number, ring: () => void) {
    this.#words = words;
    this.#base = base;
    this.#ring = ring;
    this.#arguments = argumentsOf(words, base);
    this.#result = resultOf(words, base);
  }

  /**
   * Calls the kernel worker and sleeps until it has answered. -EINTR when `isInterrupted`, which
   * is asked now and then during a long sleep, says so.
   */
  call(op: number, pid: number, args: readonly number[], isInterrupted: () => boolean): number {
    assert(args.length <= L.TRAP_ARGS, 'TrapCaller: too many arguments', args.length);
    const words = this.#words;
    poke(words, this.#base + L.C_TRAP_OP, op);
    poke(words, this.#base + L.C_TRAP_PID, pid);
    for (let i = 0; i < L.TRAP_ARGS; i++) this.#arguments[i] = args[i] ?? 0;
    const seq = (peek(words, this.#base + L.C_TRAP_SEQ) + 1) | 0;
    // ORDER: publishes the request words above; then the flag is read (Dekker).
    store(words, this.#base + L.C_TRAP_SEQ, seq);
    if (load(words, L.B_KERNEL_POLLING) === 0) this.#ring();
    if (!this.#spin(seq) && !this.#sleep(seq, isInterrupted)) return -EINTR;
    return this.#result[0] as number;
  }

  #isDone(seq: number): boolean {
    // ORDER: acquires the result, which was written before.
    return load(this.#words, this.#base + L.C_TRAP_DONE) === seq;
  }

  /** Spins as long as spinning has paid off lately: never for long when both share a core. */
  #spin(seq: number): boolean {
    if (this.#spinTurns === 0) {
      if (++this.#callsWithoutSpin < SPIN_RETRY_CALLS) return false;
      this.#callsWithoutSpin = 0;
      this.#spinTurns = SPIN_TURNS;
    }
    for (let turn = 0; turn < this.#spinTurns; turn++) {
      if (this.#isDone(seq)) {
        this.#spinTurns = Math.min(TRAP_SPIN_TURNS, this.#spinTurns * 2);
        return true;
      }
      pause();
    }
    this.#spinTurns = this.#spinTurns > 50 ? this.#spinTurns >> 1 : 0;
    return false;
  }

  #sleep(seq: number, isInterrupted: () => boolean): boolean {
    const waiting = this.#base + L.C_TRAP_WAITING;
    // ORDER: before the last look at the answer (Dekker with TrapServer's answer).
    store(this.#words, waiting, 1);
    while (!this.#isDone(seq)) {
      const done = peek(this.#words, this.#base + L.C_TRAP_DONE);
      if (done === seq) continue;
      wait(this.#words, this.#base + L.C_TRAP_DONE, done, WAIT_SLICE_MS);
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
  /** The last sequence number taken from it. */
  taken: number;
}

/** The kernel worker's side. */
export class TrapServer {
  readonly #words: Words;
  readonly #cpuBase: number;
  readonly #handle: TrapHandler;
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
    const block = this.#cpuBase + cpu * L.CPU_WORDS;
    this.#mailboxes.set(cpu, { cpu, block, taken: load(this.#words, block + L.C_TRAP_SEQ) });
  }

  removeCpu(cpu: number): void {
    this.#mailboxes.delete(cpu);
  }

  /** Serves all requests, and for a short while those that follow. Call it at each doorbell. */
  poll(): void {
    // ORDER: CPUs that read 1 do not ring; the last scan below finds their requests.
    store(this.#words, L.B_KERNEL_POLLING, 1);
    const deadline = performance.now() + TRAP_POLL_MS;
    for (let idleTurns = 0; idleTurns < TRAP_POLL_TURNS; idleTurns++) {
      if (this.#scan()) {
        idleTurns = 0;
        if (performance.now() > deadline) break;
      }
      pause();
    }
    // ORDER: before the last scan (Dekker with TrapCaller.call).
    store(this.#words, L.B_KERNEL_POLLING, 0);
    this.#scan();
  }

  /** Takes what lies in the mailboxes; true when there was something. */
  #scan(): boolean {
    let found = false;
    for (const mailbox of this.#mailboxes.values()) {
      // ORDER: acquires the request words.
      const seq = load(this.#words, mailbox.block + L.C_TRAP_SEQ);
      if (seq === mailbox.taken) continue;
      mailbox.taken = seq;
      this.#serve(mailbox, seq);
      found = true;
    }
    return found;
  }

  #serve(mailbox: Mailbox, seq: number): void {
    const { cpu, block } = mailbox;
    const result = this.#handle({
      cpu,
      op: peek(this.#words, block + L.C_TRAP_OP),
      pid: peek(this.#words, block + L.C_TRAP_PID),
      args: Array.from(argumentsOf(this.#words, block)),
    });
    if (typeof result === 'number') this.#answer(mailbox, seq, result);
    else void result.then((value) => this.#answer(mailbox, seq, value));
  }

  #answer(mailbox: Mailbox, seq: number, result: number): void {
    const { cpu, block } = mailbox;
    if (this.#mailboxes.get(cpu) !== mailbox) return;
    // ORDER: a caller that gave up has published another number; its mailbox is not touched. One
    // that gives up after this load waits for the other number, and this thread writes that later.
    if (load(this.#words, block + L.C_TRAP_SEQ) !== seq) return;
    resultOf(this.#words, block)[0] = result;
    // ORDER: publishes the result; then the sleeper's flag is read (Dekker).
    store(this.#words, block + L.C_TRAP_DONE, seq);
    if (load(this.#words, block + L.C_TRAP_WAITING) !== 0) {
      notify(this.#words, block + L.C_TRAP_DONE, 1);
    }
  }
}
