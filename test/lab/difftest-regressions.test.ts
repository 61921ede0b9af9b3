/**
 * Sequences on which the simulator and Linux once disagreed, with what Linux answered. Played in
 * the simulator, so that they guard it where there is no Linux too. To record more:
 * `faultline difftest --replay FILE --json` prints what the host answers.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { HostRecord } from '../../lab/difftest/difftest.ts';
import { MachineRunner } from '../../lab/difftest/machine-runner.ts';
import type { Sequence } from '../../lab/difftest/sequence.ts';

interface Case {
  readonly about: string;
  /** On which it was recorded. */
  readonly kernel: string;
  readonly sequence: Sequence;
  readonly answers: HostRecord;
}

const file = new URL('../fixtures/difftest/regressions.json', import.meta.url);
const cases = JSON.parse(readFileSync(file, 'utf8')) as Case[];
const runner = new MachineRunner();
const options = { verbose: true, has: { brk: true, mincore: true, setrlimit: true } };

describe('sequences that once disagreed', () => {
  it.each(cases)('$about', ({ sequence, answers }) => {
    const { outcomes, failure } = runner.run(sequence, options, true);
    expect(failure).toBeNull();
    const count = sequence.ops.length;
    expect(outcomes.slice(0, count).map(({ result }) => result)).toEqual(answers.results);
    const { maps, resident, pagemap, smaps } = outcomes[count - 1]?.state ?? {};
    // Older records do not have all of them.
    const seen = { maps, resident, pagemap, smaps };
    expect({ results: answers.results, ...seen }).toMatchObject(answers);
  });
});
