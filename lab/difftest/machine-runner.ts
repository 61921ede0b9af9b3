/** Sequences on the simulator's side: one machine, a process for each sequence, audits. */
import { SimulatedMachine } from './simulated-machine.ts';
import { runSequence } from './script.ts';
import type { RunOptions } from './script.ts';
import type { Outcome, Sequence } from './sequence.ts';

export interface MachineRun {
  readonly outcomes: readonly Outcome[];
  /** A panic, or what the audit objected to; null when all was well. */
  readonly failure: string | null;
}

export class MachineRunner {
  #machine = new SimulatedMachine();

  has(number: number): boolean {
    return this.#machine.has(number);
  }

  /** `audited` checks the whole machine afterwards. */
  run(sequence: Sequence, options: RunOptions, audited: boolean): MachineRun {
    const machine = this.#machine;
    try {
      const subject = machine.start(sequence.privileged);
      const { outcomes } = runSequence(subject, sequence, options);
      machine.end(subject);
      const violations = audited ? machine.audit() : [];
      if (violations.length === 0) return { outcomes, failure: null };
      this.#machine = new SimulatedMachine();
      return { outcomes, failure: `audit: ${violations.join('; ')}` };
    } catch (error) {
      // A machine that panicked is in no known state.
      this.#machine = new SimulatedMachine();
      return { outcomes: [], failure: error instanceof Error ? error.message : String(error) };
    }
  }
}
