/**
 * Goal: `faultline stress` finds nothing wrong with the protocols that ship, finds a broken one,
 * and says how to see it again. Method: the command itself, for a few seconds in all.
 */
import { fileURLToPath } from 'node:url';
import { PROTOCOL_NAMES } from 'faultline/kernel';
import { describe, expect, it } from 'vitest';
import { startWatchdog } from '../../lab/stress/watchdog.ts';
import { faultline } from '../support/command.ts';

interface Run {
  readonly protocol: string;
  readonly failures: readonly string[];
  readonly counts: Readonly<Record<string, number>>;
  readonly counters: Readonly<Record<string, number>>;
  readonly audits: number;
  readonly command: string;
}

describe('faultline stress', () => {
  it('finds nothing wrong with any protocol, and has looked', async () => {
    const args = ['--protocol', 'all', '--seconds', '4', '--cpus', '3', '--swap', '0', '--json'];
    const { status, stdout, stderr } = await faultline('stress', ...args);
    expect(stderr).not.toContain('failure');
    expect(status).toBe(0);
    const { runs } = JSON.parse(stdout) as { runs: Run[] };
    expect(runs.map(({ protocol }) => protocol)).toEqual(PROTOCOL_NAMES);
    for (const { failures, counts, counters, audits } of runs) {
      expect(failures).toEqual([]);
      // The first audit and the last one count the frames.
      expect(audits).toBeGreaterThanOrEqual(3);
      for (const name of ['mmap', 'munmap', 'mprotect', 'local', 'sync', 'async', 'judged']) {
        expect(counts[name], name).toBeGreaterThan(0);
      }
      expect(counts['faultsExpected']).toBeGreaterThan(0);
      expect(counters['shootdowns']).toBeGreaterThan(0);
      expect(counts['refused']).toBe(0);
    }
  });

  it('forks, swaps, and finds nothing wrong with that either', async () => {
    const args = ['--seconds', '6', '--memory', '8MiB', '--json'];
    const { status, stdout, stderr } = await faultline('stress', ...args);
    expect(stderr).not.toContain('failure');
    expect(status).toBe(0);
    for (const { failures, counts, counters } of (JSON.parse(stdout) as { runs: Run[] }).runs) {
      expect(failures).toEqual([]);
      for (const name of ['forks', 'forkedPages']) expect(counts[name], name).toBeGreaterThan(0);
      for (const name of ['swapOuts', 'swapIns']) expect(counters[name], name).toBeGreaterThan(0);
      expect(counters['oomKills']).toBe(0);
    }
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
    [['--swap', '1MiB'], "--swap must be a size from 2MiB to 8GiB, such as 64MiB, got '1MiB'"],
    [['--memory', '1MiB'], "--memory must be a size from 8MiB to 4GiB, such as 64MiB, got '1MiB'"],
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
