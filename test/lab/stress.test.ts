/**
 * Goal: `faultline stress` finds nothing wrong with the protocols that ship, finds a broken one,
 * and says how to see it again. Method: the command itself, for a few seconds in all.
 */
import { fileURLToPath } from 'node:url';
import { PROTOCOL_NAMES } from 'faultline/kernel';
import { describe, expect, it } from 'vitest';
import { startWatchdog } from '../../lab/stress/watchdog.ts';
import { faultline } from '../support/command.ts';

const UNITS = 'such as 64MiB (units KiB, MiB, GiB; K, M, G)';

interface Run {
  readonly protocol: string;
  readonly failures: readonly string[];
  readonly counts: Readonly<Record<string, number>>;
  readonly counters: Readonly<Record<string, number>>;
  readonly audits: number;
  readonly command: string;
}

/** The first of `names` that stayed 0, if any. */
function missing(counts: Run['counts'], names: readonly string[]): string | undefined {
  return names.find((name) => (counts[name] ?? 0) === 0);
}

/**
 * Runs that found nothing wrong, of the first duration in which all was met that `notMet` names:
 * how much happens in a second is up to the machine that the test runs on.
 */
async function runs(
  firstSeconds: number,
  args: readonly string[],
  notMet: (run: Run) => string | undefined,
): Promise<readonly Run[]> {
  for (let seconds = firstSeconds; ; seconds *= 2) {
    const outcome = await faultline('stress', '--seconds', `${seconds}`, '--json', ...args);
    expect(outcome.stderr).not.toContain('failure');
    expect(outcome.status).toBe(0);
    const { runs: found } = JSON.parse(outcome.stdout) as { runs: Run[] };
    for (const { failures } of found) expect(failures).toEqual([]);
    const missed = found.map(notMet).filter((name) => name !== undefined);
    if (missed.length === 0) return found;
    expect(seconds, `${missed.join()} not met`).toBeLessThan(4 * firstSeconds);
  }
}

describe('faultline stress', () => {
  it('finds nothing wrong with any protocol, and has looked', { timeout: 120_000 }, async () => {
    const calls = ['mmap', 'munmap', 'mprotect', 'local', 'sync', 'async'];
    const met = [...calls, 'judged', 'faultsExpected', 'shootdowns'];
    const args = ['--protocol', 'all', '--cpus', '3', '--swap', '0'];
    const found = await runs(4, args, ({ counts, counters, audits }) =>
      // The first audit and the last one count the frames; there is one between them.
      audits < 3 ? 'audits' : missing({ ...counters, ...counts }, met),
    );
    expect(found.map(({ protocol }) => protocol)).toEqual(PROTOCOL_NAMES);
    for (const { counts } of found) expect(counts['refused']).toBe(0);
  });

  it('forks, swaps, and finds nothing wrong with that either', { timeout: 120_000 }, async () => {
    const found = await runs(6, ['--memory', '8MiB'], ({ counts, counters }) =>
      missing({ ...counters, ...counts }, ['forks', 'forkedPages', 'swapOuts', 'swapIns']),
    );
    for (const { counters } of found) expect(counters['oomKills']).toBe(0);
  });

  it('finds a protocol that does not lock, and prints the command that shows it', async () => {
    const path = fileURLToPath(new URL('../fixtures/protocols/no-area-lock.mjs', import.meta.url));
    const args = [
      '--protocol',
      path,
      '--seconds',
      '20',
      '--seed',
      '7',
      '--swap',
      '0',
      '--forks',
      '0',
    ];
    const { status, stderr } = await faultline('stress', ...args);
    expect(status).toBe(1);
    expect(stderr).toMatch(/failure: ./);
    expect(stderr).toContain('CPU 1: ');
    expect(stderr).toMatch(/again: faultline stress --protocol \S+no-area-lock\.mjs .*--seed 7 /);
  });

  it.each([
    [['--faults', 'sometimes'], "--faults must be local, remote or both, got 'sometimes'"],
    [['--shootdown', 'x'], "--shootdown must be sync, batched, lazy or all, got 'x'"],
    [['--threads', '9'], "--threads must be an integer from 1 to 8, got '9'"],
    [['--seconds', '0'], "--seconds must be seconds, more than 0 to 604800, got '0'"],
    [['--forks', '9'], "--forks must be an integer from 0 to 8, got '9'"],
    [['--swap', '1MiB'], `--swap must be a size from 2MiB to 8GiB, ${UNITS}, got '1MiB'`],
    [['--memory', '1MiB'], `--memory must be a size from 8MiB to 4GiB, ${UNITS}, got '1MiB'`],
    [['--protocol', 'rcv'], "no protocol is called 'rcv'; did you mean rcu?"],
    [['now'], "stress takes no argument 'now'"],
  ])('refuses %j', async (args, message) => {
    const { status, stdout, stderr } = await faultline('stress', ...args);
    expect({ status, stdout, stderr }).toEqual({
      status: 2,
      stdout: '',
      stderr: `faultline: ${message}\n`,
    });
  });
});

describe('the watchdog', () => {
  it('barks when nothing moves, and not before', async () => {
    let progress = 0;
    const startedMs = performance.now();
    const mover = setInterval(() => progress++, 50);
    setTimeout(() => clearInterval(mover), 600);
    const { barked } = startWatchdog(() => progress, 300);
    await expect(barked).rejects.toThrow('no progress for 0.3 s');
    expect(performance.now() - startedMs).toBeGreaterThan(800);
  });
});
