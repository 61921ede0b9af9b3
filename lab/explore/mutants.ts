/**
 * Seeded bugs: each a change of the kernel's source that the explore build applies, and that is
 * never in any other build. A change names text that must occur exactly once, so that a mutant
 * cannot silently stop being one when the kernel changes.
 */
import type { Patch } from './build/patch.ts';
import { ACCESS_MUTANTS } from './mutants/access.ts';
import { DESCRIPTOR_AND_NAME_MUTANTS } from './mutants/descriptors-and-names.ts';
import { FLUSH_MUTANTS } from './mutants/flush.ts';
import { FORK_AND_SWAP_MUTANTS } from './mutants/fork-and-swap.ts';
import { FUTEX_AND_FILE_MUTANTS } from './mutants/futexes-and-files.ts';
import { OTHER_MUTANTS } from './mutants/faults-and-machine.ts';
import { PROCESS_MUTANTS } from './mutants/processes.ts';
import { PIN_MUTANTS } from './mutants/pins.ts';
import { REAL_BUG_MUTANTS } from './mutants/real-bugs.ts';
import { REMOTE_MUTANTS } from './mutants/remote.ts';
import { LOCK_MUTANTS } from './mutants/locks.ts';
import { PAGING_MUTANTS } from './mutants/paging.ts';

export interface Mutant {
  readonly name: string;
  readonly about: string;
  /** Where exploration is to find it. */
  readonly scenario: string;
  readonly protocol: string;
  readonly patches: readonly Patch[];
}

export const MUTANTS: readonly Mutant[] = [
  ...PAGING_MUTANTS,
  ...ACCESS_MUTANTS,
  ...FLUSH_MUTANTS,
  ...OTHER_MUTANTS,
  ...PROCESS_MUTANTS,
  ...FORK_AND_SWAP_MUTANTS,
  ...FUTEX_AND_FILE_MUTANTS,
  ...DESCRIPTOR_AND_NAME_MUTANTS,
  ...REMOTE_MUTANTS,
  ...PIN_MUTANTS,
  ...REAL_BUG_MUTANTS,
  ...LOCK_MUTANTS,
];

export function mutantNamed(name: string): Mutant | null {
  return MUTANTS.find((mutant) => mutant.name === name) ?? null;
}
