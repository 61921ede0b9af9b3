/**
 * Goal: a program that is recorded here is replayed with equal results. Method: record commands
 * where there is strace, and replay what comes out; mistakes where there is not even a command.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { ReplayReport } from '../../lab/replay/replay-report.ts';
import { faultline } from '../support/command.ts';

const folder = mkdtempSync(join(tmpdir(), 'faultline-record-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Some containers have strace, and do not allow it. */
const canTrace = spawnSync('strace', ['-f', '-o', '/dev/null', 'true']).status === 0;

describe.skipIf(!canTrace)('record', () => {
  it('writes what replay finds equal, and leaves nothing else', async () => {
    const file = join(folder, 'shell.strace.gz');
    const mine = (): string[] =>
      readdirSync(tmpdir()).filter((name) => /^faultline-rec/.test(name));
    const before = mine();
    const command = ['sh', '-c', 'ls / | sort >/dev/null; exit 3'];
    const recorded = await faultline('record', '--output', file, '--', ...command);
    expect(recorded.stderr).toMatch(/shell\.strace\.gz: [\d,]+ lines, \d+ KiB; status 3\n$/);
    expect(recorded.status).toBe(0);
    expect(mine().filter((name) => !before.includes(name))).toEqual([]);
    const { status, stdout } = await faultline('replay', file, '--json');
    const { reports } = JSON.parse(stdout) as { reports: [ReplayReport] };
    expect(reports[0]).toMatchObject({ differences: [], inferredPages: 0, violations: [] });
    expect(reports[0].compared).toBeGreaterThan(50);
    expect(reports[0].command).toBe(JSON.stringify(command));
    expect(status).toBe(0);
  });

  it('tells when nothing was recorded', async () => {
    const file = join(folder, 'none.strace.gz');
    const { status, stderr } = await faultline('record', '--output', file, '--', 'no-such-command');
    expect(stderr).toContain('nothing was recorded');
    expect({ status, isThere: existsSync(file) }).toEqual({ status: 1, isThere: false });
  });
});

describe('replay', () => {
  it('refuses what is no recording in one line, with status 2', async () => {
    const { status, stderr } = await faultline('replay', 'package.json');
    expect(stderr).toMatch(/^faultline: 'package\.json' has no line of strace[^\n]*\n$/);
    expect(status).toBe(2);
  });

  it('prints differences, and ends with 1', async () => {
    const { status, stdout } = await faultline(
      ...['replay', 'test/fixtures/recordings/falsified.txt', '--stop-at', '4', '--maps'],
    );
    expect(stdout).toMatch(
      /LINE +PROCESS +DIFFERENCE +RECORDED +HERE\n +3 +0 +mprotect +EACCES +0/,
    );
    expect(stdout).toContain('areas of the process\n7f0000000000-7f0000001000 r--p 00000000');
    expect(stdout).toContain('stopped       after line 4');
    expect(status).toBe(1);
  });
});
