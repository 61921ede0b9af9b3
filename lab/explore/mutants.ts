/**
 * Seeded bugs: each a change of the kernel's source that the explore build applies, and that is
 * never in any other build. A change names text that must occur exactly once, so that a mutant
 * cannot silently stop being one when the kernel changes.
 */
import { ACCESS_MUTANTS } from './mutants/access.ts';
import { FLUSH_MUTANTS } from './mutants/flush.ts';
import { FORK_AND_SWAP_MUTANTS } from './mutants/fork-and-swap.ts';
import { FUTEX_AND_FILE_MUTANTS } from './mutants/futexes-and-files.ts';
import { OTHER_MUTANTS } from './mutants/faults-and-machine.ts';
import type { Mutant } from './mutants/mutant.ts';
import { PAGING_MUTANTS } from './mutants/paging.ts';

export type { Mutant } from './mutants/mutant.ts';

export const MUTANTS: readonly Mutant[] = [
  ...PAGING_MUTANTS,
  ...ACCESS_MUTANTS,
  ...FLUSH_MUTANTS,
  ...OTHER_MUTANTS,
  ...FORK_AND_SWAP_MUTANTS,
  ...FUTEX_AND_FILE_MUTANTS,
];
