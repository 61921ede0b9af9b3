/** The host's side of a pause; the kernel worker's is in workers/kernel/serve/hold.ts. */
import { load, notify, store } from '../../shared/atomics.ts';
import { PAUSE_ASKED, PAUSE_OVER } from '../wire/pause.ts';
import type { PauseGate } from '../wire/pause.ts';

/** A page's thread cannot sleep on a word, so it looks at it this often. */
const LOOK_MS = 1;

export class Pause {
  /** Resolves when the machine has stopped; rejects when it ends before. */
  readonly begun: Promise<void>;
  readonly #gate: PauseGate = new Int32Array(new SharedArrayBuffer(4));

  /** `hold` asks the kernel worker, and resolves when the pause is over. */
  constructor(hold: (gate: PauseGate) => Promise<void>) {
    const over = hold(this.#gate).finally(() => this.end());
    this.begun = Promise.race([over, this.#stopped()]);
    // Who does not wait for the pause to begin learns of a failure by the next call.
    this.begun.catch(() => {});
  }

  end(): void {
    // ORDER: the machine goes on after this; the host wrote nothing that it reads.
    store(this.#gate, 0, PAUSE_OVER);
    notify(this.#gate, 0, 1);
  }

  #stopped(): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        // ORDER: acquires the machine as its CPUs left it.
        if (load(this.#gate, 0) !== PAUSE_ASKED) resolve();
        else setTimeout(look, LOOK_MS);
      };
      setTimeout(look, LOOK_MS);
    });
  }
}
