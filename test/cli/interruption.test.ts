/**
 * Goal: Ctrl-C loses nothing. Method: SIGINT to each command once it works; what it prints must be
 * whole, say what it found so far, and come with status 130.
 */
import { describe, expect, it } from 'vitest';
import { parseBench } from '../../cli/bench-request.ts';
import { parseDifftest } from '../../cli/difftest-request.ts';
import { parseExplore } from '../../cli/explore-request.ts';
import { parseRun } from '../../cli/run-request.ts';
import { parseStress } from '../../cli/stress-request.ts';
import { measureInTurns } from '../../lab/bench/turns.ts';
import { fixture, interrupted } from '../support/command.ts';

interface Result {
  readonly status: number | null;
  readonly document: unknown;
}

/** Interrupts a command that prints JSON. */
async function cut(when: RegExp, ...args: string[]): Promise<Result> {
  const { status, stdout, stderr } = await interrupted(when, ...args, '--json');
  expect(stderr).toContain('faultline: interrupted');
  return { status, document: JSON.parse(stdout) as unknown };
}

describe('an interrupted command reports what it has, with status 130', () => {
  it('run: the report, and how far everybody came', async () => {
    const program = fixture('prints-and-sleeps.mjs');
    const { status, document } = await cut(/it runs/, 'run', program);
    expect(document).toMatchObject({
      exitStatus: 130,
      interrupted: true,
      problems: [`${program} was interrupted`],
      result: { output: [{ line: 'it runs' }] },
      audit: { clean: true },
    });
    expect(status).toBe(130);
  });

  it('stress: the machine is stopped and audited', async () => {
    const { status, document } = await cut(/^stress: /, 'stress', '--seconds', '600');
    expect(document).toMatchObject({ exitStatus: 130, runs: [{ failures: [] }] });
    expect(status).toBe(130);
  });

  it.each(['1', '2'])('explore --jobs %s: what was tried is not complete', async (jobs) => {
    const args = [
      'evict-fork',
      'span-fault-munmap',
      'evict-munmap',
      '--bound',
      'all',
      '--jobs',
      jobs,
    ];
    const { status, document } = await cut(/^explore: /, 'explore', ...args);
    expect(document).toEqual(
      Array.from({ length: Number(jobs) }, (): unknown =>
        expect.objectContaining({ complete: false, failure: null }),
      ),
    );
    expect(status).toBe(130);
  });

  it.runIf(process.platform === 'linux' && process.arch === 'x64')(
    'difftest: the calls so far',
    async () => {
      const { status, document } = await cut(/^difftest: /, 'difftest', '--ops', '1000000000');
      expect(document).toMatchObject({ exitStatus: 130, hostDeaths: 0 });
      expect(status).toBe(130);
    },
  );

  it('bench: the rows of complete repetitions', async () => {
    const args = ['bench', '--suite', 'engine', '--repeat', '1000000', '--no-pin'];
    const { status, document } = await cut(/^bench: /, ...args);
    expect(document).toMatchObject({ interrupted: true, violations: [] });
    expect(status).toBe(130);
  });
});

it('a measurement keeps complete repetitions only', async () => {
  const controller = new AbortController();
  const measure = (repetition: number): number => {
    if (repetition === 3) controller.abort();
    return repetition;
  };
  const sources = [
    { name: 'a', measure },
    { name: 'b', measure },
  ];
  const turns = { repeat: 10, signal: controller.signal };
  expect(await measureInTurns(sources, turns)).toEqual([
    [1, 1],
    [2, 2],
  ]);
});

it.each([parseRun, parseExplore, parseStress, parseDifftest, parseBench])(
  '--help says so (%o)',
  (parse) => {
    expect(parse(['--help'])).toContain('ends with status 130');
  },
);
