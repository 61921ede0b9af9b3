/**
 * Memory pressure, as Linux's PSI measures it: for how long at least one fault or syscall has
 * waited for a page to come back from swap or for a frame to be reclaimed (its `some total`).
 */
export class MemoryPressure {
  readonly #now: () => number;
  #waiting = 0;
  #sinceMs = 0;
  #totalMs = 0;

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Waits for the promise of memory, counting the time. Rejects as `memory` does. */
  async wait<T>(memory: Promise<T>): Promise<T> {
    if (this.#waiting++ === 0) this.#sinceMs = this.#now();
    try {
      return await memory;
    } finally {
      if (--this.#waiting === 0) this.#totalMs += this.#now() - this.#sinceMs;
    }
  }

  /** Milliseconds so far. */
  get totalMs(): number {
    return this.#totalMs + (this.#waiting > 0 ? this.#now() - this.#sinceMs : 0);
  }
}
