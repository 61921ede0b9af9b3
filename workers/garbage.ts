/**
 * Garbage of processes that have ended. The engine collects old objects when its heap has doubled
 * or so; a thread that runs thousands of short processes would have tens of MiB of them by then.
 */

/** Ends of processes after which a Worker collects its garbage, rarer if that takes too long. */
const COLLECT_AFTER_ENDS = 256;
const COLLECT_MS_MAX = 20;

export class Garbage {
  readonly #collect: (() => void) | null;
  readonly #afterTurn: (run: () => void) => void;
  #left = COLLECT_AFTER_ENDS;
  #interval = COLLECT_AFTER_ENDS;

  /** `collect` is null where the host has no such thing. */
  constructor(collect: (() => void) | null, afterTurn: (run: () => void) => void) {
    this.#collect = collect;
    this.#afterTurn = afterTurn;
  }

  /** A process has ended: the garbage of many is collected at once, in a turn of its own. */
  processEnded(): void {
    if (this.#collect === null || --this.#left > 0) return;
    this.#left = this.#interval;
    this.#afterTurn(() => this.#run());
  }

  #run(): void {
    const beganMs = performance.now();
    this.#collect?.();
    // Programs that keep much would make it dear.
    if (performance.now() - beganMs > COLLECT_MS_MAX) this.#interval *= 2;
  }
}
