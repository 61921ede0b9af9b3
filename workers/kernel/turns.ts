/**
 * Turns of the kernel worker's event loop for work that gives way (kernel/faults/give-way.ts).
 *
 * Guarantees: one piece of such work a turn, whoever it is for, first come first served. Between
 * two pieces everything that has arrived meanwhile is served: traps, messages, timers.
 */
import { platform } from '#platform';

export class Turns {
  readonly #waiting: (() => void)[] = [];

  /** Resolves in a turn of its own. */
  next(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      if (this.#waiting.length === 1) platform.afterTurn(() => this.#run());
    });
  }

  #run(): void {
    // It stays in the list until the turn is over, so that what it asks for comes in a later one.
    this.#waiting[0]?.();
    platform.afterTurn(() => {
      this.#waiting.shift();
      if (this.#waiting.length > 0) this.#run();
    });
  }
}
