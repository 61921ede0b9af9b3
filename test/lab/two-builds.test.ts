/**
 * Goal: the compiled kernel is the kernel. Method: random sequences of system calls, forks and
 * accesses, carried out by both builds, leave machines that are equal word by word.
 *
 *   SEQUENCES=100000 npx vitest run two-builds
 */
import fc from 'fast-check';
import { expect, it } from 'vitest';

import { compareBuilds, sequences } from '../support/two-builds.ts';

const numRuns = Number(process.env['SEQUENCES'] ?? 100);

it('leave equal machines', { timeout: 60_000 + numRuns * 50 }, () => {
  fc.assert(
    fc.property(sequences, (sequence) => {
      expect(compareBuilds(sequence)).toBe('');
    }),
    { numRuns, seed: Number(process.env['SEED'] ?? 1) },
  );
});
