/**
 * The run queue of a CPU worker: which of its processes goes on next, and how long each has run.
 *
 * A Worker's processes share one thread and give it up where they await. What makes one ready again
 * (an answer, a timer, its start, its own sched_yield) goes through this queue: the process that
 * has had the least time goes first. Time is weighted by nice values as in Linux's fair scheduler,
 * a step being a factor of 1.25 (kernel/sched/core.c, sched_prio_to_weight). A process that slept
 * does not save up its share: it starts from the time of those that run.
 *
 * Guarantees: each ready process runs in a turn of its own of the event loop, so that messages (a
 * kill, say) are served in between; a ready process runs after finitely many others.
 * Not guaranteed: preemption. A program that neither awaits nor ends keeps its CPU.
 */

/** A process as its run queue sees it. */
export interface RunAccount {
  /** -20 to 19, as it is now. */
  nice(): number;
  /** Weighted time, by which ready processes are compared. */
  virtualUs: number;
  /** Time on the CPU, in microseconds. */
  usedUs: number;
  /** Called when `usedUs` has grown, unless the process is over. */
  publish(): void;
}

interface Ready {
  readonly account: RunAccount;
  readonly virtualUs: number;
  readonly order: number;
  readonly resume: () => void;
}

/** One step of nice. */
const NICE_STEP = 1.25;

export class RunQueue {
  readonly #afterTurn: (run: () => void) => void;
  readonly #now: () => number;
  /** A binary heap: the next one first. */
  readonly #heap: Ready[] = [];
  #order = 0;
  /** Weighted time of the process that ran last: no process starts from less. */
  #floorUs = 0;
  #running: RunAccount | null = null;
  #sinceMs = 0;
  #endsTurn = false;
  #onSwitch: () => void = () => {};

  /** `afterTurn` runs a function in a later turn; `now` is a clock in ms. */
  constructor(afterTurn: (run: () => void) => void, now: () => number = () => performance.now()) {
    this.#afterTurn = afterTurn;
    this.#now = now;
  }

  /** The process that has the thread, if the queue knows it. */
  get running(): RunAccount | null {
    return this.#running;
  }

  /** `onSwitch` is called when a process gets the thread from another one. */
  set onSwitch(onSwitch: () => void) {
    this.#onSwitch = onSwitch;
  }

  /** Processes that wait for their turn. */
  get length(): number {
    return this.#heap.length;
  }

  /** The process can go on by `resume`: at once, if no other waits for a turn. */
  ready(account: RunAccount, resume: () => void): void {
    if (this.#heap.length > 0) {
      this.add(account, resume);
      return;
    }
    this.#take(account);
    resume();
  }

  /** As `ready`, but in a later turn: others go first, and messages are served. */
  add(account: RunAccount, resume: () => void): void {
    const virtualUs = Math.max(account.virtualUs, this.#floorUs);
    push(this.#heap, { account, virtualUs, order: this.#order++, resume });
    this.#afterTurn(() => this.#next());
  }

  /** The process is running now, whatever the queue knew: its time counts from here. */
  runs(account: RunAccount): void {
    if (this.#running !== account) this.#take(account);
  }

  /** Charges what the running process has used so far. */
  charge(): void {
    const account = this.#running;
    if (account === null) return;
    const nowMs = this.#now();
    const us = (nowMs - this.#sinceMs) * 1000;
    this.#sinceMs = nowMs;
    account.usedUs += us;
    account.virtualUs = Math.max(account.virtualUs, this.#floorUs) + us * costOf(account.nice());
    account.publish();
  }

  /** Runs `sleep`, which blocks the thread; no process is charged for the time. */
  asleep<Result>(sleep: () => Result): Result {
    this.charge();
    const account = this.#running;
    this.#running = null;
    const result = sleep();
    this.#running = account;
    this.#sinceMs = this.#now();
    return result;
  }

  #next(): void {
    const next = pop(this.#heap);
    if (next === undefined) return;
    this.#floorUs = Math.max(this.#floorUs, next.virtualUs);
    this.#take(next.account);
    next.resume();
  }

  #take(account: RunAccount): void {
    this.charge();
    if (this.#running !== account) this.#onSwitch();
    this.#running = account;
    this.#sinceMs = this.#now();
    if (this.#endsTurn) return;
    this.#endsTurn = true;
    this.#afterTurn(() => {
      this.#endsTurn = false;
      this.charge();
      this.#running = null;
    });
  }
}

/** Weighted time for one unit of time. */
function costOf(nice: number): number {
  return NICE_STEP ** nice;
}

function isBefore(a: Ready, b: Ready): boolean {
  return a.virtualUs < b.virtualUs || (a.virtualUs === b.virtualUs && a.order < b.order);
}

function push(heap: Ready[], item: Ready): void {
  let at = heap.length;
  while (at > 0) {
    const parent = (at - 1) >> 1;
    const above = heap[parent] as Ready;
    if (!isBefore(item, above)) break;
    heap[at] = above;
    at = parent;
  }
  heap[at] = item;
}

function pop(heap: Ready[]): Ready | undefined {
  const first = heap[0];
  const last = heap.pop();
  if (last === undefined || heap.length === 0) return first;
  let at = 0;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= heap.length) break;
    const right = heap[child + 1];
    if (right !== undefined && isBefore(right, heap[child] as Ready)) child++;
    if (!isBefore(heap[child] as Ready, last)) break;
    heap[at] = heap[child] as Ready;
    at = child;
  }
  heap[at] = last;
  return first;
}
