/**
 * What a CPU's Worker tells of code that goes on after its process's end.
 *
 * A process that ends by itself, or notices that it was killed, has its code on the stack, which
 * ProcessKilled unwinds; code that catches everything, or spins, or goes from microtask to
 * microtask, keeps the Worker nevertheless. So CPU.ENDED_PID names the process until the turn of
 * the event loop is over or another process runs; the kernel worker's watchdog looks at it. What
 * the process left behind elsewhere (callbacks of the host) can only call the machine in vain, and
 * is reported when it does so in turn after turn.
 */
import { store } from '../../../shared/atomics.ts';
import * as CPU from '../../../shared/layout/cpu.ts';
import type { Cpu } from '../../../kernel/index.ts';

/** Turns of its event loop in which what an ended process left behind may call the machine. */
export const LEFTOVER_TURNS_MAX = 16;
/** Processes of a Worker for which it counts them. */
const LEFTOVERS_MAX = 256;

export interface EndedCodeNeeds {
  readonly cpu: Cpu;
  /** Runs a function in a later turn. */
  readonly afterTurn: (run: () => void) => void;
  /** Tells the kernel worker that the code of an ended process goes on. */
  readonly report: (pid: number) => void;
}

export class EndedCode {
  readonly #needs: EndedCodeNeeds;
  /** The process that has ended in this turn; 0 for none. */
  #pid = 0;
  /** Turns in which ended processes have called the machine, by pid. */
  readonly #turns = new Map<number, number>();
  readonly #calledInTurn = new Set<number>();

  constructor(needs: EndedCodeNeeds) {
    this.#needs = needs;
  }

  /** A process has ended while its code may be on the stack. */
  ended(pid: number): void {
    this.#set(pid);
    this.#needs.afterTurn(() => {
      if (this.#pid === pid) this.over();
    });
  }

  /** Another process has the thread, or the turn has ended. */
  over(): void {
    if (this.#pid !== 0) this.#set(0);
  }

  /** Code of a process that has ended has called the machine, and was refused. */
  called(pid: number): void {
    if (this.#pid === pid || this.#calledInTurn.has(pid)) return;
    if (this.#calledInTurn.size === 0) this.#needs.afterTurn(() => this.#calledInTurn.clear());
    this.#calledInTurn.add(pid);
    const turns = (this.#turns.get(pid) ?? 0) + 1;
    this.#turns.set(pid, turns);
    const [oldest] = this.#turns.keys();
    if (this.#turns.size > LEFTOVERS_MAX && oldest !== undefined) this.#turns.delete(oldest);
    if (turns === LEFTOVER_TURNS_MAX) this.#needs.report(pid);
  }

  #set(pid: number): void {
    this.#pid = pid;
    const { words, base } = this.#needs.cpu;
    // ORDER: a hint for the watchdog, which looks again and again.
    store(words, base + CPU.ENDED_PID, pid);
  }
}
