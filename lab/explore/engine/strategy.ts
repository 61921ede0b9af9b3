/** What chooses which CPU goes on, and how it says so. */
import type { Choices } from './execution.ts';

/** A choice: the CPU's number, plus OLD when its weak load shall read the old value. */
export const OLD = 8;
export const CPU_MASK = 7;
/** A strategy's answer that this execution is not worth finishing. */
export const ABANDON = -1;

export interface Strategy {
  /** Called before every step, not only at scheduling points. */
  readonly stepwise?: boolean;
  /** Asks for the identity of states (identity.ts). */
  readonly comparesStates?: boolean;
  /** Called also where one CPU alone can go on. */
  readonly hearsForced?: boolean;
  /** Before each execution. */
  begin?(choices: Choices): void;
  /**
   * Called at scheduling points with more than one option. `current` is the CPU that ran last, -1
   * at the start; `enabled` the set of those that can run.
   */
  choose(choices: Choices, current: number, enabled: number): number;
}
