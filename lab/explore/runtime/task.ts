/**
 * A simulated CPU's thread of control, as the scheduler sees it: the access that it will make next,
 * and what it knows of the others (a vector clock).
 */

/** CPUs of an explored machine at most. Strides of the shadow arrays. */
export const TASKS_MAX = 8;

// Kinds of pending access.
export const START = 0;
export const LOAD = 1;
export const STORE = 2;
export const EXCHANGE = 3;
export const COMPARE_EXCHANGE = 4;
export const ADD = 5;
export const OR = 6;
export const AND = 7;
export const WAIT = 8;
export const NOTIFY = 9;
export const PAUSE = 10;
/** A plain load that may read an old value: a program's poll of its TLB generation. */
export const WEAK_LOAD = 11;
/** A program's own load or store of a word, through a translation. */
export const USER_LOAD = 12;
export const USER_STORE = 13;
/** The end of a sleep: no access. */
export const WOKEN = 14;
/** Between two operations of a CPU's list: no access. */
export const NEXT_OPERATION = 15;
/** Plain accesses where the build makes them steps. */
export const PLAIN_LOAD = 16;
export const PLAIN_STORE = 17;
/** Ends another CPU's Worker, for good. */
export const END_CPU = 18;

export const KIND_NAMES: readonly string[] = [
  'start',
  'load',
  'store',
  'exchange',
  'compareExchange',
  'add',
  'or',
  'and',
  'wait',
  'notify',
  'pause',
  'poll',
  'user load',
  'user store',
  'wake up',
  'next operation',
  'peek',
  'poke',
  'end CPU',
];

// What a task can do.
export const READY = 0;
/** In `wait`, until a notify of its word. */
export const SLEEPING = 1;
/** In a spin, until a word that it has read changes. */
export const SPINNING = 2;
export const DONE = 3;

export class Task {
  readonly id: number;
  kind: number = START;
  /** Word of the access; -1 when it has none. */
  at = -1;
  a = 0;
  b = 0;
  site = 0;
  status: number = READY;
  /** Hash of all that this CPU has read (state-hash.ts), in two halves. */
  low = 0;
  high = 0;
  /** Hash of what it has written into JavaScript objects (heap.ts). */
  heapLow = 0;
  heapHigh = 0;
  /** `low` and `high` at the calls that it is in. */
  readonly saved: Int32Array = new Int32Array(512);
  depth = 0;
  /** Highest tick of each task that happened before this task's next step. */
  readonly clock: Int32Array = new Int32Array(TASKS_MAX);

  constructor(id: number) {
    this.id = id;
  }
}

/** 1 for kinds of step that may change their word. A failing exchange counts as if it did. */
export const WRITES: Uint8Array = new Uint8Array(END_CPU + 1);
for (const kind of [STORE, EXCHANGE, COMPARE_EXCHANGE, ADD, OR, AND, WAIT, NOTIFY])
  WRITES[kind] = 1;
WRITES[USER_STORE] = 1;
WRITES[PLAIN_STORE] = 1;
