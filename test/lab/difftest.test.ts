/**
 * Goal: the simulator and this machine's Linux agree on a short slice of random sequences, and on
 * those that once disagreed; a simulator that is wrong is found out, and what is printed is the
 * shortest sequence that shows it. Method: the built command, as a user runs it; a planted flaw.
 */
import { release } from 'node:os';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { CALLS, Difftest } from '../../lab/difftest/difftest.ts';
import { generateSequence } from '../../lab/difftest/generator.ts';
import { MachineRunner } from '../../lab/difftest/machine-runner.ts';
import { toC, toTypeScript } from '../../lab/difftest/print-code.ts';
import type { RunOptions } from '../../lab/difftest/script.ts';
import type { Op, Sequence } from '../../lab/difftest/sequence.ts';
import { shrink } from '../../lab/difftest/shrink.ts';
import { MADV_DONTNEED, MADV_NORMAL } from '../../shared/abi/mman.ts';
import { faultline } from '../support/command.ts';

const regressions = fileURLToPath(
  new URL('../fixtures/difftest/regressions.json', import.meta.url),
);
const hostProgram = fileURLToPath(new URL('../../dist/difftest-host.js', import.meta.url));

const hasKoffi = await import('koffi').then(
  () => true,
  () => false,
);
const isLinux = process.platform === 'linux' && process.arch === 'x64';
/** The rules are those of 6.18; older kernels lack calls and differ here and there. */
const isKnown = /^(6\.(1[89]|[2-9]\d)|[7-9])\b/.test(release());
const host = describe.skipIf(!isLinux || !hasKoffi || !isKnown);

/** Enough to show the planted flaw, and soon shrunk. */
const FEW = ['mmap', 'munmap', 'madvise', 'load', 'store'];

/** A simulator whose MADV_DONTNEED does nothing. */
class Forgetful {
  readonly #runner = new MachineRunner();

  has(number: number): boolean {
    return this.#runner.has(number);
  }

  run(sequence: Sequence, options: RunOptions, audited: boolean): ReturnType<MachineRunner['run']> {
    const ops = sequence.ops.map((op) => {
      const isFlawed = op.call === 'madvise' && op.args[2] === MADV_DONTNEED;
      return isFlawed ? { ...op, args: [...op.args.slice(0, 2), MADV_NORMAL] } : op;
    });
    return this.#runner.run({ ...sequence, ops }, options, audited);
  }
}

host('difftest on this Linux (x86-64, 6.18 or later, with koffi)', () => {
  const without = CALLS.filter((call) => !FEW.includes(call));
  const planted = new Difftest({
    ...{ ops: 20_000, seed: 7, durationMs: 60_000, failuresMax: 1, without },
    ...{ machine: new Forgetful(), hostProgram },
  });
  afterAll(() => planted.close());

  it('agrees call by call on random sequences', async () => {
    const { status, stdout, stderr } = await faultline('difftest', '--ops', '1000', '--json');
    expect(stderr).not.toContain('disagreement');
    expect(status).toBe(0);
    const { ops, disagreements, coverage } = JSON.parse(stdout) as Awaited<
      ReturnType<Difftest['run']>
    >;
    expect(disagreements).toEqual([]);
    expect(ops).toBeGreaterThanOrEqual(1000);
    expect(coverage['mmap']?.['ok']).toBeGreaterThan(50);
  }, 120_000);

  it('agrees on the sequences that once disagreed', async () => {
    const { status, stderr } = await faultline('difftest', '--replay', regressions);
    expect(stderr).not.toContain('disagreement');
    expect(status).toBe(0);
  }, 120_000);

  it('finds a planted flaw and shrinks it to the calls that show it', async () => {
    const { disagreements } = await planted.run();
    expect(disagreements).toHaveLength(1);
    const { sequence, details } = disagreements[0] ?? { sequence: null, details: [] };
    const calls = sequence?.ops.map(({ call }) => call) ?? [];
    expect(calls.at(-1)).toBe('madvise');
    expect(calls.length).toBeLessThanOrEqual(4);
    expect(details.join()).toMatch(/Linux .*Faultline/);
  }, 120_000);
});

describe('difftest anywhere', () => {
  const options = {
    ...{ calls: new Set(CALLS), mayBePrivileged: true, mayBeCrowded: true },
    capabilities: ['CAP_IPC_LOCK'] as const,
  };

  it('generates the same sequence from the same seed, and others from others', () => {
    expect(generateSequence(5, options)).toEqual(generateSequence(5, options));
    expect(generateSequence(5, options)).not.toEqual(generateSequence(6, options));
  });

  it('shrinks to the calls and the arguments that matter', async () => {
    const needed = (ops: readonly Op[]): boolean =>
      ops.some(({ call, args }) => call === 'mmap' && args[1] === 0) &&
      ops.some(({ call }) => call === 'munmap');
    let seed = 0;
    while (!needed(generateSequence(seed, options).ops)) seed += 1;
    const from = generateSequence(seed, options);
    const shortest = await shrink(from, ({ ops }) => Promise.resolve(needed(ops)));
    expect(shortest.ops.map(({ call }) => call).sort()).toEqual(['mmap', 'munmap']);
    expect(from.ops.length).toBeGreaterThan(2);
  });

  it('prints a sequence as code for both sides', () => {
    const ops: Op[] = [
      { call: 'memfd_create', args: [0, 0], slot: 1 },
      {
        call: 'mmap',
        args: [{ base: 'low', plus: 4096 }, 8192, 3, 17, { base: 'fd', plus: 1 }, 0],
      },
      { call: 'store', args: [{ base: 'low', plus: 4097 }, 9] },
    ];
    const sequence = { privileged: true, eager: false, ops };
    expect(toC(sequence).split('\n')).toEqual([
      'fd1 = memfd_create("m0", 0);',
      'mmap(low + PAGE, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd1, 0);',
      '*(volatile char *)(low + 0x1001) = 9;',
    ]);
    expect(toTypeScript(sequence)).toContain('await proc.mmap(low + PAGE, 2 * PAGE, ');
  });

  it.each([
    [['--ops', '0'], /--ops/],
    [['--without', 'mmep'], /mmap/],
    [['--replay', '/nowhere'], /nowhere/],
    [['more'], /takes no argument 'more'/],
  ])('refuses %j in one line', async (args, message) => {
    const { status, stderr } = await faultline('difftest', ...args);
    expect(status).toBe(2);
    expect(stderr).toMatch(message);
  });
});
