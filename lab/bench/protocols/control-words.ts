/**
 * Words that the threads of a group share beside the machine: how they start together, meet at
 * barriers and pass values on.
 *
 * Every word has a cache line of its own. All threads sleep on ROUND, then meet at READY, where
 * each spins until all have arrived, so that they start within nanoseconds of each other when each
 * has a core. A thread without a core would only take time from others by spinning, so spins are
 * bounded and end in short sleeps.
 *
 * Not guaranteed: a simultaneous start of more threads than the host has idle cores.
 */
import { add, exchange, load, notify, pause, store, wait } from '../../../shared/atomics.ts';
import type { Words } from '../../../shared/atomics.ts';

const LINE_WORDS = 16;
/** Number of the run; a thread sleeps until it changes. */
export const ROUND = 0;
/** Threads that arrived at the start, summed over the runs of a batch. */
export const READY: number = LINE_WORDS;
/** Threads that finished, summed likewise. */
export const DONE: number = 2 * LINE_WORDS;
/** The process whose address space the threads share in this run. */
export const PROCESS: number = 3 * LINE_WORDS;
/** The word that all CPUs exchange when a bare compare-exchange is measured. */
export const EXCHANGE_SHARED: number = 4 * LINE_WORDS;
const BARRIER_ARRIVED: number = 5 * LINE_WORDS;
const BARRIER_TURN: number = 6 * LINE_WORDS;
/** Two lines for each CPU: its mailbox, and the word that it alone exchanges. */
const CPU_LINES: number = 8 * LINE_WORDS;

/** Threads that one benchmark can have: a bit each in the counting pass. */
export const BENCH_CPUS_MAX = 31;
export const CONTROL_BYTES: number = (CPU_LINES + (BENCH_CPUS_MAX + 1) * 2 * LINE_WORDS) * 4;

const SPINS = 20_000;
const SLICE_MS = 1;
const RUN_WAIT_MS = 1000;

/** What a thread does while it spins at a barrier, and around a sleep there. */
export interface Waiter {
  poll(): void;
  leave(): void;
  enter(): void;
}

function mailboxOf(cpu: number): number {
  return CPU_LINES + cpu * 2 * LINE_WORDS;
}

export function exchangeWordOf(cpu: number): number {
  return mailboxOf(cpu) + LINE_WORDS;
}

/** Sleeps until the run after `round` begins. */
export function awaitRound(control: Words, round: number): void {
  while (load(control, ROUND) === round) wait(control, ROUND, round, RUN_WAIT_MS);
}

/** Starts the threads that sleep in `awaitRound`. */
export function startRound(control: Words, process: number, threads: number): void {
  store(control, PROCESS, process);
  add(control, ROUND, 1);
  notify(control, ROUND, threads);
}

/** Returns when `arrivals` threads of this batch have arrived. */
export function startTogether(control: Words, arrivals: number): void {
  if (add(control, READY, 1) + 1 === arrivals) {
    notify(control, READY, arrivals);
    return;
  }
  for (let spin = 0; load(control, READY) < arrivals; spin++) {
    if (spin < SPINS) pause();
    else wait(control, READY, load(control, READY), SLICE_MS);
  }
}

/** Whether this thread is the last of the run. */
export function finish(control: Words, arrivals: number): boolean {
  return add(control, DONE, 1) + 1 === arrivals;
}

/** A barrier inside a benchmark, passed in user mode: spinning threads answer shootdowns. */
export function barrier(control: Words, threads: number, waiter: Waiter): void {
  const turn = load(control, BARRIER_TURN);
  if (add(control, BARRIER_ARRIVED, 1) + 1 === threads) {
    store(control, BARRIER_ARRIVED, 0);
    add(control, BARRIER_TURN, 1);
    notify(control, BARRIER_TURN, threads);
    return;
  }
  awaitChange(control, BARRIER_TURN, turn, waiter);
}

/** Puts a value into an empty mailbox. 0 means empty. */
export function post(control: Words, cpu: number, value: number, waiter: Waiter): void {
  const at = mailboxOf(cpu);
  for (let held = load(control, at); held !== 0; held = load(control, at)) {
    awaitChange(control, at, held, waiter);
  }
  store(control, at, value);
  notify(control, at, 1);
}

/** Takes the value out of a mailbox, waiting until there is one. */
export function take(control: Words, cpu: number, waiter: Waiter): number {
  const at = mailboxOf(cpu);
  awaitChange(control, at, 0, waiter);
  const value = exchange(control, at, 0);
  notify(control, at, 1);
  return value;
}

/** Spins in user mode, then sleeps outside it, as a program in futex(2) does. */
function awaitChange(control: Words, at: number, held: number, waiter: Waiter): void {
  for (let spin = 0; spin < SPINS; spin++) {
    if (load(control, at) !== held) return;
    waiter.poll();
    pause();
  }
  waiter.leave();
  while (load(control, at) === held) wait(control, at, held, SLICE_MS);
  waiter.enter();
}
