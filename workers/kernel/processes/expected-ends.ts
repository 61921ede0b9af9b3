/**
 * Processes that were killed, and whose Worker must end them in time.
 *
 * A Worker ends a process when it next serves its messages, or when the process itself notices.
 * Guarantees: a Worker is replaced when one of its processes is to end and RUNAWAY_MS pass in which
 * no other of its processes gets the thread. As long as they take turns, the killed one waits for
 * its own. A CPU asleep in a call, or stopped for an audit, has its time again when it wakes up.
 */
import type { Cpu } from '../../../kernel/index.ts';
import { load } from '../../../shared/atomics.ts';
import * as CPU from '../../../shared/layout/cpu.ts';
import { RUNAWAY_MS } from '../../../shared/limits.ts';
import { modeOf } from '../cpu-mode.ts';
import type { Slot } from './pool.ts';

/** How often it is looked whether the Worker goes from process to process, in ms. */
const LOOK_MS = 100;

interface Expected {
  readonly pid: number;
  readonly signal: string;
  readonly slot: Slot;
  readonly generation: number;
}

export interface ExpectedEndsNeeds {
  readonly cpu: Cpu;
  readonly isGone: (pid: number) => boolean;
  /** Ends a Worker that process `pid` does not give back. */
  readonly replace: (slot: Slot, pid: number, reason: string) => void;
}

export class ExpectedEnds {
  readonly #needs: ExpectedEndsNeeds;

  constructor(needs: ExpectedEndsNeeds) {
    this.#needs = needs;
  }

  /** Process `pid` on the Worker of `slot` has been told to end by a signal. */
  expect(pid: number, signal: string, slot: Slot): void {
    this.#lookLater({ pid, signal, slot, generation: slot.generation }, this.#turns(slot), 0);
  }

  /** Looks again after LOOK_MS; the CPU has kept its turn for `keptMs` so far. */
  #lookLater(expected: Expected, turns: number, keptMs: number): void {
    setTimeout(() => {
      const { pid, signal, slot, generation } = expected;
      if (this.#needs.isGone(pid) || slot.generation !== generation) return;
      const now = this.#turns(slot);
      if (now !== turns || this.#sleeps(slot)) {
        this.#lookLater(expected, now, 0);
      } else if (keptMs + LOOK_MS < RUNAWAY_MS) {
        this.#lookLater(expected, turns, keptMs + LOOK_MS);
      } else {
        const reason = `process ${pid} did not react to ${signal} for ${RUNAWAY_MS} ms`;
        this.#needs.replace(slot, pid, reason);
      }
    }, LOOK_MS);
  }

  /** How often a process got the thread of the Worker. */
  #turns({ cpu }: Slot): number {
    const { words, cpuBase } = this.#needs.cpu.machine;
    // ORDER: a momentary value, looked at again and again.
    return load(words, cpuBase + cpu * CPU.WORDS + CPU.TURNS);
  }

  #sleeps({ cpu }: Slot): boolean {
    const mode = modeOf(this.#needs.cpu, cpu);
    return mode === CPU.MODE_BLOCKED || mode === CPU.MODE_PARKED;
  }
}
