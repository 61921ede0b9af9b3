/**
 * Goal: `faultline explore` says the same however many explorations run side by side, and ends with
 * a failure's story or with one line that says what is wrong with the command.
 */
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

import { faultline } from '../support/command.ts';

const SCENARIOS = ['fault-munmap', 'fault-fault-write', 'fault-mprotect'];
const PROTOCOLS = ['--protocol', 'rcu', '--protocol', 'global'];
const UNLOCKED = fileURLToPath(new URL('../fixtures/protocols/no-area-lock.mjs', import.meta.url));

interface Line {
  readonly scenario: string;
  readonly protocol: string;
  readonly executions: number;
  readonly steps: number;
  readonly complete: boolean;
  readonly schedule: string | null;
}

async function explore(...args: string[]): Promise<{ status: number | null; lines: Line[] }> {
  const { status, stdout, stderr } = await faultline('explore', ...args, '--json');
  expect(stderr).not.toMatch(/^\s+at /m);
  const lines = (JSON.parse(stdout) as Line[]).map(
    ({ scenario, protocol, executions, steps, complete, schedule }) => {
      return { scenario, protocol, executions, steps, complete, schedule };
    },
  );
  return { status, lines };
}

describe('faultline explore', () => {
  it('finds the same with one thread and with three', async () => {
    const args = [...SCENARIOS, ...PROTOCOLS, '--bound', '1'];
    const alone = await explore(...args);
    const together = await explore(...args, '--jobs', '3');
    expect(together).toEqual(alone);
    expect(alone.status).toBe(0);
    expect(alone.lines.map(({ scenario, protocol }) => `${scenario} ${protocol}`)).toEqual(
      SCENARIOS.flatMap((name) => [`${name} rcu`, `${name} global`]),
    );
    expect(alone.lines.every(({ complete, executions }) => complete && executions > 1)).toBe(true);
  }, 60_000);

  it('explores the generated pairs that are asked for', async () => {
    const only = ['--only', 'host-file', '--only', 'reap', '--only', 'munmap'];
    const { status, lines } = await explore('--pairs', ...only, '--bound', '1');
    expect(status).toBe(0);
    expect(lines.map(({ scenario, complete }) => [scenario, complete])).toEqual([
      ['host-file+munmap+reap', true],
    ]);
    const unknown = await faultline('explore', '--pairs', '--only', 'munmup');
    expect(unknown).toMatchObject({ status: 2, stdout: '' });
    expect(unknown.stderr).toBe(
      "faultline: no state or operation is called 'munmup'; did you mean munmap?\n",
    );
    const alone = await faultline('explore', '--only', 'munmap', 'fault-munmap');
    expect(alone).toMatchObject({ status: 2, stderr: 'faultline: --only goes with --pairs\n' });
  }, 60_000);

  it('finds the same when one exploration is done by three threads', async () => {
    const args = ['fault-munmap', '--bound', '3'];
    const [alone, together] = [await explore(...args), await explore(...args, '--jobs', '3')];
    expect([alone.status, together.status]).toEqual([0, 0]);
    const [one, other] = [alone.lines[0]!, together.lines[0]!];
    expect([one.complete, other.complete]).toEqual([true, true]);
    // Who reaches a state first decides which executions are given up.
    expect(other.executions / one.executions).toBeGreaterThan(0.8);
    expect(other.executions / one.executions).toBeLessThan(1.2);
  }, 60_000);

  it('explores a systematic mutant by its name, and replays its failure', async () => {
    const mutant = 'kernel/machine/spinlock.ts:lock:split-update:1';
    const { status, stdout } = await faultline('explore', 'lock', '--mutant', mutant);
    expect(status).toBe(1);
    expect(stdout).toContain(`Seeded bug\n  ${mutant}`);
    const [, schedule = ''] = /^Replay: faultline explore --replay '(.*)'$/m.exec(stdout) ?? [];
    const again = await faultline('explore', '--replay', schedule, '--json');
    expect(again.status).toBe(1);
    expect(JSON.parse(again.stdout)).toMatchObject({ kind: 'race' });
  }, 60_000);

  it.each([
    [
      'kernel/machine/spinlock.ts:lock:split-update:9',
      /did you mean kernel.*:lock:split-update:1\?\n/,
    ],
    ['kernel/nowhere.ts:lock:split-update:1', /; see faultline explore --mutate --list\n/],
  ])('refuses the systematic mutant %s, which is none', async (mutant, hint) => {
    const seeded = encodeURIComponent(mutant);
    for (const args of [
      ['lock', '--mutant', mutant],
      ['lock', '--mutant', mutant, '--jobs', '2'],
      ['--replay', `lock@rcu+${seeded}:0*1`],
    ]) {
      const { status, stdout, stderr } = await faultline('explore', ...args);
      expect([status, stdout]).toEqual([2, '']);
      expect(stderr).toMatch(/^faultline: no mutant is called 'kernel.*'; .*\n$/);
      expect(stderr).toMatch(hint);
    }
  });

  it('gives an exhibit of the museum as JSON', async () => {
    const { status, stdout } = await faultline('museum', 'xv6-cow-lab', '--json');
    expect(status).toBe(0);
    const [visit] = JSON.parse(stdout) as { kind: string; cleanFailure: string }[];
    expect(visit).toMatchObject({ kind: 'race', cleanFailure: '', protocol: 'rcu' });
    expect(visit).toMatchObject({ exhibit: { name: 'xv6-cow-lab', mutant: 'refcount-race' } });
    const list = await faultline('museum', '--list', '--json');
    expect((JSON.parse(list.stdout) as unknown[]).length).toBeGreaterThanOrEqual(10);
  }, 60_000);

  it.each(['1', '2'])(
    'stops at a failure and tells it, with --jobs %s',
    async (jobs) => {
      const args = ['mprotect-mprotect', 'munmap-munmap', '--protocol', UNLOCKED, '--jobs', jobs];
      const { status, stdout } = await faultline('explore', ...args);
      expect(status).toBe(1);
      const [, schedule = ''] = /^Replay: faultline explore --replay '(.*)'$/m.exec(stdout) ?? [];
      const again = await faultline('explore', '--replay', schedule);
      expect(again.status).toBe(1);
      expect(again.stdout).toContain(`Replay: faultline explore --replay '${schedule}'`);
    },
    60_000,
  );

  it.each([
    [['fault-munmap', '--jobs', '0'], '--jobs must be'],
    [['fault-munmap', '--jobs', 'many'], '--jobs must be'],
    [['fault-mumap', '--jobs', '2'], "no scenario is called 'fault-mumap'; did you mean"],
    [[], 'which scenario?'],
  ])('refuses %j in one line', async (args, message) => {
    const { status, stdout, stderr } = await faultline('explore', ...args);
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect(stderr).toContain(message);
  });
});
