/**
 * Traps with arguments that are no numbers: the CPU sends a message with the call, then traps and
 * sleeps; message and trap meet here, whichever comes first.
 *
 * Guarantees: a call is carried out only when its caller sleeps in its trap, once, and answered
 * once. What an ended process has left here goes with it.
 */
import type { WireStaged } from '../../../shared/wire.ts';

export type RunStaged = (pid: number, call: WireStaged) => number | Promise<number>;

export class StagedCalls {
  readonly #run: RunStaged;
  /** By pid: calls whose trap has not come. */
  readonly #calls = new Map<number, WireStaged>();
  /** By pid: traps whose call has not come. */
  readonly #traps = new Map<number, (call: WireStaged) => void>();

  constructor(run: RunStaged) {
    this.#run = run;
  }

  /** The message. */
  stage(pid: number, call: WireStaged): void {
    const trap = this.#traps.get(pid);
    this.#traps.delete(pid);
    if (trap === undefined) this.#calls.set(pid, call);
    else trap(call);
  }

  /** The trap. */
  trap(pid: number): number | Promise<number> {
    const call = this.#calls.get(pid);
    this.#calls.delete(pid);
    if (call !== undefined) return this.#run(pid, call);
    return new Promise<WireStaged>((resolve) => void this.#traps.set(pid, resolve)).then((staged) =>
      this.#run(pid, staged),
    );
  }

  /** The process has ended. */
  forget(pid: number): void {
    this.#calls.delete(pid);
    this.#traps.delete(pid);
  }
}
