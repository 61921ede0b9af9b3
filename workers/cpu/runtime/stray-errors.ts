/**
 * Errors that nobody caught: in a timer, in a promise that nobody awaits, in a callback of the
 * host's. Each ends the process that it belongs to, and no other. What an ended process has left
 * behind throws in vain.
 *
 * Whose an error is: one of a process's calls failed with it; or it happened in work that the
 * process began, which the host carries along (platform.owners). The first process of a Worker goes
 * without that, because it costs 0.6 us for each await on Node 20: what has no owner is its own.
 * Where the host cannot tell, in a browser or in a microtask on Node 20, the files in the error's
 * stack and the turn of the run queue decide.
 */
import { MemoryFault, ProcessKilled } from '../../wire/errors.ts';
import { isA, rawStackOf } from '../../wire/thrown.ts';
import { KernelPanic } from '../../../shared/panic.ts';
import type { Owners } from '../../platform.ts';

/** A process, as far as errors go. */
export interface Suspect {
  readonly pid: number;
  /** URL of its program's module. */
  readonly module: string;
  readonly guard: { readonly isOver: boolean; owns(error: unknown): boolean };
  /** Its memory is the one in use. */
  isLive(): boolean;
  /** It has the turn of the run queue. */
  hasTurn(): boolean;
  /** Ends it because of the error, if it has not ended. */
  fail(error: unknown): void;
}

export class StrayErrors {
  readonly #running: { values(): Iterable<Suspect> };
  readonly #owners: Owners | null;
  readonly #panicked: (message: string) => void;
  #first: Suspect | null = null;

  constructor(
    running: { values(): Iterable<Suspect> },
    owners: Owners | null,
    panicked: (message: string) => void,
  ) {
    this.#running = running;
    this.#owners = owners;
    this.#panicked = panicked;
  }

  /** Runs work of a process: what it begins is the process's own. */
  within<Result>(process: Suspect, work: () => Result): Result {
    this.#first ??= process;
    if (this.#owners === null || this.#first === process) return work();
    return this.#owners.run(process, work);
  }

  /** Ends the process that the error belongs to. */
  handle(error: unknown): void {
    if (isA(error, ProcessKilled)) return;
    if (isA(error, KernelPanic)) this.#panicked(error.message);
    else this.#culprit(error)?.fail(error);
  }

  /** The process whose code runs now; null when it has ended, or cannot be told. */
  current(): Suspect | null {
    return this.#culprit(null);
  }

  #culprit(error: unknown): Suspect | null {
    const running = [...this.#running.values()];
    const isFault = isA(error, MemoryFault);
    const certain = running.find((one) => one.guard.owns(error) || (isFault && one.isLive()));
    const owner = certain ?? (this.#owners?.current() as Suspect | undefined);
    return owner ?? this.#likeliest(running, rawStackOf(error));
  }

  /** The error has no owner: on Node, it is of the first process or of a microtask. */
  #likeliest(running: readonly Suspect[], stack: string): Suspect | null {
    const named = running.filter(({ module }) => stack.includes(module));
    if (named.length === 1) return named[0] ?? null;
    const suspects = named.length > 0 || this.#owners !== null ? named : running;
    const next = suspects.find((one) => one.hasTurn()) ?? suspects[0];
    return next ?? running.find((one) => one === this.#first) ?? null;
  }
}
